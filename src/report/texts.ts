/** Which arms were trained on the same text. */

import type { Arm, Config, Dataset } from "./collect.ts";

/**
 * What tells the text that a stage needs, with its tokenizer, from others: its content where that is known, else its name.
 *
 * @param arms Ids of the train stages, which are no text.
 */
export function textOf(
  config: Config | null,
  data: readonly Dataset[],
  arms: readonly string[],
): string | null {
  const all: readonly unknown[] = Array.isArray(config?.needs) ? config.needs : [];
  const needs = all.filter((need) => !arms.includes(String(need)));
  if (needs.length === 0) return null;
  const text = data.find(({ id }) => needs.includes(id));
  if (text === undefined) return needs.join(" ");
  const { id, value: { tokenizer, splits } } = text;
  return JSON.stringify([tokenizer, splits, ...needs.filter((need) => need !== id)]); // a model to begin with
}

/** A sentence where arms were trained on different texts. Other tokens of one text are the same text. */
export function foreignTexts(arms: readonly Arm[]): string[] {
  const known = arms.flatMap(({ id, text }) => {
    const held = heldOut(text);
    return held === null ? [] : [{ id, held }];
  });
  const groups = [...Map.groupBy(known, ({ held }) => held).values()];
  if (groups.length < 2) return [];
  const lists = groups.map((group) => {
    const some = group.slice(0, 4).map(({ id }) => id).join(", ");
    return group.length > 4 ? `${some} and ${group.length - 4} more` : some;
  });
  return [
    `Not all arms were trained on the same text: bits per byte and tasks compare within each of these groups only: ${
      lists.join("; ")
    }.`,
  ];
}

/** What is held out of a text tells it from others, whatever its tokens. */
function heldOut(text: string | null): string | null {
  if (text === null || !text.startsWith("[")) return null;
  const [, { train, val }] = JSON.parse(text);
  return JSON.stringify([train, val].map(({ documents, bytes }) => [documents, bytes]));
}

/**
 * From items to token sequences. A sequence begins with the start token, which is the tokenizer's end token, and its
 * last tokens are those that count: all of a sentence, the last word of a passage, a choice behind its question.
 */
import type { Tokenizer } from "../../text/tokenizer.ts";
import { windowsOver } from "../windows.ts";
import type { Item } from "./items.ts";

/** Tokens, of which the last `scored` count. */
export interface Sequence {
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly scored: number;
}

/** One thing that an item asks the likelihood of; several sequences where it is longer than the model's context. */
export interface Alternative {
  readonly sequences: readonly Sequence[];
  /** UTF-8 bytes of the text that counts, without the space before a choice. */
  readonly bytes: number;
  /** Whether what stands before the text that counts did not all fit. */
  readonly isCut: boolean;
}

const encoder = new TextEncoder();

/** What an item asks the likelihood of: good and bad; the target; each choice. `context`: most inputs of the model. */
export function alternativesOf(item: Item, tokenizer: Tokenizer, context: number): Alternative[] {
  const of = (before: string, text: string, counted: string) => ({
    ...fitted(encode(before, text, tokenizer), context),
    bytes: encoder.encode(counted).length,
  });
  switch (item.form) {
    case "pair":
      return [item.good, item.bad].map((text) => of("", text, text));
    case "cloze":
      return [of(item.context, item.target, item.target)];
    case "choice":
      return item.contexts === undefined
        ? item.choices.map((choice) => of(item.context, choice, choice.trimStart()))
        : item.contexts.map((before) => of(before, item.choices[0]!, item.choices[0]!.trimStart()));
  }
}

/**
 * Both texts are encoded as one, and the tokens behind as many as the first alone has are those of the second; white
 * space at the end of the first belongs to the second (lm-evaluation-harness's `_encode_pair`).
 */
function encode(before: string, text: string, tokenizer: Tokenizer): Sequence {
  const context = before.trimEnd();
  const whole = tokenizer.encode(encoder.encode(before + text));
  const known = context === "" ? 0 : tokenizer.encode(encoder.encode(context)).length;
  const ids = new Uint32Array(1 + whole.length);
  ids[0] = tokenizer.end;
  ids.set(whole, 1);
  return { ids, scored: Math.max(1, whole.length - known) };
}

/** What does not fit is taken from the beginning; where the text that counts does not fit, it is scored in windows. */
function fitted({ ids, scored }: Sequence, context: number): Pick<Alternative, "sequences" | "isCut"> {
  if (ids.length <= context + 1) return { sequences: [{ ids, scored }], isCut: false };
  if (scored <= context) {
    return { sequences: [{ ids: ids.slice(-(context + 1)), scored }], isCut: true };
  }
  const first = ids.length - scored;
  const sequences = [...windowsOver(ids.length, context, Math.ceil(context / 2))].flatMap(
    ({ start, length, seen }) => {
      const end = start + length + 1;
      const counted = Math.min(length - seen, end - first);
      return counted <= 0 ? [] : [{ ids: ids.slice(start, end), scored: counted }];
    },
  );
  return { sequences, isCut: true };
}

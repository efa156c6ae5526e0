/**
 * Whether a model of the stories with random names knows the second token of a name by its first, after the name has
 * stood in the story before (Gloeckle et al. 2024, section 4.1). Nothing but the story tells it: a guess is right one time
 * in ten. Groups: bytes since the name stood there last, which a context of 256 bytes spans.
 */

import { CAPITALS, DIGITS, namedStory } from "../../data/names.ts";
import type { Cloze } from "../tasks/items.ts";
import { fill } from "./fill.ts";
import type { Probe } from "./mod.ts";

/** Bytes from a name to the same name before it, at most, by group; those farther apart are left out. */
const REACH = { "up to 32 bytes": 32, "33 to 96 bytes": 96, "97 to 192 bytes": 192 };

export const induction: Probe = ({ seed, items }) => fill(Object.keys(REACH), items, labelled(seed));

/** Stories of training text are numbered from 0: those from here on are others. */
const FIRST_STORY = 2 ** 31;

/** Every name that stood in its story before. */
function* labelled(seed: number): Generator<[string, Cloze]> {
  const name = new RegExp(`[${CAPITALS.join("")}][${DIGITS.join("")}]`, "g");
  for (let index = FIRST_STORY;; index++) {
    const text = namedStory(seed, index, true);
    const last = new Map<string, number>();
    for (const { 0: found, index: at } of text.matchAll(name)) {
      const before = last.get(found);
      last.set(found, at);
      if (before !== undefined) yield [groupOf(at - before), itemAt(text, at)];
    }
  }
}

function groupOf(distance: number): string {
  return Object.entries(REACH).find(([, most]) => distance <= most)?.[0] ?? "farther";
}

/** The story up to a name's first token, and its second. */
function itemAt(text: string, at: number): Cloze {
  return { form: "cloze", context: text.slice(0, at + 1), target: text.slice(at + 1, at + 2) };
}

/**
 * Whether a model of the stories with random names knows the second token of a name by its first, after the name has
 * stood in the story before (Gloeckle et al. 2024, section 4.1). Nothing but the story tells it: a guess is right one time
 * in ten. Groups: bytes since the name stood there last. A context begins so late that it fits the 256 bytes which models
 * of bytes are trained with, and so early that the name is in it.
 */

import { CAPITALS, DIGITS, namedStory } from "../../data/names.ts";
import type { Cloze } from "../tasks/items.ts";
import { fill } from "./fill.ts";
import type { Probe } from "./probe.ts";

/** Bytes from a name to the same name before it, at most, by group; those farther apart are left out. */
const REACH = { "up to 32 bytes": 32, "33 to 96 bytes": 96, "97 to 192 bytes": 192 };

export const induction: Probe = ({ seed, items }) => fill(Object.keys(REACH), items, labelled(seed));

/** Stories of training text are numbered from 0: those from here on are others. */
const FIRST_STORY = 2 ** 31;

/** Bytes of a context at most: the longest reach and a word more, and room for the start token. */
const CONTEXT = 250;

/** Names that stood in their story before; of a story one a group, since figures count items as independent. */
function* labelled(seed: number): Generator<[string, Cloze]> {
  const name = new RegExp(`[${CAPITALS.join("")}][${DIGITS.join("")}]`, "g");
  for (let index = FIRST_STORY;; index++) {
    const text = namedStory(seed, index, true);
    const last = new Map<string, number>();
    const asked = new Set<string>();
    for (const { 0: found, index: at } of text.matchAll(name)) {
      const before = last.get(found);
      last.set(found, at);
      if (before === undefined) continue;
      const group = groupOf(at - before);
      if (asked.has(group)) continue;
      asked.add(group);
      yield [group, itemAt(text, at)];
    }
  }
}

function groupOf(distance: number): string {
  return Object.entries(REACH).find(([, most]) => distance <= most)?.[0] ?? "farther";
}

/** The story's last words up to a name's first token, and its second. */
function itemAt(text: string, at: number): Cloze {
  return {
    form: "cloze",
    context: text.slice(beginning(text, at + 1 - CONTEXT), at + 1),
    target: text.slice(at + 1, at + 2),
  };
}

/** Where the first word begins that lies behind `least` as a whole. */
function beginning(text: string, least: number): number {
  return least <= 0 ? 0 : least + text.slice(least - 1).search(/\s/);
}

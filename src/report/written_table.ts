/** The table of what was written while decoding: its repetition beside that of the true text. */

import type { DecodedArm, DecodedDomain } from "./inputs.ts";
import type { Markup } from "./markup.ts";
import { count, decimal, percent } from "./numbers.ts";
import { known } from "./summary.ts";
import { type Column, table } from "./table.ts";

interface TextRow {
  readonly arm: DecodedArm;
  readonly domain: DecodedDomain;
}

const textRows = (arm: DecodedArm): TextRow[] => arm.domains.map((domain) => ({ arm, domain }));

const TEXT: readonly Column<TextRow>[] = [
  { heading: "arm", cell: ({ arm }) => arm.id },
  { heading: "domain", words: true, cell: ({ domain }) => domain.name },
  { heading: "prompts", cell: ({ domain }) => count(domain.prompts) },
  { heading: "rep\u20114", cell: ({ domain }) => percent(domain.repetition.plain.rep_4) },
  {
    heading: "rep\u20114, true text",
    cell: ({ domain }) => known(domain.repetition.truth, ({ rep_4 }) => percent(rep_4)),
  },
  { heading: "new bigrams", cell: ({ domain }) => percent(domain.repetition.plain.distinct_2) },
  {
    heading: "new bigrams, true text",
    cell: ({ domain }) => known(domain.repetition.truth, ({ distinct_2 }) => percent(distinct_2)),
  },
  {
    heading: "bits per byte of the true text\u00a0↓",
    cell: ({ domain }) => known(domain.teacher_forced, ({ bits_per_byte }) => decimal(bits_per_byte, 3)),
  },
];

const TEXT_CAPTION =
  `What was written: repetition of plain output beside that of what the text goes on with. Loops are easy to \
draft: where output repeats itself more than the true text, free-running acceptance is flattered. rep-4: the share of four-word \
sequences that occurred before in the same continuation. New bigrams: the share of pairs of words that occur for the first time \
in their continuation; "distinct-2" of generated text is another measure, over all continuations together.`;

/** The table of what was written, a row for each arm and domain. */
export function writtenTable(arms: readonly DecodedArm[]): Markup {
  return table(TEXT_CAPTION, TEXT, arms.flatMap(textRows), { cards: true });
}

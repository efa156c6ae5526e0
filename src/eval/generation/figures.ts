/** The figures of an arm's texts that need nobody else: likeness to the true continuation, and repetition. */

import { distinct, repeated } from "../../decode/repetition.ts";
import { bleu, bleuCounts } from "./bleu.ts";
import { type Estimate, estimate, mean } from "./jackknife.ts";
import { rougeL } from "./rouge.ts";

/** A figure, and the items that it should be over and is not. */
export type Figure = Estimate & { readonly missing: number };

/** By the figure's name. */
export type Figures = Readonly<Record<string, Figure>>;

const whole = (figure: Estimate): Figure => ({ ...figure, missing: 0 });

/** `bleu` (0 to 100) and `rouge_l` (0 to 1) against the references. */
export function likeness(texts: readonly string[], references: readonly string[]): Figures {
  const counts = texts.map((text, i) => bleuCounts(text, references[i]!));
  return {
    bleu: whole(estimate(counts, bleu)),
    rouge_l: whole(estimate(texts.map((text, i) => rougeL(text, references[i]!)), mean)),
  };
}

/** `rep_2` to `rep_4` and `distinct_1` to `distinct_3`, shares. */
export function repetitiveness(texts: readonly string[]): Figures {
  return Object.fromEntries([
    ...[2, 3, 4].map((n) => [`rep_${n}`, whole(estimate(texts, (some) => repeated(some, n)))] as const),
    ...[1, 2, 3].map((n) => [`distinct_${n}`, whole(estimate(texts, (some) => distinct(some, n)))] as const),
  ]);
}

/** The mean over the items that have a value; the others are counted. */
export function meanFigure(values: readonly (number | null)[]): Figure {
  const known = values.filter((value) => value !== null);
  return { ...estimate(known, mean), missing: values.length - known.length };
}

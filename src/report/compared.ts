/** Every set of replicates by every measure: mean, spread, difference to the reference and what it is worth. */

import type { Results, Staged } from "./collect.ts";
import type { Decoding } from "./inputs.ts";
import { type Measure, measuresOf } from "./measures.ts";
import { type Replicates, replicatesOf } from "./replicates.ts";
import { type Difference, differenceOf, holm, type Seeded, type Spread, spreadOf } from "./spread.ts";

/** All sets by all measures. */
export interface Comparison {
  readonly measures: readonly Measure[];
  readonly sets: readonly ComparedSet[];
  /** What the measures about decoding come from. */
  readonly decodings: readonly Staged<Decoding>[];
}

/** A set of replicates with its figures. */
export interface ComparedSet {
  readonly set: Replicates;
  /** In the order of the measures. */
  readonly figures: readonly Figure[];
}

/** What a set's seeds say of one measure. */
export interface Figure {
  readonly measure: Measure;
  /** One for each arm. */
  readonly values: readonly Seeded[];
  /** Null where no arm has a value. */
  readonly spread: Spread | null;
  /** To the set's reference. */
  readonly difference: Difference | null;
  /** The difference's p value after Holm's correction for all sets that have this measure. */
  readonly p_holm: number | null;
  /** Where `p_holm` is below 0.05. */
  readonly verdict: Verdict | null;
}

/** What a difference that chance hardly explains amounts to. */
export type Verdict = "better" | "worse" | "higher" | "lower";

/** Of all arms. */
export function compare(results: Results): Comparison {
  const replicates = replicatesOf(results);
  const measures = measuresOf(results);
  const columns = measures.map((measure) => column(measure, replicates));
  const sets = replicates.map((set, i) => ({ set, figures: columns.map((figures) => figures[i]!) }));
  return { measures, sets, decodings: results.decodings };
}

function column(measure: Measure, sets: readonly Replicates[]): Figure[] {
  const values = sets.map(({ arms }) => arms.map(({ seed, arm }): Seeded => [seed, finite(measure.of(arm))]));
  const differences = sets.map(({ reference }, i) => {
    const other = sets.findIndex(({ label }) => label === reference);
    return other < 0 ? null : differenceOf(values[i]!, values[other]!);
  });
  const corrected = holm(differences.map((difference) => difference?.p ?? null));
  return sets.map((_, i) => ({
    measure,
    values: values[i]!,
    spread: spreadOf(values[i]!.map(([, value]) => value)),
    difference: differences[i]!,
    p_holm: corrected[i]!,
    verdict: verdict(measure, differences[i]!, corrected[i]!),
  }));
}

const finite = (value: number | null): number | null =>
  value !== null && Number.isFinite(value) ? value : null;

function verdict({ better }: Measure, difference: Difference | null, p: number | null): Verdict | null {
  if (difference === null || p === null || p >= 0.05) return null;
  const direction = difference.mean < 0 ? "lower" : "higher";
  if (better === null) return direction;
  return direction === better ? "better" : "worse";
}

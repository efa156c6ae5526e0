/** What several seeds say of a figure: mean, spread, and the difference to a reference that was trained with the same seeds. */

import { quantile95, twoSided } from "./student.ts";

/** A figure over seeds. */
export interface Spread {
  /** Seeds with a finite value. */
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation over the seeds; null for one. */
  readonly sd: number | null;
}

/** Mean and spread of the finite values among these; null where there is none. */
export function spreadOf(values: readonly (number | null)[]): Spread | null {
  const finite = values.filter((value) => value !== null && Number.isFinite(value)) as number[];
  const n = finite.length;
  if (n === 0) return null;
  const mean = finite.reduce((sum, value) => sum + value, 0) / n;
  if (n === 1) return { n, mean, sd: null };
  const squares = finite.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { n, mean, sd: Math.sqrt(squares / (n - 1)) };
}

/** A figure's difference to the reference's, seed by seed: what both have in common by their seed falls out. */
export interface Difference {
  /** Seeds that both have. */
  readonly n: number;
  /** The figure's less the reference's. */
  readonly mean: number;
  /** Holds the true difference in 95 of 100 cases (Student's t); null for one seed. */
  readonly interval: readonly [low: number, high: number] | null;
  /** Two-sided, of a paired t test; null for one seed, and where all differences are equal: that tells no chance. */
  readonly p: number | null;
}

/** A value and the seed that it belongs to; null where no configuration says which. */
export type Seeded = readonly [seed: number | null, value: number | null];

/** Over the seeds that both have; null where there is none. */
export function differenceOf(figure: readonly Seeded[], reference: readonly Seeded[]): Difference | null {
  const values = new Map(reference);
  const differences = figure.flatMap(([seed, value]) => {
    const other = values.get(seed) ?? null;
    return seed === null || value === null || other === null ? [] : [value - other];
  });
  const spread = spreadOf(differences);
  if (spread === null) return null;
  const { n, mean, sd } = spread;
  if (sd === null) return { n, mean, interval: null, p: null };
  const error = sd / Math.sqrt(n);
  const half = quantile95(n - 1) * error;
  const isEqual = error <= 1e-9 * Math.abs(mean); // but for rounding
  return { n, mean, interval: [mean - half, mean + half], p: isEqual ? null : twoSided(mean / error, n - 1) };
}

/**
 * p values of several tests as they are to be read together (Holm 1979): to call all those below 0.05 real is wrong about
 * even one of them in at most 5 of 100 cases. Null stays null and counts as no test.
 */
export function holm(values: readonly (number | null)[]): (number | null)[] {
  const tests = values.flatMap((p, i) => p === null ? [] : [{ p, i }]).sort((a, b) => a.p - b.p);
  const adjusted: (number | null)[] = values.map(() => null);
  let highest = 0;
  tests.forEach(({ p, i }, rank) => {
    highest = Math.max(highest, Math.min(1, p * (tests.length - rank)));
    adjusted[i] = highest;
  });
  return adjusted;
}

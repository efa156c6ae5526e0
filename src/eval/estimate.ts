/** How sure a figure is: ratios of sums over documents or items, with their standard errors. */

/** A figure; its standard error is null where there is one document or item only. */
export interface Estimate {
  readonly value: number;
  readonly standard_error: number | null;
}

/** A document's or an item's share in both sums of a ratio. */
export type Part = readonly [numerator: number, denominator: number];

/**
 * sum(numerators) / sum(denominators), such as bits per byte over documents. The standard error is that of the ratio
 * estimator, from the residuals of each part (Cochran 1977, eq. 6.13; the delta method); where all denominators are 1,
 * it is the sample deviation over the root of n.
 */
export function ratio(parts: readonly Part[]): Estimate {
  const sum = (i: 0 | 1) => parts.reduce((total, part) => total + part[i], 0);
  const [n, whole] = [parts.length, sum(1)];
  const value = sum(0) / whole;
  if (n < 2) return { value, standard_error: null };
  const squares = parts.reduce((total, [up, down]) => total + (up - value * down) ** 2, 0);
  return { value, standard_error: Math.sqrt(squares * n / (n - 1)) / whole };
}

/** e to the mean, such as perplexity; the standard error by the delta method. */
export function exponential({ value, standard_error }: Estimate): Estimate {
  const e = Math.exp(value);
  return { value: e, standard_error: standard_error === null ? null : e * standard_error };
}

/** The mean of independent estimates, each counting the same. */
export function mean(estimates: readonly Estimate[]): Estimate {
  const n = estimates.length;
  const value = estimates.reduce((sum, estimate) => sum + estimate.value, 0) / n;
  if (estimates.some(({ standard_error }) => standard_error === null)) return { value, standard_error: null };
  return { value, standard_error: Math.hypot(...estimates.map((estimate) => estimate.standard_error!)) / n };
}

/** 97.5% of a normal distribution lie below. */
const NORMAL = 1.959964;

/** Of Student's t, by degrees of freedom from 1 (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2). */
// deno-fmt-ignore
const STUDENT = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
  2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048,
];

/** The interval that holds the true value in about 95 of 100 cases; `n`: documents. Null for one. */
export function interval({ value, standard_error }: Estimate, n: number): [low: number, high: number] | null {
  if (standard_error === null) return null;
  const half = (STUDENT[n - 2] ?? NORMAL) * standard_error; // few documents tell little of their own spread
  return [value - half, value + half];
}

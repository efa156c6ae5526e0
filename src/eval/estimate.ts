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

/** The interval that holds the true value in 95 of 100 cases, if there are many documents; null for one. */
export function interval({ value, standard_error }: Estimate): [low: number, high: number] | null {
  if (standard_error === null) return null;
  return [value - NORMAL * standard_error, value + NORMAL * standard_error];
}

/** A figure over items with its standard error, whatever the figure is: a mean, a ratio of sums, a corpus's BLEU. */

/** A figure and how far chance in the choice of items moves it. */
export interface Estimate {
  /** Null where no item gives one. */
  readonly value: number | null;
  /** One standard error over items; null for fewer than two. */
  readonly standard_error: number | null;
  /** Items that the figure is over. */
  readonly items: number;
}

/**
 * The jackknife (Efron and Stein 1981): from how the figure moves when each item is left out in turn. For a mean it is the
 * usual standard error, exactly.
 */
export function estimate<T>(
  items: readonly T[],
  figure: (items: readonly T[]) => number | null,
): Estimate {
  const value = items.length === 0 ? null : figure(items);
  const n = items.length;
  const without = n < 2 ? [] : items.map((_, i) => figure(items.toSpliced(i, 1)));
  const known = without.filter((one) => one !== null);
  if (value === null || n < 2 || known.length < n) return { value, standard_error: null, items: n };
  const centre = mean(known)!;
  const squares = known.reduce((sum, one) => sum + (one - centre) ** 2, 0);
  return { value, standard_error: Math.sqrt((n - 1) / n * squares), items: n };
}

/** The mean, or null of nothing. */
export function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

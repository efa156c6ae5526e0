/** The course of a curve over several runs: its mean, and how far the runs lie apart. */

import type { Interval } from "./charts/series.ts";
import type { Point } from "./charts/thinning.ts";

/** Columns that a long run is summed up in: about what a chart's width can show. */
const COLUMNS = 200;

/** The mean of several curves, and their lowest and highest; null in gaps, and where one curve is alone. */
export interface Course {
  readonly points: readonly Point[];
  readonly spread: readonly (Interval | null)[];
}

/**
 * The course of these curves. Values of neighbouring x are averaged within each curve before the curves are compared, where there
 * are more than `most` of them: the spread is that of the runs, not of the noise inside of each.
 */
export function courseOf(curves: readonly (readonly Point[])[], most = COLUMNS): Course {
  const xs = [...new Set(curves.flatMap((curve) => curve.map(([x]) => x)))].sort((a, b) => a - b);
  const columns = Math.min(xs.length, most);
  const column = new Map(xs.map((x, i) => [x, Math.floor(i * columns / xs.length)]));
  const means = curves.map((curve) => meansOf(curve, column));
  const points: Point[] = [];
  const spread: (Interval | null)[] = [];
  for (let i = 0; i < columns; i++) {
    const known = means.map((one) => one.get(i)).filter((mean) => mean !== undefined);
    if (known.length === 0) {
      points.push([xs[Math.floor(i * xs.length / columns)]!, null]);
      spread.push(null);
      continue;
    }
    const ys = known.map(([, y]) => y);
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    points.push([mean(known.map(([x]) => x)), mean(ys)]);
    spread.push(ys.length > 1 ? [Math.min(...ys), Math.max(...ys)] : null);
  }
  return { points, spread };
}

/** The curve's mean in each column in which it has a value. */
function meansOf(
  curve: readonly Point[],
  column: ReadonlyMap<number, number>,
): Map<number, [number, number]> {
  const sums = new Map<number, [x: number, y: number, n: number]>();
  for (const [x, y] of curve) {
    if (y === null) continue;
    const i = column.get(x)!;
    const sum = sums.get(i);
    if (sum === undefined) sums.set(i, [x, y, 1]);
    else [sum[0], sum[1], sum[2]] = [sum[0] + x, sum[1] + y, sum[2] + 1];
  }
  return new Map([...sums].map(([i, [x, y, n]]) => [i, [x / n, y / n]]));
}

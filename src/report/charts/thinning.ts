/** Fewer points that look the same: what a plot of a few hundred units can show of a long run. */

/** x and y; null where there is no value. */
export type Point = readonly [x: number, y: number | null];
/** A point that has a value. */
export type Known = readonly [x: number, y: number];

/** The stretches without a gap. */
export function segments(points: readonly Point[]): Known[][] {
  const pieces: Known[][] = [];
  let open: Known[] | null = null;
  for (const [x, y] of points) {
    if (y === null) {
      open = null;
      continue;
    }
    if (open === null) pieces.push(open = []);
    open.push([x, y]);
  }
  return pieces;
}

/**
 * At most four points in each half unit of x: the first, the lowest, the highest and the last. What is drawn
 * looks the same (Jugel et al. 2014, "M4"), and a page stays small however long the run was.
 */
export function thinned(piece: readonly Known[]): Known[] {
  return columnsOf(piece, 0.5).flatMap((column) => {
    let [lowest, highest] = [0, 0];
    column.forEach(([, y], i) => {
      if (y < column[lowest]![1]) lowest = i;
      if (y > column[highest]![1]) highest = i;
    });
    const chosen = [...new Set([0, lowest, highest, column.length - 1])].sort((a, b) => a - b);
    return chosen.map((i) => column[i]!);
  });
}

/** The means of the points in each four units of x: the course that a line has under its noise. */
export function averaged(piece: readonly Known[]): Known[] {
  const columns = columnsOf(piece, 4);
  // The last column may be cut short: the mean of a few points would look like a turn of the line.
  if (columns.length > 1) columns.at(-2)!.push(...columns.pop()!);
  return columns.map((column) => {
    const sums = column.reduce((sum, [x, y]) => [sum[0] + x, sum[1] + y] as const, [0, 0] as Known);
    return [sums[0] / column.length, sums[1] / column.length];
  });
}

/** The points cut where they enter the next column of this width. */
function columnsOf(piece: readonly Known[], width: number): Known[][] {
  const columns: Known[][] = [];
  let current = NaN;
  for (const point of piece) {
    const column = Math.floor(point[0] / width);
    if (column !== current) columns.push([]);
    columns.at(-1)!.push(point);
    current = column;
  }
  return columns;
}

/** The phases of a curriculum as a chart's bands, and in words. */

import type { Band } from "./charts/chart.ts";
import type { Arm } from "./collect.ts";
import type { Phase } from "./inputs.ts";

/** Metrics count steps from 1 and phases from 0: a phase's steps are those after `from` up to `to`. */
export function band({ from, to, weights }: Phase): Band {
  const heads = weights.flatMap((weight, i) => weight > 0 ? [i + 1] : []);
  if (heads.length === 0) return { from, to, labels: ["no head", "none"] };
  const short = rangesOf(heads);
  const long = `${heads.length === 1 ? "head" : "heads"} ${short}`;
  const trained = heads.map((head) => Number(weights[head - 1]!.toPrecision(3)));
  const labels = trained.every((weight) => weight === 1) ? [] : [`${long}, weights ${trained.join(", ")}`];
  return { from, to, labels: [...labels, long, short] };
}

/** `[1, 2, 3, 5]` is `1–3, 5`. */
function rangesOf(heads: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const head of heads) {
    const open = ranges.at(-1);
    if (open !== undefined && open[1] === head - 1) open[1] = head;
    else ranges.push([head, head]);
  }
  return ranges.map(([from, to]) => from === to ? `${from}` : `${from}–${to}`).join(", ");
}

/** `head 1 for steps 1 to 100; heads 1–2 for steps 101 to 200` */
export function phasesInWords(arm: Arm): string {
  return arm.phases.map((phase) => `${band(phase).labels[0]} for steps ${phase.from + 1} to ${phase.to}`)
    .join("; ");
}

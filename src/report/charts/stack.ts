/** Stacked horizontal bars as SVG text: one bar a group, made of parts, with its sum beside it. */

import { horizontalBars } from "./horizontal.ts";
import type { Markup } from "../markup.ts";
import type { ChartText } from "./svg.ts";

/** One bar: a length for each part, in their order (not negative), and the words behind the last. */
export interface Stack {
  readonly name: string;
  readonly lengths: readonly number[];
  readonly label: string;
}

export interface StackChart extends ChartText {
  /** What the axis measures, with its unit. */
  readonly axis: string;
  /** The parts' names, for the legend. */
  readonly parts: readonly string[];
  readonly stacks: readonly Stack[];
}

/**
 * Draws the chart.
 *
 * @throws {RangeError} when a length is negative or not finite
 */
export function stackChart({ parts, stacks, ...chart }: StackChart): Markup {
  return horizontalBars({
    ...chart,
    description: `${chart.description} ${summary(stacks, parts)}`,
    fills: parts,
    groups: stacks.map(({ name, lengths, label }) => ({
      name,
      rows: [{
        bars: lengths.map((length, fill) => ({ fill, length })).filter(({ length }) => length !== 0),
        label,
      }],
    })),
  });
}

function summary(stacks: readonly Stack[], parts: readonly string[]): string {
  return stacks.map(({ name, lengths, label }) => {
    const said = lengths.map((length, i) => `${parts[i] ?? ""} ${Number(length.toPrecision(3))}`);
    return `${name}: ${label} (${said.join(", ")}).`;
  }).join(" ");
}

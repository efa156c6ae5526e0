/** Grouped horizontal bars as SVG text: one group an arm, one bar a measure, each with its value beside it. */

import { horizontalBars } from "./horizontal.ts";
import type { Markup } from "../markup.ts";
import type { ChartText } from "./svg.ts";

/** One group: a value per measure, in their order. */
export interface BarGroup {
  readonly name: string;
  readonly bars: readonly Bar[];
}

/** A bar's length (not negative) and the words beside it; null has no bar, only the words. */
export interface Bar {
  readonly value: number | null;
  readonly label: string;
}

/** A chart of bars that all begin at 0. */
export interface BarChart extends ChartText {
  /** What the axis measures, with its unit. */
  readonly axis: string;
  /** The measures' names, for the legend. */
  readonly measures: readonly string[];
  readonly groups: readonly BarGroup[];
  /** A dashed line at this value, for comparison. */
  readonly reference?: number;
}

/**
 * Draws the chart.
 *
 * @throws {RangeError} when a value is negative or not finite
 */
export function barChart({ measures, groups, ...chart }: BarChart): Markup {
  return horizontalBars({
    ...chart,
    description: `${chart.description} ${summary(groups, measures)}`,
    fills: measures,
    groups: groups.map(({ name, bars }) => ({
      name,
      rows: bars.map(({ value, label }, fill) => ({
        bars: value === null ? [] : [{ fill, length: value }],
        label,
      })),
    })),
  });
}

function summary(groups: readonly BarGroup[], measures: readonly string[]): string {
  return groups.map(({ name, bars }) => {
    const said = bars.map(({ label }, i) => `${measures[i] ?? ""} ${label}`);
    return `${name}: ${said.join(", ")}.`;
  }).join(" ");
}

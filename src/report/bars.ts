/** Grouped horizontal bars as SVG text: one group an arm, one bar a measure, each with its value beside it. */

import {
  BAR,
  bar,
  GROUP_GAP,
  hatches,
  horizontalAxis,
  LABEL,
  NAME_ROW,
  SHORTEST,
  TOP,
} from "./horizontal.ts";
import { type Markup, markup } from "./markup.ts";
import { type ChartText, drawing, fitted, FONT, KEY, legend, px, textWidth, WIDTH } from "./svg.ts";
import { enclosingTicks } from "./ticks.ts";

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
export function barChart(chart: BarChart): Markup {
  const bars = chart.groups.flatMap((group) => group.bars);
  const values = bars.flatMap(({ value }) => value === null ? [] : [value]);
  const wrong = values.find((value) => !(value >= 0 && value < Infinity));
  if (wrong !== undefined) throw new RangeError(`Cannot draw "${chart.title}": a bar of length ${wrong}`);
  const longest = Math.max(...values, chart.reference ?? 0);
  const ticks = enclosingTicks(0, longest > SHORTEST ? longest : 1, 5);
  const right = WIDTH - Math.max(...bars.map(({ label }) => textWidth(fitted(label, LABEL))), 20) - 8;
  const at = (value: number): number => 1 + value / ticks.values.at(-1)! * (right - 1);

  const tops = [TOP];
  for (const group of chart.groups) tops.push(tops.at(-1)! + NAME_ROW + group.bars.length * BAR + GROUP_GAP);
  const bottom = tops.at(-1)!;
  const key = legend(
    chart.measures.map((name, i) => ({ name, sample: bar(chart.id, i, 0, -5, KEY, 10) })),
    bottom + 24,
  );
  return drawing(
    { ...chart, description: `${chart.description} ${summary(chart)}` },
    bottom + 26 + key.height,
    [
      hatches(chart.id, chart.measures.length),
      horizontalAxis(chart.axis, ticks, at, bottom, chart.reference),
      chart.groups.map((group, i) => drawGroup(chart, group, tops[i]!, at)),
      key.body,
    ],
  );
}

function drawGroup(chart: BarChart, group: BarGroup, top: number, at: (value: number) => number): Markup {
  return markup`<g class="group"><text class="halo" x="3" y="${px(top + 13)}">${
    fitted(group.name, WIDTH)
  }</text>${
    group.bars.map(({ value, label }, i) => {
      const y = top + NAME_ROW + i * BAR;
      return markup`${
        value !== null && bar(chart.id, i, 1, y, at(value) - 1, BAR - 3)
      }<text class="soft halo" x="${px((value === null ? 1 : at(value)) + 4)}" y="${
        px(y + BAR / 2 - 1.5 + FONT * 0.35)
      }">${fitted(label, LABEL)}</text>`;
    })
  }</g>
`;
}

function summary({ groups, measures }: BarChart): string {
  return groups.map(({ name, bars }) => {
    const said = bars.map(({ label }, i) => `${measures[i] ?? ""} ${label}`);
    return `${name}: ${said.join(", ")}.`;
  }).join(" ");
}

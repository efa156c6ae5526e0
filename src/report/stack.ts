/** Stacked horizontal bars as SVG text: one bar a group, made of parts, with its sum beside it. */

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
export function stackChart(chart: StackChart): Markup {
  const wrong = chart.stacks.flatMap(({ lengths }) => lengths).find((n) => !(n >= 0 && n < Infinity));
  if (wrong !== undefined) throw new RangeError(`Cannot draw "${chart.title}": a part of length ${wrong}`);
  const longest = Math.max(0, ...chart.stacks.map(({ lengths }) => sum(lengths)));
  const ticks = enclosingTicks(0, longest > SHORTEST ? longest : 1, 5);
  const right = WIDTH - Math.max(...chart.stacks.map(({ label }) => textWidth(fitted(label, LABEL))), 20) - 8;
  const at = (value: number): number => 1 + value / ticks.values.at(-1)! * (right - 1);
  const step = NAME_ROW + BAR + GROUP_GAP;
  const bottom = TOP + chart.stacks.length * step;
  const key = legend(
    chart.parts.map((name, i) => ({ name, sample: bar(chart.id, i, 0, -5, KEY, 10) })),
    bottom + 24,
  );
  return drawing(
    { ...chart, description: `${chart.description} ${summary(chart)}` },
    bottom + 26 + key.height,
    [
      hatches(chart.id, chart.parts.length),
      horizontalAxis(chart.axis, ticks, at, bottom),
      chart.stacks.map((stack, i) => drawStack(chart.id, stack, TOP + i * step, at)),
      key.body,
    ],
  );
}

function drawStack(
  id: string,
  { name, lengths, label }: Stack,
  top: number,
  at: (value: number) => number,
): Markup {
  const y = top + NAME_ROW;
  const ends = lengths.map((_, i) => sum(lengths.slice(0, i + 1)));
  return markup`<g class="group"><text class="halo" x="3" y="${px(top + 13)}">${fitted(name, WIDTH)}</text>${
    lengths.map((length, part) => {
      const from = at(ends[part]! - length);
      return length > 0 && bar(id, part, from, y, at(ends[part]!) - from, BAR - 3);
    })
  }<text class="soft halo" x="${px(at(sum(lengths)) + 4)}" y="${px(y + BAR / 2 - 1.5 + FONT * 0.35)}">${
    fitted(label, LABEL)
  }</text></g>
`;
}

const sum = (lengths: readonly number[]): number => lengths.reduce((total, length) => total + length, 0);

function summary({ stacks, parts }: StackChart): string {
  return stacks.map(({ name, lengths, label }) => {
    const said = lengths.map((length, i) => `${parts[i] ?? ""} ${Number(length.toPrecision(3))}`);
    return `${name}: ${label} (${said.join(", ")}).`;
  }).join(" ");
}

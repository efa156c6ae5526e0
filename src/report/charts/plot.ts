/** A plot with two axes: scales, ticks whose labels do not touch, the names and units beside them. */

import { type Markup, markup } from "../markup.ts";
import { fitted, FONT, px, textWidth, WIDTH } from "./svg.ts";
import { enclosingTicks, linearTicks, logTicks, type Ticks } from "./ticks.ts";

/** What an axis measures, with its unit, and a range that it covers whatever the data. */
export interface Axis {
  readonly label: string;
  readonly range?: readonly [low: number, high: number];
}

/** An axis laid out: where a value lies, and the ticks. */
export interface Scale {
  at(value: number): number;
  readonly ticks: Ticks;
}

/** The rectangle between the axes, in the chart's units. */
export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Where a plot ends on the right: half of a tick's label has room behind it. */
export const RIGHT = WIDTH - 8;
/** From the bottom of a plot to the end of what stands below its x axis. */
export const BELOW = 40;

/** The lowest and the highest of the values; null where there is none. */
export function rangeOf(values: readonly number[]): [low: number, high: number] | null {
  if (values.length === 0) return null;
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return [low, high];
}

/** The range with some room where it is a single value, so that a scale can be made of it. */
function opened([low, high]: readonly [number, number]): [number, number] {
  const magnitude = Math.max(Math.abs(low), Math.abs(high));
  if (magnitude < 1e-300) return [low - 0.5, high + 0.5]; // 0, or so little that it cannot be divided further
  if (high - low > magnitude * 1e-6) return [low, high];
  const room = magnitude * 0.1;
  return [low - room, high + room];
}

/** An upright axis that begins and ends with a tick. */
export function uprightScale(range: readonly [number, number], { top, bottom }: Omit<Box, "left">): Scale {
  const ticks = enclosingTicks(...opened(range), 5);
  return { at: between([ticks.values[0]!, ticks.values.at(-1)!], bottom, top), ticks };
}

/** An upright logarithmic axis; the range is above 0. */
export function logScale(range: readonly [number, number], { top, bottom }: Omit<Box, "left">): Scale {
  const [low, high] = opened(range);
  const log = between([Math.log(low / 1.05), Math.log(high * 1.05)], bottom, top);
  return { at: (value) => log(Math.log(value)), ticks: logTicks(low / 1.05, high * 1.05) };
}

/** A level axis that begins and ends with the range, whether or not there are ticks at its ends. */
export function levelScale(range: readonly [number, number], { left, right }: Box): Scale {
  const [low, high] = opened(range);
  return { at: between([low, high], left, right), ticks: linearTicks(low, high, 6) };
}

/** A level axis that has its ticks at these values only, in increasing order. */
export function tickedScale(
  range: readonly [number, number],
  values: readonly number[],
  { left, right }: Box,
): Scale {
  return { at: between(range, left, right), ticks: { values, labels: values.map(String) } };
}

/** The linear map of a range onto the chart's units. */
function between(
  [low, high]: readonly [number, number],
  from: number,
  to: number,
): (value: number) => number {
  return (value) => from + (value - low) / (high - low) * (to - from);
}

/** Where a plot begins on the left, so that the labels of its upright axis have room. */
export function leftOf({ ticks }: Scale): number {
  return Math.ceil(Math.max(...ticks.labels.map((label) => textWidth(label)))) + 8;
}

/** Grid, ticks, and the axes' names: the upright one's above the plot, the level one's below. */
export function drawAxes(
  names: { readonly x: string; readonly y: string },
  x: Scale,
  y: Scale,
  { left, right, top, bottom }: Box,
): Markup {
  return markup`<text class="soft" x="0" y="30">${fitted(names.y, WIDTH)}</text>
<g>${y.ticks.values.map((value, i) => yTick(y.at(value), y.ticks.labels[i]!, left, right))}</g>
<g>${shownTicks(x).map((tick) => xTick(tick, bottom))}</g>
<path class="axis" d="M${px(left)} ${px(top)}V${px(bottom)}H${px(right)}"/>
<text class="soft" x="${px((left + right) / 2)}" y="${px(bottom + 32)}" text-anchor="middle">${
    fitted(names.x, right - left)
  }</text>
`;
}

function yTick(at: number, label: string, left: number, right: number): Markup {
  return markup`<line class="grid" x1="${px(left)}" x2="${px(right)}" y1="${px(at)}" y2="${
    px(at)
  }"/><text class="soft" x="${px(left - 5)}" y="${px(at + FONT * 0.35)}" text-anchor="end">${label}</text>
`;
}

/** A tick of the level axis: where it is, and where its label has its middle. */
interface Tick {
  readonly at: number;
  readonly middle: number;
  readonly label: string;
}

/** Ticks whose labels do not touch the one before; the last label stays inside of the drawing. */
function shownTicks(x: Scale): Tick[] {
  const shown: Tick[] = [];
  let free = 0;
  x.ticks.values.forEach((value, i) => {
    const label = x.ticks.labels[i]!;
    const [at, half] = [x.at(value), textWidth(label) / 2];
    const middle = Math.min(at, WIDTH - half);
    if (middle - half < free) return;
    shown.push({ at, middle, label });
    free = middle + half + 6;
  });
  return shown;
}

function xTick({ at, middle, label }: Tick, bottom: number): Markup {
  return markup`<line class="axis" x1="${px(at)}" x2="${px(at)}" y1="${px(bottom)}" y2="${
    px(bottom + 4)
  }"/><text class="soft" x="${px(middle)}" y="${px(bottom + 16)}" text-anchor="middle">${label}</text>
`;
}

/**
 * Line charts as SVG text: axes with units, shaded phases, gaps, a legend below that covers nothing. The same
 * input gives the same bytes.
 */

import { type Markup, markup } from "./markup.ts";
import { type ChartText, drawing, fitted, FONT, KEY, legend, px, STYLES, textWidth, WIDTH } from "./svg.ts";
import { enclosingTicks, linearTicks, logTicks, type Ticks } from "./ticks.ts";

/** One line. Points come in increasing x; a null y is a gap; a point between gaps is a dot. */
export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** Colour and dash; the position among the chart's series unless told. */
  readonly style?: number;
}

/** x and y; null where there is no value. */
export type Point = readonly [x: number, y: number | null];

/** A shaded stretch of the x axis with a label above the plot: the longest of `labels` that fits, or none. */
export interface Band {
  readonly from: number;
  readonly to: number;
  readonly labels: readonly string[];
}

/** What an axis measures, with its unit, and a range that it covers whatever the data. */
export interface Axis {
  readonly label: string;
  readonly range?: readonly [low: number, high: number];
}

/** A chart of lines over a common x axis. */
export interface LineChart extends ChartText {
  readonly x: Axis;
  /** `log`: a logarithmic scale. */
  readonly y: Axis & { readonly log?: boolean };
  readonly series: readonly Series[];
  readonly bands?: readonly Band[];
}

/** An axis laid out: where a value lies, and the ticks. */
interface Scale {
  at(value: number): number;
  readonly ticks: Ticks;
}

/** A tick of the x axis: where it is, and where its label has its middle. */
interface Tick {
  readonly at: number;
  readonly middle: number;
  readonly label: string;
}

const PLOT_HEIGHT = 190;
const RIGHT = WIDTH - 8;
/** Series of at most this many points show each of them as a dot. */
const DOTTED = 32;
/** Series of more points than this are drawn as means, with all points faint behind: their noise would fill the plot. */
const DENSE = 250;

/**
 * Draws the chart.
 *
 * @throws {RangeError} when the y axis is logarithmic and a value, or the range, is not above 0
 */
export function lineChart(chart: LineChart): Markup {
  const bands = chart.bands ?? [];
  const top = 14 + 20 + (bands.length > 0 ? 18 : 6);
  const bottom = top + PLOT_HEIGHT;
  const y = yScale(chart, bottom, top);
  const left = Math.ceil(Math.max(...y.ticks.labels.map((label) => textWidth(label)))) + 8;
  const x = xScale(chart, left, RIGHT);
  const key = legend(chart.series.map(entry), bottom + 40);
  const body = [
    bands.map((band, i) => drawBand(band, i, x, top, bottom)),
    drawAxes(chart, x, y, left, top, bottom),
    chart.series.map((series, i) => drawSeries(series, styleOf(series, i), x, y)),
    key.body,
  ];
  return drawing(
    { ...chart, description: `${chart.description} ${summary(chart.series)}` },
    bottom + 42 + key.height,
    body,
  );
}

/** The smallest and largest of the series' values; null where there is none. */
export function extent(series: readonly Series[]): [low: number, high: number] | null {
  return spread(series.flatMap(({ points }) => points.flatMap(([, y]) => y === null ? [] : [y])));
}

function spread(values: readonly number[]): [low: number, high: number] | null {
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

function yScale({ title, series, y }: LineChart, from: number, to: number): Scale {
  const values = [...extent(series) ?? [], ...y.range ?? []];
  const range = spread(values) ?? [0, 1];
  if (!y.log) {
    const ticks = enclosingTicks(...opened(range), 5);
    return { at: between([ticks.values[0]!, ticks.values.at(-1)!], from, to), ticks };
  }
  if (range[0] <= 0) {
    throw new RangeError(`Cannot draw "${title}" on a logarithmic axis: it has the value ${range[0]}`);
  }
  const [low, high] = opened(range);
  const log = between([Math.log(low / 1.05), Math.log(high * 1.05)], from, to);
  return { at: (value) => log(Math.log(value)), ticks: logTicks(low / 1.05, high * 1.05) };
}

function xScale({ series, bands, x }: LineChart, from: number, to: number): Scale {
  const values = series.flatMap(({ points }) => points.map(([x]) => x));
  const ends = (bands ?? []).flatMap((band) => [band.from, band.to]);
  const range = opened(spread([...values, ...ends, ...x.range ?? []]) ?? [0, 1]);
  return { at: between(range, from, to), ticks: linearTicks(...range, 6) };
}

/** The linear map of a range onto pixels. */
function between(
  [low, high]: readonly [number, number],
  from: number,
  to: number,
): (value: number) => number {
  return (value) => from + (value - low) / (high - low) * (to - from);
}

function drawBand(band: Band, index: number, x: Scale, top: number, bottom: number): Markup {
  const [from, to] = [x.at(band.from), x.at(band.to)];
  const label = band.labels.find((label) => textWidth(label) <= to - from - 2) ?? "";
  return markup`<g class="band"><title>${band.labels[0] ?? ""}</title><rect class="band-${index % 2}" x="${
    px(from)
  }" y="${px(top - 16)}" width="${px(to - from)}" height="${px(bottom - top + 16)}"/>${
    label !== "" &&
    markup`<text class="soft" x="${px((from + to) / 2)}" y="${
      px(top - 5)
    }" text-anchor="middle">${label}</text>`
  }</g>
`;
}

function drawAxes(chart: LineChart, x: Scale, y: Scale, left: number, top: number, bottom: number): Markup {
  const middle = (left + RIGHT) / 2;
  return markup`<text class="soft" x="0" y="30">${fitted(chart.y.label, WIDTH)}</text>
<g>${y.ticks.values.map((value, i) => yTick(y.at(value), y.ticks.labels[i]!, left))}</g>
<g>${shownTicks(x).map((tick) => xTick(tick, bottom))}</g>
<path class="axis" d="M${px(left)} ${px(top)}V${px(bottom)}H${px(RIGHT)}"/>
<text class="soft" x="${px(middle)}" y="${px(bottom + 32)}" text-anchor="middle">${
    fitted(chart.x.label, RIGHT - left)
  }</text>
`;
}

function yTick(at: number, label: string, left: number): Markup {
  return markup`<line class="grid" x1="${px(left)}" x2="${px(RIGHT)}" y1="${px(at)}" y2="${
    px(at)
  }"/><text class="soft" x="${px(left - 5)}" y="${px(at + FONT * 0.35)}" text-anchor="end">${label}</text>
`;
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

function styleOf(series: Series, index: number): number {
  return (series.style ?? index) % STYLES;
}

function drawSeries(series: Series, style: number, x: Scale, y: Scale): Markup {
  const pieces = segments(series.points)
    .map((piece) => piece.map((point): Known => [x.at(point[0]), y.at(point[1])]));
  const lines = pieces.filter((piece) => !isSingle(piece));
  const dots = series.points.length <= DOTTED ? pieces.flat() : pieces.filter(isSingle).flat();
  const dense = series.points.length > DENSE;
  return markup`<g class="series"><title>${series.name}</title>${
    dense && drawLine(`line-${style} faint`, lines.map(thinned))
  }${drawLine(`line-${style}`, lines.map(dense ? averaged : thinned))}${
    dots.map(([x, y]) => markup`<circle class="fill-${style}" cx="${px(x)}" cy="${px(y)}" r="2"/>`)
  }</g>
`;
}

function drawLine(className: string, pieces: readonly (readonly Known[])[]): Markup | null {
  if (pieces.length === 0) return null;
  const path = pieces.map((piece) =>
    piece.map(([x, y], i) => `${i === 0 ? "M" : "L"}${px(x)} ${px(y)}`).join("")
  );
  return markup`<path class="line ${className}" d="${path.join("")}"/>`;
}

/** A point that has a value. */
type Known = readonly [x: number, y: number];

const isSingle = (piece: readonly Known[]): boolean => piece.length === 1;

/** The stretches without a gap. */
function segments(points: readonly Point[]): Known[][] {
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
function thinned(piece: readonly Known[]): Known[] {
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
function averaged(piece: readonly Known[]): Known[] {
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

function entry(series: Series, index: number): { name: string; sample: Markup } {
  const style = styleOf(series, index);
  const empty = series.points.every(([, y]) => y === null);
  return {
    name: empty ? `${series.name} (no values)` : series.name,
    sample: markup`<path class="line line-${style}" d="M0 0H${KEY}"/>`,
  };
}

/** First and last value of each series, for readers who cannot see the lines. */
function summary(series: readonly Series[]): string {
  return series.map(({ name, points }) => {
    const known = points.filter(([, y]) => y !== null);
    const [first, last] = [known[0], known.at(-1)];
    if (first === undefined || last === undefined) return `${name}: no values.`;
    return `${name}: ${say(first)} to ${say(last)}.`;
  }).join(" ");
}

function say([x, y]: Point): string {
  return `${Number(y!.toPrecision(4))} at ${x}`;
}

/** The lines of a chart: gaps where there are no values, a mean over the noise of long runs, the spread over several runs. */

import { type Markup, markup } from "../markup.ts";
import { rangeOf, type Scale } from "./plot.ts";
import { KEY, px, STYLES } from "./svg.ts";
import { averaged, type Known, type Point, segments, thinned } from "./thinning.ts";

/** One line. Points come in increasing x; a null y is a gap; a point between gaps is a dot. */
export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** Colour and dash; the position among the chart's series unless told. */
  readonly style?: number;
  /** How far the runs lie apart whose mean the points are: one for each point, null where nothing says. */
  readonly spread?: readonly (Interval | null)[];
}

/** From the lowest to the highest. */
export type Interval = readonly [low: number, high: number];

/** Series of at most this many points show each of them as a dot. */
const DOTTED = 32;
/** Series of more points than this are drawn as means, with all points faint behind: their noise would fill the plot. */
const DENSE = 250;
/** Points of so few places have upright bars for their spread; more have a shaded area. */
const BARS = 8;

/** The smallest and largest of the series' values, spread included; null where there is none. */
export function extent(series: readonly Series[]): [low: number, high: number] | null {
  return rangeOf(series.flatMap(({ points, spread = [] }) => [
    ...points.flatMap(([, y]) => y === null ? [] : [y]),
    ...spread.flatMap((interval) => interval ?? []),
  ]));
}

/** Colour and dash of the series at this place. */
export function styleOf(series: Series, index: number): number {
  return (series.style ?? index) % STYLES;
}

/** The line with its dots, and its spread behind it. */
export function drawSeries(series: Series, style: number, x: Scale, y: Scale): Markup {
  const pieces = segments(series.points)
    .map((piece) => piece.map((point): Known => [x.at(point[0]), y.at(point[1])]));
  const lines = pieces.filter((piece) => !isSingle(piece));
  const dots = series.points.length <= DOTTED ? pieces.flat() : pieces.filter(isSingle).flat();
  const dense = series.points.length > DENSE;
  return markup`<g class="series"><title>${series.name}</title>${drawSpread(series, style, x, y)}${
    dense && drawLine(`line-${style} faint`, lines.map(thinned))
  }${drawLine(`line-${style}`, lines.map(dense ? averaged : thinned))}${
    dots.map(([x, y]) => markup`<circle class="fill-${style}" cx="${px(x)}" cy="${px(y)}" r="2"/>`)
  }</g>
`;
}

function drawSpread({ points, spread = [] }: Series, style: number, x: Scale, y: Scale): Markup | null {
  if (spread.every((interval) => interval === null)) return null;
  if (points.length <= BARS) {
    const bars = points.flatMap(([at], i) => {
      const interval = spread[i] ?? null;
      if (interval === null) return [];
      const [low, high] = interval;
      return [`M${px(x.at(at))} ${px(y.at(low))}V${px(y.at(high))}`];
    });
    return markup`<path class="axis edge-${style}" d="${bars.join("")}"/>`;
  }
  const side = (end: 0 | 1): Known[][] =>
    segments(points.map(([at], i): Point => [at, spread[i]?.[end] ?? null]))
      .map((piece) => piece.map(([at, value]) => [x.at(at), y.at(value)]));
  const highs = side(1);
  const areas = side(0).map((low, i) => `${path([...highs[i]!, ...low.toReversed()])}Z`);
  return markup`<path class="area fill-${style}" d="${areas.join("")}"/>`;
}

function drawLine(className: string, pieces: readonly (readonly Known[])[]): Markup | null {
  if (pieces.length === 0) return null;
  return markup`<path class="line ${className}" d="${pieces.map(path).join("")}"/>`;
}

function path(piece: readonly Known[]): string {
  return piece.map(([x, y], i) => `${i === 0 ? "M" : "L"}${px(x)} ${px(y)}`).join("");
}

const isSingle = (piece: readonly Known[]): boolean => piece.length === 1;

/** The series in the legend. */
export function entry(series: Series, index: number): { name: string; sample: Markup } {
  const style = styleOf(series, index);
  const empty = series.points.every(([, y]) => y === null);
  return {
    name: empty ? `${series.name} (no values)` : series.name,
    sample: markup`<path class="line line-${style}" d="M0 0H${KEY}"/>`,
  };
}

/** First and last value of each series, for readers who cannot see the lines. */
export function summary(series: readonly Series[]): string {
  return series.map(({ name, points }) => {
    const known = points.filter(([, y]) => y !== null);
    const [first, last] = [known[0], known.at(-1)];
    if (first === undefined || last === undefined) return `${name}: no values.`;
    return `${name}: ${say(first)} to ${say(last)}.`;
  }).join(" ");
}

function say([x, y]: Point): string {
  return `${Number(y!.toPrecision(4))} at ${Number(x.toPrecision(6))}`;
}

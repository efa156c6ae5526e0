/**
 * Line charts as SVG text: axes with units, shaded phases, gaps, a legend below that covers nothing. The same
 * input gives the same bytes.
 */

import { type Markup, markup } from "../markup.ts";
import {
  type Axis,
  BELOW,
  type Box,
  drawAxes,
  leftOf,
  levelScale,
  logScale,
  rangeOf,
  RIGHT,
  type Scale,
  tickedScale,
  uprightScale,
} from "./plot.ts";
import { drawSeries, entry, extent, type Series, styleOf, summary } from "./series.ts";
import { type ChartText, drawing, legend, px, textWidth } from "./svg.ts";

/** A shaded stretch of the x axis with a label above the plot: the longest of `labels` that fits, or none. */
export interface Band {
  readonly from: number;
  readonly to: number;
  readonly labels: readonly string[];
}

/** A chart of lines over a common x axis. */
export interface LineChart extends ChartText {
  /** `ticks`: the only values that have one, in increasing order. */
  readonly x: Axis & { readonly ticks?: readonly number[] };
  /** `log`: a logarithmic scale. `cut`: the axis has its range whatever the data; what lies outside is cut off. */
  readonly y: Axis & { readonly log?: boolean; readonly cut?: boolean };
  readonly series: readonly Series[];
  readonly bands?: readonly Band[];
}

const PLOT_HEIGHT = 190;

/**
 * Draws the chart.
 *
 * @throws {RangeError} when the y axis is logarithmic and a value, or the range, is not above 0
 */
export function lineChart(chart: LineChart): Markup {
  const bands = chart.bands ?? [];
  const top = 14 + 20 + (bands.length > 0 ? 18 : 6);
  const frame = { right: RIGHT, top, bottom: top + PLOT_HEIGHT };
  const y = yScale(chart, frame);
  const box = { ...frame, left: leftOf(y) };
  const x = xScale(chart, box);
  const key = legend(chart.series.map(entry), box.bottom + BELOW);
  const lines = chart.series.map((series, i) => drawSeries(series, styleOf(series, i), x, y));
  return drawing(
    { ...chart, description: `${chart.description} ${summary(chart.series)}` },
    box.bottom + BELOW + 2 + key.height,
    [
      bands.map((band, i) => drawBand(band, i, x, box)),
      drawAxes({ x: chart.x.label, y: chart.y.label }, x, y, box),
      chart.y.cut ? inside(chart.id, box, lines) : lines,
      key.body,
    ],
  );
}

function yScale({ title, series, y }: LineChart, frame: Omit<Box, "left">): Scale {
  if (y.cut && y.range) return uprightScale(y.range, frame);
  const range = rangeOf([...extent(series) ?? [], ...y.range ?? []]) ?? [0, 1];
  if (!y.log) return uprightScale(range, frame);
  if (range[0] <= 0) {
    throw new RangeError(`Cannot draw "${title}" on a logarithmic axis: it has the value ${range[0]}`);
  }
  return logScale(range, frame);
}

function xScale({ series, bands, x }: LineChart, box: Box): Scale {
  const values = series.flatMap(({ points }) => points.map(([x]) => x));
  const ends = (bands ?? []).flatMap((band) => [band.from, band.to]);
  const range = rangeOf([...values, ...ends, ...x.range ?? []]) ?? [0, 1];
  return x.ticks === undefined ? levelScale(range, box) : tickedScale(range, x.ticks, box);
}

/** Cuts off what lies outside of the plot; dots on its edge are whole. */
function inside(id: string, { left, right, top, bottom }: Box, lines: readonly Markup[]): Markup {
  const [width, height] = [right - left + 6, bottom - top + 6];
  return markup`<clipPath id="${id}-plot"><rect x="${px(left - 3)}" y="${px(top - 3)}" width="${
    px(width)
  }" height="${px(height)}"/></clipPath><g clip-path="url(#${id}-plot)">${lines}</g>`;
}

function drawBand(band: Band, index: number, x: Scale, { top, bottom }: Box): Markup {
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

/** Scatter plots of groups of points as SVG text: each group's mean with its spread and its name beside it, and the Pareto front. */

import { type Obstacle, placeLabels, type Placement } from "./labels.ts";
import { type Markup, markup } from "../markup.ts";
import { mark } from "./marks.ts";
import {
  type Axis,
  BELOW,
  type Box,
  drawAxes,
  leftOf,
  levelScale,
  rangeOf,
  RIGHT,
  type Scale,
  uprightScale,
} from "./plot.ts";
import { type ChartText, drawing, KEY, legend, px } from "./svg.ts";

/** Points of one kind, and their mean. */
export interface Group {
  readonly name: string;
  /** Shape and colour. */
  readonly style: number;
  readonly points: readonly { readonly name: string; readonly x: number; readonly y: number }[];
  /** The mean, and the standard deviation each way where there are several points. */
  readonly mean: Mean;
  /** Whether its name stands beside it. */
  readonly labelled: boolean;
}

/** A mean of points. */
export interface Mean {
  readonly x: number;
  readonly y: number;
  readonly sd: { readonly x: number; readonly y: number } | null;
}

/** Less is better on the level axis, more on the upright one. */
export interface ScatterPlot extends ChartText {
  readonly x: Axis;
  readonly y: Axis;
  readonly groups: readonly Group[];
  /** A dashed line across the plot at this height, for comparison. */
  readonly reference?: number;
  /** What a point and a spread are, in the legend. */
  readonly words: { readonly point: string; readonly mean: string };
}

const PLOT_HEIGHT = 260;
/** Radius of a mean's mark and of a point's. */
const LARGE = 5, SMALL = 2.6;

/** Draws the plot. */
export function scatterPlot(plot: ScatterPlot): Markup {
  const frame = { right: RIGHT, top: 40, bottom: 40 + PLOT_HEIGHT };
  const heights = rangeOf([...covered(plot.groups, "y"), ...plot.y.range ?? []]) ?? [0, 1];
  const y = uprightScale([heights[0], widened(heights, 0.04)[1]], frame);
  const box = { ...frame, left: leftOf(y) };
  const x = levelScale(
    widened(rangeOf([...covered(plot.groups, "x"), ...plot.x.range ?? []]) ?? [0, 1]),
    box,
  );
  const front = frontOf(plot.groups);
  const steps = frontSteps(front, x, y, box);
  const labels = labelsOf(plot.groups.filter(({ labelled }) => labelled), steps, x, y, box);
  const key = legend(entriesOf(plot, front), box.bottom + BELOW);
  return drawing(
    { ...plot, description: `${plot.description} ${summary(plot.groups, front)}` },
    box.bottom + BELOW + 2 + key.height,
    [
      drawAxes({ x: plot.x.label, y: plot.y.label }, x, y, box),
      plot.reference !== undefined &&
      markup`<line class="reference" x1="${px(box.left)}" x2="${px(box.right)}" y1="${
        px(y.at(plot.reference))
      }" y2="${px(y.at(plot.reference))}"/>`,
      markup`<path class="front" d="${
        steps.map(([x, y], i) => `${i === 0 ? "M" : "L"}${px(x)} ${px(y)}`).join("")
      }"/>
`,
      plot.groups.map((group) => drawPoints(group, x, y)),
      plot.groups.map((group) => drawMean(group, front.includes(group), x, y)),
      labels,
      key.body,
    ],
  );
}

/** Everything that the axis has to reach. */
function covered(groups: readonly Group[], axis: "x" | "y"): number[] {
  return groups.flatMap(({ points, mean }) => {
    const sd = mean.sd?.[axis] ?? 0;
    return [...points.map((point) => point[axis]), mean[axis] - sd, mean[axis] + sd];
  });
}

/** Room at the ends, so that marks and labels have some. */
function widened([low, high]: readonly [number, number], share = 0.12): [number, number] {
  const room = Math.max(high - low, Math.abs(high) * 0.002) * share;
  return [low - room, high + room];
}

/** Groups whose mean no other's beats: none has less x and at least as much y, or more y and at most as much x; by x. */
export function frontOf(groups: readonly Group[]): Group[] {
  const beats = ({ mean: a }: Group, { mean: b }: Group) =>
    a.x <= b.x && a.y >= b.y && (a.x < b.x || a.y > b.y);
  return groups.filter((group) => !groups.some((other) => beats(other, group)))
    .sort((a, b) => a.mean.x - b.mean.x);
}

/** The best height that is reached at each x or less: from the bottom up to the first mean, then a step at each. */
function frontSteps(front: readonly Group[], x: Scale, y: Scale, { right, bottom }: Box): [number, number][] {
  let height = bottom;
  const steps = front.flatMap(({ mean }): [number, number][] => {
    const [at, from] = [x.at(mean.x), height];
    height = y.at(mean.y);
    return [[at, from], [at, height]];
  });
  return steps.length === 0 ? [] : [...steps, [right, height]];
}

function drawPoints({ name, style, points }: Group, x: Scale, y: Scale): Markup | null {
  if (points.length < 2) return null; // the mean is the point
  return markup`<g class="points"><title>${name}</title>${
    points.map((point) => mark(style, x.at(point.x), y.at(point.y), SMALL, `fill-${style}`))
  }</g>
`;
}

/** Filled on the front, hollow behind it. */
function drawMean({ name, style, mean }: Group, onFront: boolean, x: Scale, y: Scale): Markup {
  const [atX, atY] = [x.at(mean.x), y.at(mean.y)];
  const bars = mean.sd &&
    `M${px(x.at(mean.x - mean.sd.x))} ${px(atY)}H${px(x.at(mean.x + mean.sd.x))}M${px(atX)} ${
      px(y.at(mean.y - mean.sd.y))
    }V${px(y.at(mean.y + mean.sd.y))}`;
  return markup`<g class="mean"><title>${name}: ${said(mean)}</title>${
    bars && markup`<path class="error edge-${style}" d="${bars}"/>`
  }${mark(style, atX, atY, LARGE, onFront ? `edge-${style} fill-${style}` : `hollow edge-${style}`)}</g>
`;
}

function labelsOf(
  groups: readonly Group[],
  steps: readonly (readonly [number, number])[],
  x: Scale,
  y: Scale,
  box: Box,
): Markup[] {
  const points = groups.map(({ name, mean }) => ({ x: x.at(mean.x), y: y.at(mean.y), text: name }));
  const around = (x: number, y: number, radius: number, weight: number): Obstacle => ({
    box: { left: x - radius, right: x + radius, top: y - radius, bottom: y + radius },
    weight,
  });
  const between = (x1: number, y1: number, x2: number, y2: number, weight: number): Obstacle => ({
    box: {
      left: Math.min(x1, x2) - 1,
      right: Math.max(x1, x2) + 1,
      top: Math.min(y1, y2) - 1,
      bottom: Math.max(y1, y2) + 1,
    },
    weight,
  });
  const obstacles = [
    ...groups.flatMap(({ mean, points }) => {
      const [atX, atY] = [x.at(mean.x), y.at(mean.y)];
      const sd = mean.sd ?? { x: 0, y: 0 };
      return [
        around(atX, atY, LARGE + 1, 3000),
        between(x.at(mean.x - sd.x), atY, x.at(mean.x + sd.x), atY, 40),
        between(atX, y.at(mean.y - sd.y), atX, y.at(mean.y + sd.y), 40),
        ...points.map((point) => around(x.at(point.x), y.at(point.y), SMALL, 150)),
      ];
    }),
    ...steps.slice(1).map(([x2, y2], i) => between(...steps[i]!, x2, y2, 40)),
  ];
  return placeLabels(points, box, obstacles).map((place, i) => drawLabel(place, groups[i]!.name));
}

function drawLabel({ x, y, anchor, leader }: Placement, name: string): Markup {
  return markup`${
    leader &&
    markup`<line class="leader" x1="${px(leader[0][0])}" y1="${px(leader[0][1])}" x2="${
      px(leader[1][0])
    }" y2="${px(leader[1][1])}"/>`
  }<text class="halo label" x="${px(x)}" y="${px(y)}" text-anchor="${anchor}">${name}</text>
`;
}

function entriesOf(
  { groups, words }: ScatterPlot,
  front: readonly Group[],
): { name: string; sample: Markup }[] {
  const several = groups.some(({ points }) => points.length > 1);
  const middle = KEY / 2;
  const unlabelled = groups.filter(({ labelled }) => !labelled);
  const styles = [...new Map(unlabelled.map(({ style, name }) => [style, name]))];
  return [
    ...(several
      ? [
        {
          name: words.mean,
          sample: markup`<g><path class="error edge-6" d="M5 0H25M15 -6V6"/>${
            mark(0, middle, 0, LARGE, "edge-6 fill-6")
          }</g>`,
        },
        {
          name: words.point,
          sample: markup`<g class="points">${mark(0, middle, 0, SMALL, "fill-6")}</g>`,
        },
      ]
      : []),
    {
      name: front.length < groups.length ? "Pareto front (hollow: behind it)" : "Pareto front",
      sample: markup`<path class="front" d="M0 4H15V-4H30"/>`,
    },
    ...styles.map(([style, name]) => ({
      name,
      sample: mark(style, middle, 0, LARGE, `edge-${style} fill-${style}`),
    })),
  ];
}

function said({ x, y, sd }: Mean): string {
  const text = (value: number, deviation: number | undefined) =>
    `${Number(value.toPrecision(4))}${
      deviation === undefined ? "" : ` ± ${Number(deviation.toPrecision(2))}`
    }`;
  return `x ${text(x, sd?.x)}, y ${text(y, sd?.y)}`;
}

function summary(groups: readonly Group[], front: readonly Group[]): string {
  const all = groups.map(({ name, mean }) => `${name}: ${said(mean)}.`).join(" ");
  return `${all} On the Pareto front: ${front.map(({ name }) => name).join(", ")}.`;
}

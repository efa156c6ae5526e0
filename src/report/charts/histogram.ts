/** A histogram as SVG text: upright columns side by side, with the bins' bounds below. */

import { type Markup, markup } from "../markup.ts";
import { count } from "../numbers.ts";
import { type ChartText, drawing, fitted, px, textWidth, WIDTH } from "./svg.ts";
import { enclosingTicks } from "./ticks.ts";

/** Bins in increasing order: what is counted from `from` on, up to the next bin. */
export interface Histogram extends ChartText {
  /** What is counted, and along what: the words above the drawing. */
  readonly axis: string;
  readonly bins: readonly { readonly from: number; readonly count: number }[];
}

const TOP = 42;
const HEIGHT = 150;
const GAP = 1;

/** Draws the histogram. A bin that has anything is seen. */
export function histogram(chart: Histogram): Markup {
  const ticks = enclosingTicks(0, Math.max(1, ...chart.bins.map((bin) => bin.count)), 4);
  const left = Math.max(...ticks.labels.map((label) => textWidth(label))) + 6;
  const step = (WIDTH - left) / Math.max(1, chart.bins.length);
  const [bottom, most] = [TOP + HEIGHT, ticks.values.at(-1)!];
  const up = (value: number) => value / most * HEIGHT;
  const columns = chart.bins.map((bin, i) => {
    const height = bin.count === 0 ? 0 : Math.max(1, up(bin.count));
    return markup`<rect class="fill-0" x="${px(left + i * step + GAP / 2)}" y="${
      px(bottom - height)
    }" width="${px(Math.max(1, step - GAP))}" height="${px(height)}"/>`;
  });
  const said = chart.bins.map((bin) => `from ${count(bin.from)}: ${count(bin.count)}`).join(", ");
  return drawing({ ...chart, description: `${chart.description} ${said}.` }, bottom + 20, [
    markup`<text class="soft" x="0" y="30">${fitted(chart.axis, WIDTH)}</text>
`,
    ticks.values.map((value, i) => {
      const y = px(bottom - up(value));
      return markup`<line class="grid" x1="${
        px(left)
      }" x2="${WIDTH}" y1="${y}" y2="${y}"/><text class="soft" x="${px(left - 4)}" y="${
        px(bottom - up(value) + 4)
      }" text-anchor="end">${ticks.labels[i]!}</text>
`;
    }),
    columns,
    bounds(chart, left, step, bottom),
  ]);
}

/** Where bins begin; of narrow bins every second, third, ... is told. */
function bounds({ bins }: Histogram, left: number, step: number, bottom: number): Markup[] {
  const widest = Math.max(0, ...bins.map((bin) => textWidth(count(bin.from)))) + 6;
  const stride = Math.ceil(widest / step);
  return bins.flatMap((bin, i) =>
    i % stride > 0 ? [] : [
      markup`<text class="soft" x="${px(left + i * step)}" y="${px(bottom + 14)}">${count(bin.from)}</text>
`,
    ]
  );
}

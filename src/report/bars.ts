/** Grouped horizontal bars as SVG text: one group an arm, one bar a measure, each with its value beside it. */

import { type Content, type Markup, markup } from "./markup.ts";
import { type ChartText, drawing, fitted, FONT, KEY, legend, px, STYLES, textWidth, WIDTH } from "./svg.ts";
import { enclosingTicks, type Ticks } from "./ticks.ts";

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

const BAR = 15;
const NAME_ROW = 18;
const GROUP_GAP = 8;
const TOP = 38;
/** Axes are not divided finer: steps between ticks of subnormal numbers would be 0. */
const SHORTEST = 1e-300;
/** Most that the words beside a bar may take. */
const LABEL = WIDTH / 2;

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
    chart.measures.map((name, i) => ({ name, sample: bar(chart, i, 0, -5, KEY, 10) })),
    bottom + 24,
  );
  return drawing(
    { ...chart, description: `${chart.description} ${summary(chart)}` },
    bottom + 26 + key.height,
    [
      hatches(chart),
      axis(chart, ticks, at, bottom),
      chart.groups.map((group, i) => drawGroup(chart, group, tops[i]!, at)),
      key.body,
    ],
  );
}

function axis(chart: BarChart, ticks: Ticks, at: (value: number) => number, bottom: number): Content {
  const reference = chart.reference;
  return [
    markup`<text class="soft" x="0" y="30">${fitted(chart.axis, WIDTH)}</text>
`,
    ticks.values.map((value, i) =>
      markup`<line class="grid" x1="${px(at(value))}" x2="${px(at(value))}" y1="${TOP}" y2="${
        px(bottom)
      }"/><text class="soft" x="${px(at(value))}" y="${px(bottom + 14)}" text-anchor="${
        i === 0 ? "start" : "middle"
      }">${ticks.labels[i]!}</text>
`
    ),
    reference !== undefined &&
    markup`<line class="reference" x1="${px(at(reference))}" x2="${px(at(reference))}" y1="${TOP}" y2="${
      px(bottom)
    }"/>
`,
  ];
}

function drawGroup(chart: BarChart, group: BarGroup, top: number, at: (value: number) => number): Markup {
  return markup`<g class="group"><text class="halo" x="3" y="${px(top + 13)}">${
    fitted(group.name, WIDTH)
  }</text>${
    group.bars.map(({ value, label }, i) => {
      const y = top + NAME_ROW + i * BAR;
      return markup`${
        value !== null && bar(chart, i, 1, y, at(value) - 1, BAR - 3)
      }<text class="soft halo" x="${px((value === null ? 1 : at(value)) + 4)}" y="${
        px(y + BAR / 2 - 1.5 + FONT * 0.35)
      }">${fitted(label, LABEL)}</text>`;
    })
  }</g>
`;
}

/** The first measure is solid, others are hatched: the bars stay apart without colour. */
function bar(chart: BarChart, measure: number, x: number, y: number, width: number, height: number): Markup {
  const box = markup`x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}"`;
  if (measure === 0) return markup`<rect class="fill-0" ${box}/>`;
  return markup`<rect class="edge-${measure % STYLES}" fill="url(#${chart.id}-hatch-${measure})" ${box}/>`;
}

function hatches(chart: BarChart): Content {
  return markup`<defs>${
    chart.measures.slice(1).map((_, i) =>
      markup`<pattern id="${chart.id}-hatch-${
        i + 1
      }" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(${
        45 + i * 60
      })"><rect class="fill-${(i + 1) % STYLES}" width="2.5" height="5"/></pattern>`
    )
  }</defs>
`;
}

function summary({ groups, measures }: BarChart): string {
  return groups.map(({ name, bars }) => {
    const said = bars.map(({ label }, i) => `${measures[i] ?? ""} ${label}`);
    return `${name}: ${said.join(", ")}.`;
  }).join(" ");
}

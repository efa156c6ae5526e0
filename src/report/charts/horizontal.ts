/** What charts of horizontal bars share: the frame, the axis, and fills that stay apart without colour. */

import { type Content, type Markup, markup } from "../markup.ts";
import { type ChartText, drawing, fitted, FONT, KEY, legend, px, STYLES, textWidth, WIDTH } from "./svg.ts";
import { enclosingTicks, type Ticks } from "./ticks.ts";

const BAR = 15;
const NAME_ROW = 18;
const GROUP_GAP = 8;
const TOP = 38;
/** Axes are not divided finer: steps between ticks of subnormal numbers would be 0. */
const SHORTEST = 1e-300;
/** Most that the words beside a bar may take. */
const LABEL = WIDTH / 2;

/** A chart of named groups, each of one or more rows of bars that begin at 0. */
export interface Frame extends ChartText {
  /** What the axis measures, with its unit. */
  readonly axis: string;
  /** What the fills mean, in the order of their numbers: the legend. */
  readonly fills: readonly string[];
  readonly groups: readonly { readonly name: string; readonly rows: readonly Row[] }[];
  /** A dashed line at this value, for comparison. */
  readonly reference?: number;
}

/** Bars end to end in one row, and the words behind the last. */
export interface Row {
  readonly bars: readonly { readonly fill: number; readonly length: number }[];
  readonly label: string;
}

/**
 * Draws the groups one below the other, with the axis above and the legend below.
 *
 * @throws {RangeError} when a length is negative or not finite
 */
export function horizontalBars(frame: Frame): Markup {
  const rows = frame.groups.flatMap((group) => group.rows);
  const wrong = rows.flatMap(({ bars }) => bars).find(({ length }) => !(length >= 0 && length < Infinity));
  if (wrong !== undefined) {
    throw new RangeError(`Cannot draw "${frame.title}": a bar of length ${wrong.length}`);
  }
  const longest = Math.max(0, ...rows.map(lengthOf), frame.reference ?? 0);
  const ticks = enclosingTicks(0, longest > SHORTEST ? longest : 1, 5);
  const right = WIDTH - Math.max(...rows.map(({ label }) => textWidth(fitted(label, LABEL))), 20) - 8;
  const at = (value: number): number => 1 + value / ticks.values.at(-1)! * (right - 1);

  const tops = [TOP];
  for (const group of frame.groups) tops.push(tops.at(-1)! + NAME_ROW + group.rows.length * BAR + GROUP_GAP);
  const bottom = tops.at(-1)!;
  const key = legend(
    frame.fills.map((name, i) => ({ name, sample: rectangle(frame.id, i, 0, -5, KEY, 10) })),
    bottom + 24,
  );
  return drawing(frame, bottom + 26 + key.height, [
    hatches(frame.id, frame.fills.length),
    drawAxis(frame, ticks, at, bottom),
    frame.groups.map(({ name, rows }, i) =>
      markup`<g class="group"><text class="halo" x="3" y="${px(tops[i]! + 13)}">${
        fitted(name, WIDTH)
      }</text>${rows.map((row, r) => drawRow(frame.id, row, tops[i]! + NAME_ROW + r * BAR, at))}</g>
`
    ),
    key.body,
  ]);
}

const lengthOf = ({ bars }: Row): number => bars.reduce((sum, { length }) => sum + length, 0);

function drawRow(id: string, { bars, label }: Row, y: number, at: (value: number) => number): Markup {
  let end = 0;
  const drawn = bars.map(({ fill, length }) => {
    const from = at(end);
    end += length;
    return rectangle(id, fill, from, y, at(end) - from, BAR - 3);
  });
  return markup`${drawn}<text class="soft halo" x="${px(at(end) + 4)}" y="${
    px(y + BAR / 2 - 1.5 + FONT * 0.35)
  }">${fitted(label, LABEL)}</text>`;
}

/** The axis' words above, and its ticks from {@link TOP} to `bottom`, with a dashed line at the reference. */
function drawAxis(
  { axis, reference }: Frame,
  ticks: Ticks,
  at: (value: number) => number,
  bottom: number,
): Content {
  const upright = (className: string, value: number) =>
    markup`<line class="${className}" x1="${px(at(value))}" x2="${px(at(value))}" y1="${TOP}" y2="${
      px(bottom)
    }"/>`;
  return [
    markup`<text class="soft" x="0" y="30">${fitted(axis, WIDTH)}</text>
`,
    ticks.values.map((value, i) =>
      markup`${upright("grid", value)}<text class="soft" x="${px(at(value))}" y="${
        px(bottom + 14)
      }" text-anchor="${i === 0 ? "start" : "middle"}">${ticks.labels[i]!}</text>
`
    ),
    reference !== undefined && markup`${upright("reference", reference)}
`,
  ];
}

/** A bar: the first fill is solid, others are hatched. */
function rectangle(id: string, fill: number, x: number, y: number, width: number, height: number): Markup {
  const box = markup`x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}"`;
  if (fill === 0) return markup`<rect class="fill-0" ${box}/>`;
  return markup`<rect class="edge-${fill % STYLES}" fill="url(#${id}-hatch-${fill})" ${box}/>`;
}

function hatches(id: string, fills: number): Content {
  return markup`<defs>${
    Array.from({ length: Math.max(0, fills - 1) }, (_, i) =>
      markup`<pattern id="${id}-hatch-${
        i + 1
      }" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(${
        45 + i * 60
      })"><rect class="fill-${(i + 1) % STYLES}" width="2.5" height="5"/></pattern>`)
  }</defs>
`;
}

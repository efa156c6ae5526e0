/** What charts of horizontal bars share: the axis, and fills that stay apart without colour. */

import { type Content, type Markup, markup } from "./markup.ts";
import { fitted, px, STYLES, WIDTH } from "./svg.ts";
import type { Ticks } from "./ticks.ts";

export const BAR = 15;
export const NAME_ROW = 18;
export const GROUP_GAP = 8;
export const TOP = 38;
/** Axes are not divided finer: steps between ticks of subnormal numbers would be 0. */
export const SHORTEST = 1e-300;
/** Most that the words beside a bar may take. */
export const LABEL = WIDTH / 2;

/** The axis' words above, and its ticks from {@link TOP} to `bottom`, with a dashed line at the reference. */
export function horizontalAxis(
  label: string,
  ticks: Ticks,
  at: (value: number) => number,
  bottom: number,
  reference?: number,
): Content {
  return [
    markup`<text class="soft" x="0" y="30">${fitted(label, WIDTH)}</text>
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

/** A bar of one measure of the chart with this id: the first measure is solid, others are hatched. */
export function bar(
  id: string,
  measure: number,
  x: number,
  y: number,
  width: number,
  height: number,
): Markup {
  const box = markup`x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}"`;
  if (measure === 0) return markup`<rect class="fill-0" ${box}/>`;
  return markup`<rect class="edge-${measure % STYLES}" fill="url(#${id}-hatch-${measure})" ${box}/>`;
}

/** The hatches of so many measures. */
export function hatches(id: string, measures: number): Content {
  return markup`<defs>${
    Array.from({ length: measures - 1 }, (_, i) =>
      markup`<pattern id="${id}-hatch-${
        i + 1
      }" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(${
        45 + i * 60
      })"><rect class="fill-${(i + 1) % STYLES}" width="2.5" height="5"/></pattern>`)
  }</defs>
`;
}

/** What every chart shares: the frame with its title for screen readers, text that fits, the legend, the styles. */

import { type Content, type Markup, markup, visible } from "../markup.ts";

/** Width of every chart in its own units. A unit is about a pixel on a phone and 1.2 on a wide screen. */
export const WIDTH = 420;
/** Height of the charts' text in the same units; `CHART_STYLE` sets it. */
export const FONT = 11;
/** Kinds of lines and fills: index `i % STYLES` picks a colour and a dash. */
export const STYLES = 8;

const DASHES = ["none", "7 3", "2 2.5", "9 3 2 3", "5 2 1.5 2 1.5 2", "12 3", "1 3", "4 4"];

/**
 * The style sheet of the charts. Colours are variables with a light and a dark value: Okabe and Ito's palette,
 * which eyes with a colour deficiency tell apart, darkened or lightened to stand out from the page.
 */
export const CHART_STYLE = `
:root {
  --paper: #fdfdfb; --ink: #1b1b1b; --soft: #5a5a5a; --grid: #e3e3e0; --band: #f1f0ea; --band-other: #e3e6ea;
  --series-0: #0067a5; --series-1: #c24e00; --series-2: #007a5a; --series-3: #a8397f;
  --series-4: #946200; --series-5: #2f86c6; --series-6: #4b4b4b; --series-7: #7a4fc0;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #16181b; --ink: #e8e6e1; --soft: #a9a7a1; --grid: #35373a; --band: #202225; --band-other: #2b2f35;
    --series-0: #62b5ea; --series-1: #ff9350; --series-2: #35c79b; --series-3: #eb8ec6;
    --series-4: #e8b53c; --series-5: #93c9f5; --series-6: #c4c4c4; --series-7: #b79af0;
  }
}
.chart { display: block; width: 100%; height: auto; font: ${FONT}px system-ui, "DejaVu Sans", sans-serif; }
.chart text { fill: var(--ink); }
.chart .chart-title { font-size: 13px; font-weight: 600; }
.chart .soft { fill: var(--soft); }
.chart .halo { stroke: var(--paper); stroke-width: 3px; paint-order: stroke; }
.chart .grid { stroke: var(--grid); }
.chart .axis { stroke: var(--soft); fill: none; }
.chart .band-0 { fill: var(--band); }
.chart .band-1 { fill: var(--band-other); }
.chart .reference { stroke: var(--ink); stroke-dasharray: 3 3; }
.chart .line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
${
  DASHES.map((dash, i) =>
    `.chart .line-${i} { stroke: var(--series-${i}); stroke-dasharray: ${dash}; }\n` +
    `.chart .fill-${i} { fill: var(--series-${i}); }\n` +
    `.chart .edge-${i} { stroke: var(--series-${i}); }`
  ).join("\n")
}
.chart .faint { stroke-width: .7; stroke-dasharray: none; opacity: .3; }
.chart .area { opacity: .2; }
.chart .points { opacity: .5; }
.chart .error { fill: none; stroke-width: 1.3; }
.chart .mean path, .chart .mean circle { stroke-width: 1.6; }
.chart .hollow { fill: var(--paper); }
.chart .front { fill: none; stroke: var(--soft); stroke-width: 1.2; }
.chart .leader { stroke: var(--soft); stroke-width: .7; }
`;

/** What every chart says of itself. */
export interface ChartText {
  /** Unique in the page: ids inside the chart begin with it. */
  readonly id: string;
  readonly title: string;
  /** What the chart shows, for readers who cannot see it. */
  readonly description: string;
}

/** The whole drawing: `<svg>` with its title, its description and a drawn title. */
export function drawing(text: ChartText, height: number, body: Content): Markup {
  return markup`<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 ${WIDTH} ${px(height)}"
 role="img" aria-labelledby="${text.id}-title ${text.id}-text">
<title id="${text.id}-title">${text.title}</title><desc id="${text.id}-text">${text.description}</desc>
<text class="chart-title" x="0" y="14">${fitted(text.title, WIDTH, 13)}</text>
${body}</svg>`;
}

/** A coordinate with one decimal at most. */
export function px(n: number): string {
  return String(Number(n.toFixed(1)));
}

/** Estimated width of a line of text: no font is at hand, so a wide one (DejaVu Sans) is assumed. */
export function textWidth(text: string, font = FONT): number {
  let ems = 0;
  for (const character of visible(text)) {
    ems += character.codePointAt(0)! >= 0x1100 ? 1.05 : /[mwMW@%→←]/.test(character) ? 0.96 : 0.6;
  }
  return ems * font;
}

/** The text, or as much of its beginning as fits, with an ellipsis. */
export function fitted(text: string, width: number, font = FONT): string {
  if (textWidth(text, font) <= width) return text;
  const characters = [...visible(text)];
  while (characters.length > 0 && textWidth(`${characters.join("")}…`, font) > width) characters.pop();
  return `${characters.join("")}…`;
}

/** One entry of a legend: its sample is drawn in a box of `KEY` by 10 whose middle left is the origin. */
export interface LegendEntry {
  readonly name: string;
  readonly sample: Markup;
}

/** Width of a legend's sample: long enough for two periods of the longest dash. */
export const KEY = 30;
const LEGEND_ROW = 17;

/** Entries side by side, wrapped into rows below `top`, and the height that they take. */
export function legend(entries: readonly LegendEntry[], top: number): { body: Markup[]; height: number } {
  let [x, row] = [0, 0];
  const body = entries.map(({ name, sample }) => {
    const label = fitted(name, WIDTH - KEY - 6);
    const width = KEY + 6 + textWidth(label) + 14;
    if (x > 0 && x + width - 14 > WIDTH) [x, row] = [0, row + 1];
    const entry = markup`<g transform="translate(${px(x)} ${
      px(top + row * LEGEND_ROW + 8)
    })">${sample}<text x="${KEY + 6}" y="4">${label}</text></g>
`;
    x += width;
    return entry;
  });
  return { body, height: entries.length === 0 ? 0 : (row + 1) * LEGEND_ROW };
}

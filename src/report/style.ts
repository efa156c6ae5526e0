/** The page's style sheet: one column, light and dark, on a phone and on paper. */

import { CHART_STYLE } from "./charts/svg.ts";

/** The whole style sheet; it names nothing outside of the page. */
export const PAGE_STYLE = `
${CHART_STYLE}
:root {
  color-scheme: light dark;
  --rule: #c9c8c2; --panel: #f4f3ee; --mark: #dcebf7; --mark-line: #0067a5; --bar: #0067a5;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --rule: #45484d; --panel: #1e2124; --mark: #1d3a52; --mark-line: #62b5ea; --bar: #62b5ea;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 70rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, "DejaVu Sans", sans-serif; font-variant-numeric: tabular-nums;
}
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 3rem 0 .75rem; padding-bottom: .25rem; border-bottom: 1px solid var(--rule); font-size: 1.3rem; }
h3 { margin: 1.75rem 0 .5rem; font-size: 1.05rem; overflow-wrap: anywhere; }
p, li { max-width: 46rem; }
p { margin: .5rem 0; }
.soft, figcaption, footer { color: var(--soft); }
.kind { margin: 0; color: var(--soft); }
.headline {
  max-width: none; margin: 1.25rem 0; padding: .9rem 1.1rem; border-left: 4px solid var(--mark-line);
  background: var(--panel); font-size: 1.15rem; line-height: 1.5; overflow-wrap: anywhere;
}
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 2rem 2.25rem; }
figure { margin: .75rem 0; min-width: 0; break-inside: avoid; }
.charts figure { max-width: 33rem; }
figcaption, .note { font-size: .9rem; line-height: 1.45; }
svg + figcaption { margin-top: .6rem; }
.table { margin: 1rem 0 1.25rem; }
.table figcaption { max-width: 46rem; margin-bottom: .5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; min-width: min(100%, 30rem); font-size: .92rem; }
.cards { width: 100%; }
.settings th, .settings td { padding-top: .12rem; padding-bottom: .12rem; }
thead { border-top: 2px solid var(--ink); border-bottom: 1px solid var(--ink); }
tbody { border-bottom: 2px solid var(--ink); }
th, td { padding: .4rem .45rem; text-align: right; vertical-align: top; font-weight: 400; }
thead th { vertical-align: bottom; font-weight: 600; line-height: 1.3; }
tbody th { font-weight: 600; }
th:first-child, td:first-child { padding-left: .15rem; }
.words { text-align: left; overflow-wrap: break-word; }
.cards tbody th { min-width: 6.5rem; }
.settings .words { max-width: 20rem; }
.meter { display: block; width: 100%; min-width: 3rem; height: 6px; margin-top: .3rem; background: var(--panel); }
.meter rect { fill: var(--bar); }
.sample { margin: .75rem 0 1.5rem; }
.sample > div, .columns > div { break-inside: avoid; }
.text {
  margin: .25rem 0 .75rem; padding: .7rem .9rem; background: var(--panel); white-space: pre-wrap; overflow-wrap: anywhere;
  font: .88rem/1.6 ui-monospace, "DejaVu Sans Mono", monospace; unicode-bidi: isolate;
}
.prompt { color: var(--soft); }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); gap: .75rem 1rem; }
.columns > div { min-width: 0; }
.columns .text { margin-bottom: 0; }
mark { color: inherit; background: var(--mark); text-decoration: underline; text-decoration-color: var(--mark-line);
  text-decoration-thickness: 2px; text-underline-offset: 3px; }
summary { cursor: pointer; }
details { margin: 1rem 0; }
.on-paper { display: none; }
code { font: .88em ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
pre { padding: .7rem .9rem; background: var(--panel); white-space: pre-wrap; }
footer { margin-top: 3rem; font-size: .9rem; }
@media screen and (max-width: 44rem) {
  body { padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 1.5rem; }
  .headline { font-size: 1.05rem; }
  th, td { padding-left: .3rem; padding-right: .3rem; }
  table { font-size: .85rem; }
  .cards { font-size: .92rem; }
  .cards thead { display: none; }
  .cards, .cards tbody { display: block; border: 0; }
  .cards tr { display: block; padding: .5rem 0; border-top: 1px solid var(--rule); }
  .cards th, .cards td { display: flex; justify-content: space-between; gap: 1rem; padding: .15rem 0; text-align: right; }
  .cards td::before { content: attr(data-label); color: var(--soft); text-align: left; order: -2; }
  .cards .meter { order: -1; flex: none; width: 5rem; margin: .6rem 0 0 auto; }
}
@media print {
  @page { margin: 15mm; }
  :root { color-scheme: light; --paper: #fff; }
  html { font-size: 9.5pt; }
  body { max-width: none; padding: 0; font-size: 1rem; }
  table { font-size: 7.5pt; }
  th, td { padding: .25rem .3rem; }
  .cards tbody th { min-width: 0; }
  h2, h3 { break-after: avoid; }
  tr { break-inside: avoid; }
  .charts { grid-template-columns: 1fr 1fr; gap: 6mm; }
  .scroll { overflow: visible; }
  details::details-content { content-visibility: visible; height: auto; }
  summary, .long { display: none; }
  .on-paper { display: block; }
  mark, .meter, .band-0, .band-1, .headline, .text { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;

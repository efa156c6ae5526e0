/** The page: head, headline, and its sections in the order in which a reader asks. */

import type { Results } from "./collect.ts";
import { COMPARISON_STYLE, comparisonSection } from "./comparison.ts";
import { costSection } from "./cost.ts";
import { dataSection } from "./data.ts";
import { decodingSection } from "./decoding.ts";
import { evaluationSection } from "./evaluation.ts";
import { generationSection } from "./generation.ts";
import { headline, listed, setName } from "./headline.ts";
import { type Content, Markup, markup } from "./markup.ts";
import { paretoSection } from "./pareto.ts";
import { provenanceSection } from "./provenance.ts";
import { replicatesOf } from "./replicates.ts";
import { samplesSection } from "./samples.ts";
import { PAGE_STYLE } from "./style.ts";
import { trainingSection } from "./training.ts";

/** The whole HTML file: nothing outside of it is loaded, and the policy in its head would refuse it. */
export function page(results: Results): string {
  const title = `${results.name}: foretoken report`;
  return `<!DOCTYPE html>\n${
    markup`<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<title>${title}</title>
<style>${new Markup(PAGE_STYLE + COMPARISON_STYLE)}</style>
</head>
<body>
<header>
<p class="kind">foretoken report: ${compared(results)}</p>
<h1>${results.name}</h1>
<p class="headline">${headline(results)}</p>
${missing(results)}</header>
<main>
${paretoSection(results)}${comparisonSection(results)}${trainingSection(results)}${
      evaluationSection(results)
    }${generationSection(results)}${decodingSection(results)}${samplesSection(results)}${
      costSection(results)
    }${dataSection(results)}${provenanceSection(results)}</main>
<footer>The numbers of this page stand beside it in report.json, those of each arm in report.csv, the tables to paste elsewhere in
report.md; the curves in each training stage's metrics.jsonl.</footer>
</body>
</html>
`.source
  }`;
}

/** Sentences about what is missing that stand open. */
const OPEN = 6;

function missing({ missing }: Results): Content {
  const list = (sentences: readonly string[]) =>
    sentences.length > 0 && markup`<ul>${sentences.map((sentence) => markup`<li>${sentence}</li>`)}</ul>`;
  if (missing.length <= OPEN + 1) return list(missing);
  const rest = missing.slice(OPEN);
  return [
    list(missing.slice(0, OPEN)),
    markup`<details><summary>${rest.length} more sentences about what is missing</summary>${
      list(rest)
    }</details>`,
  ];
}

function compared(results: Results): string {
  const sets = replicatesOf(results);
  const names = sets.map(setName);
  const numbers = sets.map(({ arms }) => arms.length);
  const seeds = Math.max(...numbers);
  const said = names.length === 2 ? names.join(" against ") : listed(names);
  if (seeds === 1) return said;
  return `${said}; ${numbers.every((n) => n === seeds) ? "" : "up to "}${seeds} seeds of each`;
}

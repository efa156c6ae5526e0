/** The page: head, headline, and its sections in the order in which a reader asks. */

import type { Results } from "./collect.ts";
import { dataSection } from "./data.ts";
import { decodingSection } from "./decoding.ts";
import { evaluationSection } from "./evaluation.ts";
import { generationSection } from "./generation.ts";
import { armName, headline } from "./headline.ts";
import { Markup, markup } from "./markup.ts";
import { paretoSection } from "./pareto.ts";
import { provenanceSection } from "./provenance.ts";
import { samplesSection } from "./samples.ts";
import { PAGE_STYLE } from "./style.ts";
import { summarySection } from "./summary.ts";
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
<style>${new Markup(PAGE_STYLE)}</style>
</head>
<body>
<header>
<p class="kind">foretoken report: ${compared(results)}</p>
<h1>${results.name}</h1>
<p class="headline">${headline(results)}</p>
${
      results.missing.length > 0 &&
      markup`<ul>${results.missing.map((sentence) => markup`<li>${sentence}</li>`)}</ul>`
    }</header>
<main>
${paretoSection(results)}${summarySection(results)}${trainingSection(results)}${evaluationSection(results)}${
      generationSection(results)
    }${decodingSection(results)}${samplesSection(results)}${dataSection(results)}${
      provenanceSection(results)
    }</main>
<footer>The numbers of this page stand in report.json beside it, the curves in each training stage's metrics.jsonl.</footer>
</body>
</html>
`.source
  }`;
}

function compared({ arms }: Results): string {
  return arms.map(armName).join(arms.length === 2 ? " against " : ", ");
}

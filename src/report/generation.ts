/** What the eval stages say of the text that the arms write. */

import type { Results, Staged } from "./collect.ts";
import type { Figure, GenerationResults } from "./generation_inputs.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { count, decimal, percent, plural } from "./numbers.ts";
import { NONE } from "./summary.ts";
import { type Column, foldedRows, table } from "./table.ts";

/** One part for each eval stage that measured text; nothing where none did. */
export function generationSection({ evaluations }: Results): Content {
  const measured = evaluations.flatMap(({ id, value }) =>
    value.generation === undefined ? [] : [{ id, value: value.generation }]
  );
  if (measured.length === 0) return null;
  return markup`<section aria-labelledby="generation"><h2 id="generation">Generated text</h2>
${measured.map((one) => part(one, measured.length > 1))}</section>
`;
}

function part({ id, value }: Staged<GenerationResults>, several: boolean): Markup {
  const { prompts, prompt_bytes, new_bytes, samples } = value;
  const rows = rowsOf(value);
  return markup`${several && markup`<h3>Stage ${id}</h3>`}
<p>${plural(prompts, "prompt")} of at most ${
    count(prompt_bytes)
  } bytes, each continued by every arm for at most ${
    count(new_bytes)
  } bytes and compared with what follows there. ${
    sampledInWords(value)
  }Each figure is over all prompts, ± one standard error
over them: of one training run, whose seed is not in it.</p>
${
    foldedRows(
      table(ownCaption(value), OWN_COLUMNS, [...rows, referenceRow(value)], { cards: true }),
      rows.length,
      "Generated text",
    )
  }
${value.semscore === null && value.judge === null ? null : askedTable(value, rows)}
${value.comparisons.length === 0 ? null : comparisonsTable(value)}
${samples.length === 0 ? null : samplesPart(value)}`;
}

/** What changes nothing, and is not said. */
const NEUTRAL: Record<string, number> = { top_k: 0, top_p: 1, min_p: 0, repetition_penalty: 1 };

function sampledInWords({ sampled }: GenerationResults): string {
  if (sampled === false) return "";
  const said = Object.entries(sampled).filter(([name, value]) => NEUTRAL[name] !== value).map((
    [name, value],
  ) => `${name.replace("_", "-")} ${value}`);
  return `Greedy: the likeliest token each time; sampled: ${said.join(", ")}. `;
}

interface Row {
  readonly name: string;
  readonly kind: string;
  readonly empty: number | null;
  readonly figures: Readonly<Record<string, Figure>>;
}

function rowsOf({ arms }: GenerationResults): Row[] {
  return arms.flatMap(({ id, outputs }) => outputs.map((output) => ({ name: id, ...output })));
}

const referenceRow = ({ reference }: GenerationResults): Row => ({
  name: "true text",
  kind: NONE,
  empty: null,
  figures: reference,
});

const share = (value: number): string => percent(value).replace(/\u00a0%$/, "");

function column(heading: string, name: string, text: (value: number) => string): Column<Row> {
  return { heading, cell: ({ figures }) => figureCell(figures[name], text) };
}

const ROW_NAME: readonly Column<Row>[] = [
  { heading: "arm", cell: (row) => row.name },
  { heading: "tokens", words: true, cell: (row) => row.kind },
];

const OWN_COLUMNS: readonly Column<Row>[] = [
  ...ROW_NAME,
  column("BLEU\u00a0↑", "bleu", (value) => decimal(value, 2)),
  column("ROUGE\u2011L\u00a0↑", "rouge_l", (value) => decimal(value, 3)),
  ...[2, 3, 4].map((n) => column(`rep\u2011${n}, %`, `rep_${n}`, share)),
  ...[1, 2, 3].map((n) => column(`distinct\u2011${n}, %`, `distinct_${n}`, share)),
  { heading: "empty", cell: ({ empty }) => empty === null ? NONE : count(empty) },
];

function ownCaption({ signatures }: GenerationResults): string {
  return `Likeness to the true continuation and repetition. BLEU is the corpus's, 0 to 100 (${signatures.bleu}); ROUGE-L \
0 to 1 (${signatures.rouge_l}). rep-n: n-grams of words that occurred before in the same continuation; distinct-n: different n-grams \
of all continuations together, over their words. Best is what is near the true text, not 0 or 100.`;
}

function askedTable({ semscore, judge }: GenerationResults, rows: readonly Row[]): Markup {
  const criteria = Object.keys(rows[0]?.figures ?? {}).filter((name) => name.startsWith("judge_"));
  const columns = [
    ...ROW_NAME,
    ...(semscore === null ? [] : [column("SemScore\u00a0↑", "semscore", (value) => decimal(value, 3))]),
    ...criteria.map((name) =>
      column(`${name.slice("judge_".length)}\u00a0↑`, name, (value) => decimal(value, 2))
    ),
  ];
  const caption = [
    "What other models say.",
    semscore &&
    `SemScore: cosine of the embeddings of continuation and true text, by ${semscore.model} at ${semscore.host}.`,
    judge && `Scores from 1 to 5 by ${judge.model} at ${judge.host}, ${scoringInWords(judge)}.`,
    "In brackets, where some are missing: how many continuations have a score; the others got no usable answer, or have no text.",
  ].filter((sentence) => sentence !== null).join(" ");
  return table(caption, columns, rows, { cards: true });
}

function scoringInWords({ scoring, samples }: NonNullable<GenerationResults["judge"]>): string {
  return scoring === "logprobs"
    ? "each weighted with its probability"
    : `each the mean of ${plural(samples ?? 0, "answer")}`;
}

/** `3.41 ± 0.12 (60 of 64)` */
function figureCell(figure: Figure | undefined, text: (value: number) => string): string {
  if (figure === undefined) return NONE;
  const { value, standard_error, items, missing } = figure;
  const said = value === null ? NONE : text(value);
  const error = value === null || standard_error === null ? "" : ` ±\u00a0${text(standard_error)}`;
  const some = missing === 0 ? "" : ` (${count(items)} of ${count(items + missing)})`;
  return said + error + some;
}

type Compared = GenerationResults["comparisons"][number];

const COMPARED: readonly Column<Compared>[] = [
  { heading: "arm", cell: ({ arm }) => arm },
  { heading: "against", words: true, cell: ({ against }) => against },
  { heading: "tokens", words: true, cell: ({ kind }) => kind },
  { heading: "wins", cell: ({ wins }) => count(wins) },
  { heading: "ties", cell: ({ ties }) => count(ties) },
  { heading: "of these inconsistent", cell: ({ inconsistent }) => count(inconsistent) },
  { heading: "losses", cell: ({ losses }) => count(losses) },
  { heading: "no answer", cell: ({ missing }) => count(missing) },
  { heading: "win rate\u00a0↑", cell: winRate },
];

function comparisonsTable({ comparisons, judge }: GenerationResults): Markup {
  const caption = `The same judge${
    judge === null ? "" : ` (${judge.model})`
  }, blind, asked about each prompt in both orders. \
Inconsistent: the two answers differ, as those of a judge do who prefers a place; they count as ties. Win rate: wins and half \
of the ties, over all with an answer, with its 95% interval (Wilson's).`;
  return table(caption, COMPARED, comparisons, { cards: true });
}

function winRate({ win_rate, interval }: Compared): string {
  if (win_rate === null || interval === null) return NONE;
  return `${percent(win_rate)} (${share(interval[0])} to ${share(interval[1])})`;
}

function samplesPart({ samples }: GenerationResults): Markup {
  return markup`<details><summary>${
    plural(samples.length, "prompt")
  } with the true text and what each arm wrote</summary>
${
    samples.map(({ prompt, reference, texts }) =>
      markup`<div class="sample">${continuation("true text", prompt, reference)}${
        texts.map(({ arm, kind, text }) => continuation(`${arm}, ${kind}`, prompt, text))
      }</div>
`
    )
  }</details>
`;
}

function continuation(kind: string, prompt: string, text: string): Markup {
  return markup`<p class="kind">${kind}</p><div class="text"><span class="prompt">${prompt}</span>${text}</div>`;
}

/** The paper's tables: a row for each set of replicates, what a reader compares first. */

import { outputsOf } from "./arm_figures.ts";
import type { Results, Staged } from "./collect.ts";
import { compare, type ComparedSet, type Comparison, type Figure } from "./compared.ts";
import { choiceInWords } from "./decoding_words.ts";
import { sumOf } from "./headline.ts";
import type { Decoding } from "./inputs.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { changeText, headingOf, type Measure, valueText } from "./measures.ts";
import { spokenOf } from "./measurements.ts";
import { count, decimal } from "./numbers.ts";
import { quantile95 } from "./student.ts";
import { armsTable, NONE, outputsCell } from "./summary.ts";
import { type Column, table } from "./table.ts";

/** Differences stand below what they are differences of. */
export const COMPARISON_STYLE = `
td small { display: block; color: var(--soft); white-space: nowrap; }
td small strong { color: var(--ink); }
`;

/** One table each for the text, for what is written, and for decoding, as far as they were measured. */
export function comparisonSection(results: Results): Markup {
  const comparison = compare(results);
  return markup`<section aria-labelledby="comparison"><h2 id="comparison">Comparison</h2>
${
    comparisonTables(comparison, figureCell).map(({ caption, columns }) =>
      table(caption, columns, comparison.sets, { cards: true })
    )
  }
${
    notes(comparison).map((note) =>
      markup`<p class="note soft">${note}</p>
`
    )
  }${differencesPart(comparison)}${armsPart(results, comparison)}</section>
`;
}

/** A table's caption, and its columns with figures as `cell` writes them. */
export interface ComparisonTable {
  readonly caption: string;
  readonly columns: readonly Column<ComparedSet>[];
}

const CAPTIONS: Readonly<Record<Measure["about"], string>> = {
  text: "Modelling of text, and tasks.",
  generation: "Text that the arms write, against the true continuation.",
  decoding:
    "Decoding with drafts against the same model's fastest plain decoding, with the number of heads that was fastest",
};

/** The tables for which something was measured; one of what there is to measure where nothing was. */
export function comparisonTables(
  comparison: Comparison,
  cell: (figure: Figure, arms: number) => Content,
): ComparisonTable[] {
  const names = setColumns(comparison);
  const { decodings } = comparison;
  const column = (measure: Measure, heading = headingOf(measure)): Column<ComparedSet> => {
    const i = comparison.measures.indexOf(measure);
    return { heading, cell: ({ set, figures }) => cell(figures[i]!, set.arms.length) };
  };
  const about = (subject: Measure["about"]) =>
    comparison.measures.filter((measure) => measure.about === subject);
  const tables = [
    ...(["text", "generation"] as const).map((subject) => ({
      caption: CAPTIONS[subject],
      figures: about(subject).map((measure) => column(measure)),
      more: [],
    })),
    ...decodings.map((decoding) => ({
      caption: `${CAPTIONS.decoding}${
        decodings.length > 1 ? `; stage ${decoding.id}, ${choiceInWords(decoding.value)}` : ""
      }.`,
      figures: about("decoding").filter(({ from }) => from === decoding.id)
        .map((measure) => column(measure, headingOf({ ...measure, heading: measure.name }))),
      more: columnsOf(decoding),
    })),
  ].filter(({ figures }) => figures.length > 0)
    .map(({ caption, figures, more }) => ({ caption, columns: [...names, ...figures, ...more] }));
  return tables.length > 0 ? tables : [{ caption: "Nothing was measured yet.", columns: names }];
}

/** Label, K, kind of head, seeds and reference, as far as they tell rows apart. */
function setColumns({ sets }: Comparison): Column<ComparedSet>[] {
  const kinds = new Set(sets.map(({ set }) => set.kind));
  const inWords = (name: string) => `-${name.replaceAll("/", "-")}-`;
  const isRenamed = sets.some(({ set }) => !inWords(set.label).includes(inWords(set.curriculum)));
  const references = new Set(sets.flatMap(({ set }) => set.reference ?? []));
  return [
    { heading: "arm", cell: ({ set }) => set.label },
    ...(isRenamed
      ? [{ heading: "curriculum", words: true, cell: ({ set }: ComparedSet) => set.curriculum }]
      : []),
    { heading: "heads K", cell: ({ set }) => count(set.heads) },
    ...(kinds.size > 1
      ? [{ heading: "kind of heads", words: true, cell: ({ set }: ComparedSet) => set.kind ?? NONE }]
      : []),
    { heading: "seeds", cell: ({ set }) => count(set.arms.length) },
    ...(references.size > 1
      ? [{ heading: "against", words: true, cell: ({ set }: ComparedSet) => set.reference ?? NONE }]
      : []),
  ];
}

/** Ascending, `auto` last. */
const byNumber = (a: number | "auto", b: number | "auto"): number =>
  a === "auto" || b === "auto" ? Number(a === "auto") - Number(b === "auto") : a - b;

/** How many heads drafted, and whether outputs were equal, over all arms of the set. */
function columnsOf({ value }: Staged<Decoding>): Column<ComparedSet>[] {
  const spoken = ({ set }: ComparedSet) =>
    set.arms.flatMap(({ arm: { id } }) => {
      const decoded = value.arms.find((arm) => arm.id === id);
      return decoded && spokenOf(decoded) || [];
    });
  return [
    {
      heading: "with heads",
      cell: (row) => {
        const used = [...new Set(spoken(row).map(({ measurement }) => measurement.heads))];
        return used.length === 0 ? NONE : used.sort(byNumber).join(", ");
      },
    },
    {
      heading: "outputs equal",
      words: true,
      cell: (row) => {
        const drafting = spoken(row);
        return drafting.length === 0 ? NONE : outputsCell(sumOf(drafting.map(outputsOf)));
      },
    },
  ];
}

function figureCell(figure: Figure, arms: number): Content {
  const { difference, verdict, measure } = figure;
  if (difference === null || figure.spread === null) return spreadText(figure, arms);
  return markup`<span>${spreadText(figure, arms)}<small>${changeText(measure, difference.mean)}${
    difference.p !== null && markup`, ${pText(difference.p)}`
  }${verdict !== null && markup` <strong>${verdict}</strong>`}</small></span>`;
}

/** The same as plain text: `1.613 ± 0.004 (+0.012, p 0.034, worse)`. */
export function figureText(figure: Figure, arms: number): string {
  const { difference, verdict, measure } = figure;
  if (difference === null || figure.spread === null) return spreadText(figure, arms);
  const said = [
    changeText(measure, difference.mean),
    ...(difference.p === null ? [] : [pText(difference.p)]),
    ...(verdict === null ? [] : [verdict]),
  ];
  return `${spreadText(figure, arms)} (${said.join(", ")})`;
}

/** `1.613 ± 0.004`; where fewer than all arms have a value, their number: `1.613 ± 0.004 (2)`. */
function spreadText({ measure, spread }: Figure, arms: number): string {
  if (spread === null) return NONE;
  const { mean, sd, n } = spread;
  const deviation = sd === null ? "" : `\u00a0±\u00a0${valueText(measure, sd)}`;
  return valueText(measure, mean) + deviation + (n < arms ? ` (${n})` : "");
}

/** `p 0.034`, `p < 0.001` */
function pText(p: number): string {
  return p < 0.001 ? "p\u00a0<\u00a00.001" : `p\u00a0${p < 0.1 ? decimal(p, 3) : decimal(p, 2)}`;
}

/** What the columns mean and how far they can be trusted, a paragraph each. */
export function notes(comparison: Comparison): string[] {
  const keys = new Set(comparison.measures.map(({ key }) => key));
  const meanings = [
    keys.has("bits_per_byte") ? "Bits per byte are head 1's, on held-out text." : "",
    keys.has("bits_per_byte_last_validation")
      ? "The last validation was made during training, on a smaller part of the held-out text."
      : "",
    keys.has("speedup")
      ? "Tokens per forward and speed-up (wall clock) are those of the first kind of text, one prompt at a time; an arm without drafts gives one token a forward."
      : "",
    keys.has("rep_4")
      ? "rep-4 is the share of four-word sequences that occurred before in the same continuation."
      : "",
  ].filter((sentence) => sentence !== "");
  return [
    `↓ lower is better, ↑ higher is better, – not measured. ${meanings.join(" ")}`,
    ...seedsNotes(comparison),
  ];
}

function seedsNotes({ sets }: Comparison): string[] {
  const most = Math.max(...sets.map(({ set }) => set.arms.length));
  if (most === 1) {
    return sets.length < 2 ? [] : [
      "Each row is one training run: differences between arms include the chance of a single seed.",
    ];
  }
  const references = [...new Set(sets.flatMap(({ set }) => set.reference ?? []))];
  const spread =
    "Mean ± standard deviation over the seeds; in brackets, how many have the figure where not all do.";
  if (references.length === 0) return [`${spread} There is no next-token arm to compare with.`];
  const shared = Math.max(
    0,
    ...sets.flatMap(({ figures }) => figures.map(({ difference }) => difference?.n ?? 0)),
  );
  const power = shared < 2
    ? ""
    : `With ${shared} seeds the mean difference has to be ${
      decimal(quantile95(shared - 1) / Math.sqrt(shared), 1)
    } times as large as its own spread from seed to seed before p falls below 0.05, and larger still after the correction: that a \
difference is not marked does not show that there is none.`;
  return [
    `${spread} With it the mean difference to ${references.join(", or to ")}${
      references.length > 1 ? " (the one on the same text with the most settings alike)" : ""
    }, seed by seed, and the p value of a paired t test, two-sided and uncorrected. "better", "worse", "higher" and "lower" stand where it \
is below 0.05 after Holm's correction for all rows of the column; nothing corrects for the number of columns. ${power}`,
  ];
}

/** Intervals and corrected p values, folded. */
function differencesPart({ measures, sets }: Comparison): Content {
  const rows = sets.flatMap(({ set, figures }) =>
    figures.flatMap((figure) =>
      figure.difference?.interval ? [{ set, figure, difference: figure.difference }] : []
    )
  );
  if (rows.length === 0 || measures.length === 0) return null;
  const columns: Column<typeof rows[number]>[] = [
    { heading: "arm", cell: ({ set }) => `${set.label} less ${set.reference}` },
    { heading: "figure", words: true, cell: ({ figure }) => headingOf(figure.measure) },
    { heading: "seeds", cell: ({ difference }) => count(difference.n) },
    {
      heading: "mean difference",
      cell: ({ figure, difference }) => changeText(figure.measure, difference.mean),
    },
    {
      heading: "95% interval",
      cell: ({ figure, difference }) =>
        difference.interval!.map((end) => changeText(figure.measure, end)).join(" to "),
    },
    { heading: "p", cell: ({ difference }) => difference.p === null ? NONE : pText(difference.p) },
    { heading: "p, Holm", cell: ({ figure }) => figure.p_holm === null ? NONE : pText(figure.p_holm) },
  ];
  return markup`<details><summary>Differences with their intervals</summary>
${
    table(
      "Paired over the seeds that both have; intervals by Student's t, without correction.",
      columns,
      rows,
    )
  }</details>
`;
}

function armsPart(results: Results, { sets }: Comparison): Content {
  if (sets.length === results.arms.length) return null;
  return markup`<details><summary>Each arm</summary>
${armsTable(results)}</details>
`;
}

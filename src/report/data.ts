/** The text that was trained on: counts, sources, lengths of documents, frequent tokens, samples. */

import type { Dataset, Results } from "./collect.ts";
import { histogram } from "./charts/histogram.ts";
import type { Meta, Statistics } from "./inputs.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { count, decimal, percent, plural, size } from "./numbers.ts";
import { NONE } from "./summary.ts";
import { shown } from "./shown.ts";
import { type Column, table } from "./table.ts";

/** Rows of a table of sources, and of tokens; a folder of text may have thousands of files. */
const SOURCES = 12, TOKENS = 10;

/** One part for each prepare stage, or a sentence. */
export function dataSection({ data }: Results): Markup {
  return markup`<section aria-labelledby="data"><h2 id="data">Data</h2>
${
    data.length === 0
      ? markup`<p>No prepared text was among this report's inputs.</p>`
      : data.map((dataset, i) => part(dataset, i, data.length > 1))
  }</section>
`;
}

function part({ id, value, statistics }: Dataset, index: number, several: boolean): Markup {
  return markup`${several && markup`<h3>Stage ${id}</h3>`}
${splitsTable(value)}${sourcesTable(value)}${removedNote(value)}${
    statistics !== null && statisticsPart(statistics, index)
  }`;
}

interface Counts {
  readonly name: string;
  readonly documents: number;
  readonly bytes: number;
  /** Without end tokens where that is known. */
  readonly tokens: number;
}

const COUNTS: Column<Counts>[] = [
  { heading: "documents", cell: (row) => count(row.documents) },
  { heading: "bytes", cell: (row) => count(row.bytes) },
  { heading: "tokens", cell: (row) => count(row.tokens) },
  {
    heading: "bytes per token",
    cell: (row) => row.tokens === 0 ? NONE : decimal(row.bytes / row.tokens, 3),
  },
];

function splitsTable({ tokenizer, splits }: Meta): Markup {
  const parts = ([["training", splits.train], ["validation", splits.val], ["test", splits.test]] as const)
    .flatMap(([name, split]) =>
      split === undefined
        ? []
        : [{ ...split, name, tokens: split.tokens - split.documents - split.shards.length }]
    );
  const bytes = parts.reduce((sum, split) => sum + split.bytes, 0);
  const kind = tokenizer.kind === "bytes"
    ? "bytes"
    : `tokens of a byte-level BPE of ${count(tokenizer.vocab)} ids`;
  const caption = `${
    size(bytes)
  } of text as ${kind}. What is not for training is never trained on. End tokens, one a
document, are not counted.`;
  return table<Counts>(caption, [{ heading: "part", cell: (row) => row.name }, ...COUNTS], parts, {
    cards: true,
  });
}

function sourcesTable({ sources }: Meta): Markup {
  const rows = sources.map((source) => ({ ...source, name: shown(source.path) }));
  const rest = rows.slice(SOURCES);
  const sum = (key: "documents" | "bytes" | "tokens") => rest.reduce((total, row) => total + row[key], 0);
  const more = {
    name: `${count(rest.length)} more`,
    documents: sum("documents"),
    bytes: sum("bytes"),
    tokens: sum("tokens"),
  };
  return table<Counts>(
    `What was kept of ${plural(sources.length, "source")}.`,
    [{ heading: "source", cell: (row) => row.name }, ...COUNTS],
    [...rows.slice(0, SOURCES), ...(rest.length === 0 ? [] : [more])],
    { cards: true },
  );
}

/** What did not get into the shards, in words. */
function removedNote({ cleaning, sources }: Meta): Content {
  const skipped = sources.reduce((sum, source) => sum + source.skipped, 0);
  const removed = Object.entries(cleaning).filter(([, { documents }]) => documents > 0).map(
    ([filter, { documents, bytes }]) => `${filter}: ${plural(documents, "document")} (${size(bytes)})`,
  );
  if (removed.length === 0 && skipped === 0) return null;
  return markup`<p class="note">Left out: ${
    [...removed, ...(skipped > 0 ? [`unreadable: ${plural(skipped, "record")}`] : [])].join("; ")
  }.</p>
`;
}

function statisticsPart({ lengths, frequencies, samples }: Statistics, index: number): Content {
  return [
    lengths.documents > 0 && markup`<div class="charts"><figure>${
      histogram({
        id: `lengths-${index}`,
        title: "Length of the documents",
        axis: `documents by their length in tokens: ${count(lengths.shortest)} to ${count(lengths.longest)}`,
        description: `How many documents have how many tokens; the mean is ${decimal(lengths.mean, 0)}.`,
        bins: lengths.bins.map(({ from, documents }) => ({ from, count: documents })),
      })
    }</figure></div>
`,
    tokensTable(frequencies),
    samples.length > 0 && markup`<details><summary>${plural(samples.length, "sample")} of the text</summary>
${
      samples.map(({ split, document, tokens, text }) =>
        markup`<div class="sample"><p class="kind">${split}, document ${count(document)}, ${
          plural(tokens, "token")
        }</p><div class="text">${text}</div></div>
`
      )
    }</details>
`,
  ];
}

type TokenCount = Statistics["frequencies"]["most"][number];

function tokensTable({ counted, tokens, used, vocab, most, least }: Statistics["frequencies"]): Content {
  if (counted === 0) return null;
  const of = counted === tokens
    ? `all ${count(tokens)} tokens`
    : `${count(counted)} of ${count(tokens)} tokens`;
  const token = (side: readonly TokenCount[], heading: string): Column<number>[] => [
    { heading, words: true, cell: (i) => side[i] && markup`<code>${side[i].label}</code>` },
    { heading: "count", cell: (i) => side[i] && count(side[i].count) },
    { heading: "share", cell: (i) => side[i] && percent(side[i].count / counted) },
  ];
  const rows = Array.from({ length: Math.min(TOKENS, Math.max(most.length, least.length)) }, (_, i) => i);
  return table(
    `The most and the least frequent tokens of the training text (${of}); ${count(used)} of ${
      count(vocab)
    } ids occur. · is a space.`,
    [...token(most, "most frequent"), ...token(least, "least frequent").slice(0, 2)],
    rows,
  );
}

/** What a shard set holds, as lines for a terminal of 80 columns. */
import { basename } from "node:path";
import { aligned, fitted, pieces, widthOf } from "../formats/columns.ts";
import { openShardSet, type ShardMeta, type SourceInfo, type SplitInfo, SPLITS } from "./shards.ts";
import {
  type Frequencies,
  type Lengths,
  type Statistics,
  statisticsOf,
  type TextSample,
} from "./statistics.ts";

/** What is shown besides the counts. */
export interface InspectOptions {
  /** Documents drawn from all splits. */
  readonly samples: number;
  /** Of the draw. */
  readonly seed: number;
}

const WIDTH = 80;
/** Sources that are listed one by one. */
const SOURCES = 12;
/** Lines of a sample. */
const LINES = 4;

/**
 * Describes the shard set in a folder. Reads its files whole only where they are small.
 *
 * @throws {UserError} where the folder holds no set, or a damaged one.
 */
export function inspect(folder: string, options: InspectOptions): string[] {
  const set = openShardSet(folder);
  const { lengths, frequencies, samples }: Statistics = statisticsOf(set, options);
  return [
    ...heading(folder, set.meta),
    "",
    ...aligned(splitRows(set.meta)),
    "",
    ...aligned(sourceRows(set.meta.sources)),
    ...removedLines(set.meta),
    "",
    ...lengthLines(lengths),
    "",
    ...frequencyLines(frequencies),
    ...samples.flatMap(sampleLines),
  ];
}

const whole = (n: number) => n.toLocaleString("en");
const ratio = (bytes: number, tokens: number) => tokens === 0 ? "-" : (bytes / tokens).toFixed(3);

function heading(folder: string, { tokenizer, splits }: ShardMeta): string[] {
  const all = SPLITS.flatMap((split) => splits[split] ?? []);
  const sum = (key: "bytes" | "documents") => all.reduce((total, split) => total + split[key], 0);
  const kind = tokenizer.kind === "bytes" ? "bytes" : `byte-level BPE of ${whole(tokenizer.vocab)} ids`;
  return [
    fitted(basename(folder), WIDTH),
    `${whole(sum("bytes"))} bytes of text in ${whole(sum("documents"))} documents, as ${kind}, ` +
    `stored in ${tokenizer.tokenBytes} ${tokenizer.tokenBytes === 1 ? "byte" : "bytes"} each`,
  ];
}

/** Tokens of text, without end tokens: bytes per token are a tokenizer's, whatever the documents' lengths. */
const textOf = ({ tokens, documents, shards }: SplitInfo) => tokens - documents - shards.length;

function splitRows({ splits }: ShardMeta): string[][] {
  return [
    ["split", "documents", "bytes", "tokens", "bytes/token", "shards"],
    ...SPLITS.flatMap((name) => {
      const split = splits[name];
      if (split === undefined) return [];
      const { documents, bytes, shards } = split;
      const tokens = textOf(split);
      return [[name, ...[documents, bytes, tokens].map(whole), ratio(bytes, tokens), whole(shards.length)]];
    }),
  ];
}

function sourceRows(sources: readonly SourceInfo[]): string[][] {
  const row = (
    name: string,
    { documents, bytes, tokens }: Pick<SourceInfo, "documents" | "bytes" | "tokens">,
  ) => [fitted(name, 30), ...[documents, bytes, tokens].map(whole), ratio(bytes, tokens)];
  const rest = sources.slice(SOURCES);
  const sum = (key: "documents" | "bytes" | "tokens") =>
    rest.reduce((total, source) => total + source[key], 0);
  const more = { documents: sum("documents"), bytes: sum("bytes"), tokens: sum("tokens") };
  return [
    ["source", "documents", "bytes", "tokens", "bytes/token"],
    ...sources.slice(0, SOURCES).map((source) => row(nameOf(source), source)),
    ...(rest.length === 0 ? [] : [row(`and ${whole(rest.length)} more`, more)]),
  ];
}

/** The end of a path says more than its beginning; a weight is told where it is one. */
function nameOf({ path, weight }: SourceInfo): string {
  const name = path.split("/").slice(-2).join("/");
  return weight === 1 ? name : `${name} x ${weight}`;
}

function removedLines({ cleaning, sources }: ShardMeta): string[] {
  const removed = Object.entries(cleaning).filter(([, { documents }]) => documents > 0)
    .map(([filter, { documents, bytes }]) =>
      `removed by ${filter}: ${whole(documents)} documents, ${whole(bytes)} bytes`
    );
  const sum = (key: "skipped" | "invalidUtf8") => sources.reduce((total, source) => total + source[key], 0);
  return [
    ...removed,
    ...(sum("skipped") > 0
      ? [`skipped, since they could not be read: ${whole(sum("skipped"))} records`]
      : []),
    ...(sum("invalidUtf8") > 0 ? [`not UTF-8: ${whole(sum("invalidUtf8"))} documents`] : []),
  ];
}

function lengthLines({ documents, shortest, longest, mean, bins }: Lengths): string[] {
  const most = Math.max(...bins.map((bin) => bin.documents), 1);
  const rows = bins.map(({ from, documents }, i) => {
    const to = Math.min(longest, (bins[i + 1]?.from ?? Infinity) - 1);
    const least = Math.max(shortest, from);
    return { label: least === to ? whole(to) : `${whole(least)} to ${whole(to)}`, documents };
  });
  const [name, count] = [Math.max(...rows.map(({ label }) => label.length), 0), whole(most).length];
  const room = WIDTH - name - count - 4;
  return [
    `Length of the documents in tokens: ${whole(shortest)} to ${whole(longest)}, on average ${
      whole(Math.round(mean))
    } (${whole(documents)} documents)`,
    ...rows.map(({ label, documents }) =>
      `${label.padStart(name)}  ${whole(documents).padStart(count)}  ${bar(documents / most * room)}`
        .trimEnd()
    ),
  ];
}

/** A bar of so many columns, to an eighth of one. */
function bar(columns: number): string {
  const eighths = Math.round(columns * 8);
  if (eighths === 0) return columns > 0 ? "▏" : "";
  return "█".repeat(Math.floor(eighths / 8)) + ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]!;
}

function frequencyLines({ counted, tokens, used, vocab, most, least }: Frequencies): string[] {
  const of = counted === tokens
    ? `all ${whole(tokens)} tokens`
    : `${whole(counted)} of ${whole(tokens)} tokens, taken evenly`;
  const cells = (side: readonly { label: string; count: number }[], i: number) => {
    const token = side[i];
    return token === undefined ? ["", "", ""] : [
      fitted(token.label, 18),
      whole(token.count),
      `${(100 * token.count / counted).toPrecision(3)}%`,
    ];
  };
  const rows = Array.from({ length: Math.max(most.length, least.length) }, (_, i) => [
    cells(most, i),
    cells(least, i),
  ]);
  const [left, right] = [0, 1].map((side) => aligned(rows.map((row) => row[side]!)));
  const column = Math.max(...left!.map(widthOf), "most frequent".length) + 6;
  const pad = (text: string) => text + " ".repeat(Math.max(0, column - widthOf(text)));
  return [
    `Tokens of the training text (${of}): ${whole(used)} of ${whole(vocab)} ids occur`,
    least.length === 0 ? "most frequent" : `${pad("most frequent")}least frequent of those that occur`,
    ...left!.map((line, i) => `${pad(line)}${right![i]!}`.trimEnd()),
  ];
}

function sampleLines({ split, document, tokens, text }: TextSample): string[] {
  const lines = [...pieces(visible(text), WIDTH - 2)];
  const shown = lines.slice(0, LINES);
  if (lines.length > LINES) shown.push(fitted(`${shown.pop()}…`, WIDTH - 2));
  return [
    "",
    `${split}, document ${whole(document)}, ${whole(tokens)} tokens`,
    ...shown.map((line) => `  ${line}`),
  ];
}

/** Line breaks and tabs as arrows; what a terminal would obey or swallow is spelt out. */
function visible(text: string): string {
  return text.replaceAll("\r\n", "↵").replaceAll("\n", "↵").replaceAll("\t", "→").replace(
    /[\p{C}\u2028\u2029]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

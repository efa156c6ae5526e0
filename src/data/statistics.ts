/**
 * What a shard set holds, in figures: lengths of its documents, frequencies of its tokens, some of its text. In bounded
 * time and memory whatever its size: of a large set a part of the tokens is counted.
 */
import { join } from "node:path";
import { writeJson } from "../formats/atomic.ts";
import { reading } from "../formats/file_errors.ts";
import { UserError } from "../stage/errors.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { DocumentIndex } from "./document_index.ts";
import { Documents, readFully } from "./documents.ts";
import { Random } from "./random.ts";
import { AGAIN, openShardSet, type ShardFiles, type ShardSet, type Split, SPLITS } from "./shards.ts";
import { tokenizerOf } from "./tokenizer_of.ts";

/** What statistics.json holds. */
export interface Statistics {
  readonly format: "foretoken-statistics";
  readonly version: 1;
  readonly lengths: Lengths;
  readonly frequencies: Frequencies;
  readonly samples: readonly TextSample[];
}

/** Lengths of all documents, in tokens without the end token. */
export interface Lengths {
  readonly documents: number;
  readonly shortest: number;
  readonly longest: number;
  readonly mean: number;
  /** Documents of `from` tokens and more, up to the next bin's; the longest document is in the last one. */
  readonly bins: readonly { readonly from: number; readonly documents: number }[];
}

/** How often tokens occur in the training text; end tokens are left out. */
export interface Frequencies {
  /** Tokens counted, of all there are: less where chunks from all over the text stand for the rest. */
  readonly counted: number;
  readonly tokens: number;
  /** Ids that occur, of all in the vocabulary. */
  readonly used: number;
  readonly vocab: number;
  /** The most frequent ones first. */
  readonly most: readonly TokenCount[];
  /** The least frequent ones of those that occur, the rarest first. */
  readonly least: readonly TokenCount[];
}

/** A token as a reader can print it. */
export interface TokenCount {
  readonly id: number;
  readonly label: string;
  readonly count: number;
}

/** The beginning of a document. */
export interface TextSample {
  readonly split: Split;
  /** Its number in the split, from 0, and its length in tokens. */
  readonly document: number;
  readonly tokens: number;
  /** Ends with an ellipsis where there is more. */
  readonly text: string;
}

/** How much is computed. */
export interface StatisticsOptions {
  readonly samples: number;
  readonly seed: number;
  /** Most tokens that are counted. */
  readonly mostTokens?: number;
}

/** Tokens counted at most: about a second. */
const MOST_TOKENS = 50_000_000;
/** Tokens shown as the most and least frequent. */
const LISTED = 20;
/** Characters shown of a sample; as many tokens are read, since each stands for a byte at least. */
const SAMPLE = 512;

/**
 * Computes the statistics of a set.
 *
 * @throws {UserError} where a shard cannot be read, or holds an id that is not in the vocabulary.
 */
export function statisticsOf(set: ShardSet, options: StatisticsOptions): Statistics {
  using tokenizer = tokenizerOf(set);
  return {
    format: "foretoken-statistics",
    version: 1,
    lengths: lengthsOf(SPLITS.flatMap((split) => set.splits[split])),
    frequencies: frequenciesOf(set, tokenizer, options.mostTokens ?? MOST_TOKENS),
    samples: samplesOf(set, tokenizer, options),
  };
}

/** The file that the report reads. */
export const STATISTICS = "statistics.json";

/** Writes statistics.json beside meta.json: the last thing that prepare does. */
export function writeStatistics(folder: string): void {
  writeJson(join(folder, STATISTICS), statisticsOf(openShardSet(folder), { samples: 5, seed: 0 }));
}

function lengthsOf(shards: readonly ShardFiles[]): Lengths {
  let documents = 0, tokens = 0, shortest = Infinity, longest = 0;
  for (const length of documentLengths(shards)) {
    documents++;
    tokens += length;
    shortest = Math.min(shortest, length);
    longest = Math.max(longest, length);
  }
  if (documents === 0) return { documents, shortest: 0, longest: 0, mean: 0, bins: [] };
  const { first, indexOf, from } = binsFor(shortest, longest);
  const counts = Array.from({ length: indexOf(longest) - first + 1 }, () => 0);
  for (const length of documentLengths(shards)) counts[indexOf(length) - first]!++;
  const bins = counts.map((documents, i) => ({ from: from(i + first), documents }));
  return { documents, shortest, longest, mean: tokens / documents, bins };
}

/** Bins by number: powers of two where lengths differ much, else equal steps of 1, 2 or 5 times a power of ten. */
function binsFor(shortest: number, longest: number) {
  if (longest > 16 * shortest) {
    const indexOf = (length: number) => length < 1 ? 0 : Math.floor(Math.log2(length));
    return { first: indexOf(shortest), indexOf, from: (bin: number) => 2 ** bin };
  }
  const ideal = (longest - shortest) / MOST_BINS;
  const power = 10 ** Math.floor(Math.log10(Math.max(1, ideal)));
  const step = power * [1, 2, 5, 10].find((lead) => lead * power >= ideal)!;
  const indexOf = (length: number) => Math.floor(length / step);
  return { first: indexOf(shortest), indexOf, from: (bin: number) => bin * step };
}

const MOST_BINS = 16;

function* documentLengths(shards: readonly ShardFiles[]): Generator<number> {
  for (const shard of shards) {
    const index = new DocumentIndex(shard);
    for (let row = 0; row < index.documents; row++) yield index.end(row) - index.start(row);
  }
}

/** Tokens that are read at once. */
const CHUNK = 1 << 16;

function frequenciesOf(set: ShardSet, tokenizer: Tokenizer, mostTokens: number): Frequencies {
  const { tokenizer: info, splits } = set.meta;
  const offset = info.kind === "bytes" ? info.byteOffset : 0;
  const tokens = splits.train.tokens - splits.train.documents - splits.train.shards.length;
  const counts = new Float64Array(info.vocab);
  let counted = 0;
  for (const chunk of chunksOf(set, Math.min(1, mostTokens / tokens))) {
    for (let i = 0; i < chunk.length; i++) counts[chunk[i]! + offset]!++;
    counted += chunk.length;
  }
  const sum = counts.reduce((total, count) => total + count, 0); // writes past the end are lost
  if (sum !== counted) {
    throw new UserError(
      `Cannot use "${set.folder}": its shards hold ids that are not in the vocabulary of ${info.vocab}; ${AGAIN}`,
    );
  }
  const used = Array.from({ length: info.vocab }, (_, id) => id).filter((id) => counts[id]! > 0);
  used.sort((a, b) => counts[b]! - counts[a]! || a - b);
  const listed = (ids: number[]) => ids.map((id) => ({ id, label: tokenizer.label(id), count: counts[id]! }));
  return {
    counted,
    tokens,
    used: used.length,
    vocab: info.vocab,
    most: listed(used.slice(0, LISTED)),
    least: listed(used.slice(LISTED).slice(-LISTED).reverse()),
  };
}

/** A share of the training text's chunks, evenly spread. */
function* chunksOf(set: ShardSet, share: number): Generator<Uint8Array | Uint16Array | Uint32Array> {
  const { tokenBytes } = set.meta.tokenizer;
  let passed = 0;
  for (const { file } of set.splits.train) {
    using open = reading(file, () => Deno.openSync(file));
    const size = reading(file, () => open.statSync().size);
    for (let at = 0; at < size; at += CHUNK * tokenBytes) {
      const taken = Math.floor((passed + 1) * share) > Math.floor(passed * share);
      passed++;
      if (!taken) continue;
      const bytes = new Uint8Array(Math.min(CHUNK * tokenBytes, size - at));
      reading(file, () => {
        open.seekSync(at, Deno.SeekMode.Start);
        readFully(open, file, bytes);
      });
      yield tokenBytes === 1 ? bytes : new (tokenBytes === 2 ? Uint16Array : Uint32Array)(bytes.buffer);
    }
  }
}

/** Documents drawn by a seed from all splits, each at most once. */
function samplesOf(set: ShardSet, tokenizer: Tokenizer, { samples, seed }: StatisticsOptions): TextSample[] {
  const counts = SPLITS.map((split) => set.meta.splits[split]?.documents ?? 0);
  const all = counts.reduce((sum, count) => sum + count, 0);
  const random = new Random(seed);
  const drawn = new Set<number>();
  while (drawn.size < Math.min(samples, all)) drawn.add(Math.floor(random.unit() * all));
  const placed = [...drawn].map((number) => {
    let split = 0;
    while (number >= counts[split]!) number -= counts[split++]!;
    return { split: SPLITS[split]!, document: number };
  });
  return SPLITS.flatMap((name) => {
    using documents = new Documents(set, name, tokenizer);
    return placed.filter(({ split }) => split === name).map(({ split, document }) => {
      const tokens = documents.length(document);
      const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
      const stream = tokens > SAMPLE; // leaves out half a character at the end
      const text = [...decoder.decode(documents.text(document, SAMPLE), { stream })];
      const isCut = stream || text.length > SAMPLE;
      return { split, document, tokens, text: text.slice(0, SAMPLE).join("") + (isCut ? "…" : "") };
    });
  });
}

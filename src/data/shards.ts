/**
 * Shard sets: the folder that `prepare` makes and training, evaluation and decoding read. Leaves out the writing
 * (shard_writer.ts) and the documents' text (documents.ts).
 *
 * | file              | content                                                                                 |
 * | ----------------- | --------------------------------------------------------------------------------------- |
 * | `train-00000.bin` | the tokens of the shard's documents, end to end, nothing between them                   |
 * | `train-00000.idx` | a little-endian u64 per document: the offset in tokens at which it ends                 |
 * | `val-00000.*`     | the same for the documents held out for validation; `test-00000.*` for testing, if any  |
 * | `tokenizer.json`  | what the ids stand for, where they are not bytes                                        |
 * | `meta.json`       | tokenizer, sources, counts and SHA-256 of each file; written last: without it, no set   |
 * | `statistics.json` | lengths, frequencies and samples for the report; nothing else reads it                  |
 *
 * A token is a little-endian u16 or u32 id, or a raw byte of text, whose id is byte + 64 and exists only where batches
 * are gathered. A shard's token stream is END d1 END d2 END ... dn END: the end tokens come from the index, and the
 * leading one is the start token. So a shard has 1 + tokens of text + documents tokens.
 */

import { join } from "node:path";
import * as z from "zod";
import { sha256OfFile } from "../formats/atomic.ts";
import { reading } from "../formats/file_errors.ts";
import { readJson } from "../formats/json.ts";
import { UserError } from "../stage/errors.ts";

const count = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** A file beside meta.json: no separators, so that a meta.json from elsewhere cannot point out of its folder. */
const sibling = z.string().regex(/^[a-z]+-\d{5}\.(bin|idx)$/);

const shardSchema = z.strictObject({
  file: sibling,
  index: sibling,
  documents: count,
  bytes: count,
  tokens: count,
  sha256,
  indexSha256: sha256,
});

const splitSchema = z.strictObject({
  documents: count,
  bytes: count,
  tokens: count,
  shards: z.array(shardSchema),
});

/** What a checkpoint says, too. */
export const tokenizerSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("bytes"),
    vocab: z.literal(320),
    endToken: z.literal(0),
    byteOffset: z.literal(64),
    tokenBytes: z.literal(1),
  }),
  z.strictObject({
    kind: z.literal("bpe"),
    vocab: z.int().min(1).max(2 ** 31 - 1),
    endToken: count,
    tokenBytes: z.literal([2, 4]),
    file: z.literal("tokenizer.json"),
    sha256,
  }),
]);

const sourceSchema = z.strictObject({
  path: z.string(),
  format: z.string(),
  weight: z.number().gt(0),
  documents: count,
  bytes: count,
  tokens: count,
  invalidUtf8: count,
  skipped: count,
  removed: z.record(z.string(), count),
  fingerprint: z.strictObject({ size: count, mtime: z.number(), sha256: sha256.optional() }).nullable(),
});

const metaSchema = z.strictObject({
  format: z.literal("foretoken-shards"),
  version: z.literal(2),
  tokenizer: tokenizerSchema,
  sources: z.array(sourceSchema),
  cleaning: z.record(z.string(), z.strictObject({ documents: count, bytes: count })),
  splits: z.strictObject({ train: splitSchema, val: splitSchema, test: splitSchema.optional() }),
});

/**
 * What meta.json says about one shard: names, counts, hexadecimal SHA-256 of both files. `bytes` are those of the text,
 * `tokens` those of the stream, end tokens included.
 */
export type ShardInfo = z.output<typeof shardSchema>;
/** One split: sums over its shards. */
export type SplitInfo = z.output<typeof splitSchema>;
/** What the ids stand for. `tokenBytes` is the size of a token in a `.bin`. */
export type TokenizerInfo = z.output<typeof tokenizerSchema>;
/**
 * Where documents came from. `documents`, `bytes` and `tokens` (without end tokens) are what was kept of them,
 * `invalidUtf8` how many of those are not UTF-8, `skipped` records that could not be read, `removed` documents that
 * cleaning left out, by filter. `fingerprint`: of the file; null for text that has none.
 */
export type SourceInfo = z.output<typeof sourceSchema>;
/** All of meta.json. `cleaning`: what each filter removed. */
export type ShardMeta = z.output<typeof metaSchema>;
/** `val` and `test` are held out. */
export type Split = keyof ShardMeta["splits"];

/** The splits in the order in which people name them; `test` may be absent. */
export const SPLITS: readonly Split[] = ["train", "val", "test"];

/** The byte tokenizer: byte b has id b + 64; of the 64 special ids only the end token's is used. */
export const BYTE_TOKENIZER = {
  kind: "bytes",
  vocab: 320,
  endToken: 0,
  byteOffset: 64,
  tokenBytes: 1,
} as const satisfies TokenizerInfo;

/** The file that makes a folder a shard set. */
export const META = "meta.json";
/** Bytes of one document's entry in an index. */
export const INDEX_ENTRY = 8;

/** A shard with the absolute paths of its files. */
export interface ShardFiles {
  readonly file: string;
  readonly index: string;
  readonly info: ShardInfo;
}

/** A whole shard set, as it lies on the disk. */
export interface ShardSet {
  readonly folder: string;
  readonly meta: ShardMeta;
  /** Shards in the order of their documents; none where there is no such split. */
  readonly splits: Readonly<Record<Split, readonly ShardFiles[]>>;
}

/**
 * Opens a set: parses meta.json and compares the sizes of all files with it. Reads no text.
 *
 * @throws UserError where the set is missing or unfinished, meta.json is not one, or a file is missing, cut
 *   short or too long.
 */
export function openShardSet(folder: string): ShardSet {
  const meta = readMeta(folder);
  const placed = (split: Split) =>
    (meta.splits[split]?.shards ?? []).map((info) => ({
      file: join(folder, info.file),
      index: join(folder, info.index),
      info,
    }));
  const set = {
    folder,
    meta,
    splits: { train: placed("train"), val: placed("val"), test: placed("test") },
  };
  for (const { file, index, info } of shardsOf(set)) {
    checkSize(file, textTokens(info) * meta.tokenizer.tokenBytes);
    checkSize(index, info.documents * INDEX_ENTRY);
  }
  return set;
}

/**
 * Opens a set and compares the SHA-256 of every file with meta.json's: about a second per gigabyte.
 *
 * @throws UserError as {@link openShardSet} does, and where a file was altered.
 */
export function verifyShards(folder: string): ShardSet {
  const set = openShardSet(folder);
  for (const { file, index, info } of shardsOf(set)) {
    checkHash(file, info.sha256);
    checkHash(index, info.indexSha256);
  }
  return set;
}

/** The counts of a split. @throws {UserError} where it has no text. */
export function splitOf({ meta }: ShardSet, split: Split): SplitInfo {
  const info = meta.splits[split];
  if (info !== undefined && info.documents > 0) return info;
  throw new UserError(
    `The text has no ${split} part: name another split, or hold some out in the prepare stage`,
  );
}

/** Tokens of a shard's documents: all of its stream but the end tokens. */
export const textTokens = ({ tokens, documents }: ShardInfo): number => tokens - documents - 1;

/** What meta.json says of a split, from its shards. */
export function sumOf(shards: readonly ShardInfo[]): SplitInfo {
  const sum = (key: "documents" | "bytes" | "tokens") =>
    shards.reduce((total, shard) => total + shard[key], 0);
  return { documents: sum("documents"), bytes: sum("bytes"), tokens: sum("tokens"), shards: [...shards] };
}

const shardsOf = ({ splits }: ShardSet): ShardFiles[] => SPLITS.flatMap((split) => splits[split]);

function readMeta(folder: string): ShardMeta {
  const path = join(folder, META);
  const json = readJson(path, AGAIN);
  const parsed = metaSchema.safeParse(json);
  if (!parsed.success) {
    const { path: key, message } = parsed.error.issues[0]!;
    throw notMeta(path, `${key.join(".")}: ${message}`);
  }
  const { splits, tokenizer } = parsed.data;
  if (tokenizer.endToken >= tokenizer.vocab) {
    throw notMeta(path, "tokenizer.endToken is not in the vocabulary");
  }
  for (const name of SPLITS) {
    const split = splits[name];
    if (split === undefined) continue;
    for (const shard of split.shards) checkCounts(path, shard, tokenizer);
    const { documents, bytes, tokens } = sumOf(split.shards);
    if (split.documents !== documents || split.bytes !== bytes || split.tokens !== tokens) {
      throw notMeta(path, `splits.${name} is not the sum of its shards`);
    }
  }
  return parsed.data;
}

function checkCounts(path: string, shard: ShardInfo, { kind }: TokenizerInfo): void {
  const tokens = textTokens(shard);
  const right = kind === "bytes" ? tokens === shard.bytes : tokens >= shard.documents;
  if (!right || shard.documents === 0) {
    throw notMeta(path, `the counts of ${shard.file} contradict each other`);
  }
}

const notMeta = (path: string, what: string) => new UserError(`Cannot use "${path}": ${what}; ${AGAIN}`);

function checkSize(path: string, expected: number): void {
  const found = reading(path, () => Deno.statSync(path).size);
  if (found === expected) return;
  const what = found < expected ? "it is cut short" : "it is too long";
  throw new UserError(
    `Cannot use the shard "${path}": ${what}, expected ${expected} bytes, found ${found}; ${AGAIN}`,
  );
}

function checkHash(path: string, expected: string): void {
  const found = sha256OfFile(path);
  if (found === expected) return;
  throw new UserError(
    `Cannot use the shard "${path}": it was altered, expected SHA-256 ${expected}, found ${found}; ${AGAIN}`,
  );
}

/** What helps against a damaged set. Without --force a stage that is done is not run again. */
export const AGAIN = "run prepare again, with --stage and --force";

/**
 * Shard sets: the folder that `prepare` makes and training, evaluation and decoding read.
 *
 * | file              | content                                                                                 |
 * | ----------------- | --------------------------------------------------------------------------------------- |
 * | `train-00000.bin` | raw text bytes of the shard's documents, end to end, nothing between them               |
 * | `train-00000.idx` | a little-endian u64 per document: the offset in the `.bin` at which it ends             |
 * | `val-00000.*`     | the same for the held-out documents                                                     |
 * | `meta.json`       | tokenizer, sources, counts and SHA-256 of each file; written last: without it, no set   |
 *
 * A shard's token stream is END d1 END d2 END ... dn END: byte b has id b + 64, END is id 0, and the leading END
 * is the start token. So a shard has 1 + bytes + documents tokens; the ids exist only where batches are gathered.
 */

import { join } from "node:path";
import * as z from "zod";
import { AtomicFile, sha256OfFile, writeJson } from "../formats/atomic.ts";
import { reading, writing } from "../formats/file_errors.ts";
import { readJson } from "../formats/json.ts";
import { UserError } from "../stage/errors.ts";

const count = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** A file beside meta.json: no separators, so that a meta.json from elsewhere cannot point out of its folder. */
const sibling = z.string().regex(/^[a-z]+-\d{5}\.(bin|idx)$/);

const shardSchema = z.strictObject({
  file: sibling,
  index: sibling,
  bytes: count,
  documents: count,
  sha256,
  indexSha256: sha256,
});

const splitSchema = z.strictObject({
  documents: count,
  bytes: count,
  tokens: count,
  shards: z.array(shardSchema),
});

const metaSchema = z.strictObject({
  format: z.literal("foretoken-shards"),
  version: z.literal(1),
  tokenizer: z.strictObject({
    kind: z.literal("bytes"),
    vocab: z.literal(320),
    byteOffset: z.literal(64),
    endToken: z.literal(0),
  }),
  sources: z.array(z.strictObject({
    path: z.string(),
    bytes: count,
    documents: count,
    invalidUtf8: z.boolean(),
  })),
  splits: z.strictObject({ train: splitSchema, val: splitSchema }),
});

/** What meta.json says about one shard: names, sizes, hexadecimal SHA-256 of both files. */
export type ShardInfo = z.output<typeof shardSchema>;
/** One split: sums over its shards. `tokens` counts end tokens and each shard's leading one. */
export type SplitInfo = z.output<typeof splitSchema>;
/** Where documents came from: `bytes` and `documents` are what was kept of them. */
export type SourceInfo = z.output<typeof metaSchema>["sources"][number];
/** All of meta.json. */
export type ShardMeta = z.output<typeof metaSchema>;
/** `val` is the held-out part. */
export type Split = keyof ShardMeta["splits"];

/** The byte tokenizer: byte b has id b + 64; of the 64 special ids only the end token's is used. */
export const BYTE_TOKENIZER = { kind: "bytes", vocab: 320, byteOffset: 64, endToken: 0 } as const;

const META = "meta.json";

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
  /** Shards in the order of their documents. */
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
    meta.splits[split].shards.map((info) => ({
      file: join(folder, info.file),
      index: join(folder, info.index),
      info,
    }));
  const splits = { train: placed("train"), val: placed("val") };
  for (const { file, index, info } of [...splits.train, ...splits.val]) {
    checkSize(file, info.bytes);
    checkSize(index, info.documents * INDEX_ENTRY);
  }
  return { folder, meta, splits };
}

/**
 * Opens a set and compares the SHA-256 of every file with meta.json's: about a second per gigabyte.
 *
 * @throws UserError as {@link openShardSet} does, and where a file was altered.
 */
export function verifyShards(folder: string): ShardSet {
  const set = openShardSet(folder);
  for (const { file, index, info } of [...set.splits.train, ...set.splits.val]) {
    checkHash(file, info.sha256);
    checkHash(index, info.indexSha256);
  }
  return set;
}

/**
 * The documents of one split, in order, each in an array of its own.
 *
 * @throws UserError where the set cannot be opened or read.
 */
export function* readDocuments(folder: string, split: Split): Generator<Uint8Array> {
  for (const { file, index } of openShardSet(folder).splits[split]) {
    const ends = readIndex(index);
    using text = reading(file, () => Deno.openSync(file));
    let start = 0;
    for (const end of ends) {
      const document = new Uint8Array(end - start);
      reading(file, () => readFully(text, document));
      yield document;
      start = end;
    }
  }
}

/** Writes meta.json and so declares the set whole: the last step. */
export function writeMeta(
  folder: string,
  sources: readonly SourceInfo[],
  splits: Readonly<Record<Split, readonly ShardInfo[]>>,
): ShardMeta {
  const meta: ShardMeta = {
    format: "foretoken-shards",
    version: 1,
    tokenizer: BYTE_TOKENIZER,
    sources: [...sources],
    splits: { train: sum(splits.train), val: sum(splits.val) },
  };
  writeJson(join(folder, META), meta);
  return meta;
}

/** Removes what an earlier run left in the folder, meta.json first, so that no moment shows half a set as whole. */
export function removeShardSet(folder: string): void {
  const stale = /^(train|val)-\d{5}\.(bin|idx)(\.partial)?$|^meta\.json\.partial$/;
  writing(folder, () => {
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    if (names.includes(META)) Deno.removeSync(join(folder, META));
    for (const name of names) if (stale.test(name)) Deno.removeSync(join(folder, name));
  });
}

/**
 * Writes one split, shard after shard. A document lies in one shard as a whole; a new shard begins before a
 * document that would take the current one past `shardBytes`, so only a longer document makes a longer shard.
 *
 * Every method throws a `UserError` where the system refuses (disk full, ...).
 */
export class SplitWriter implements Disposable {
  readonly #finished: ShardInfo[] = [];
  #shard: OpenShard | undefined;
  #documents = 0;
  #bytes = 0;

  /** @param folder Where the files go. @param shardBytes Text bytes that a shard may have. */
  constructor(readonly folder: string, readonly split: Split, readonly shardBytes: number) {}

  /** Documents so far. */
  get documents(): number {
    return this.#documents;
  }

  /** Text bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Appends a document, which is not empty; its bytes are copied. */
  add(document: Uint8Array): void {
    if (this.#shard && this.#shard.bytes + document.length > this.shardBytes) this.#finishShard();
    this.#shard ??= new OpenShard(
      this.folder,
      `${this.split}-${`${this.#finished.length}`.padStart(5, "0")}`,
    );
    this.#shard.add(document);
    this.#documents++;
    this.#bytes += document.length;
  }

  /** Ends the last shard; the files of all of them are then on the disk. */
  finish(): readonly ShardInfo[] {
    if (this.#shard) this.#finishShard();
    return this.#finished;
  }

  /** Removes the shard that is not finished. */
  [Symbol.dispose](): void {
    this.#shard?.[Symbol.dispose]();
  }

  #finishShard(): void {
    this.#finished.push(this.#shard!.finish());
    this.#shard = undefined;
  }
}

/** Bytes of one document's entry in an index. */
const INDEX_ENTRY = 8;

class OpenShard implements Disposable {
  readonly #text: AtomicFile;
  readonly #index: AtomicFile;
  readonly #entry = new DataView(new ArrayBuffer(INDEX_ENTRY));
  readonly #entryBytes = new Uint8Array(this.#entry.buffer);

  constructor(folder: string, readonly name: string) {
    this.#text = new AtomicFile(join(folder, `${name}.bin`));
    this.#index = new AtomicFile(join(folder, `${name}.idx`));
  }

  get bytes(): number {
    return this.#text.bytes;
  }

  add(document: Uint8Array): void {
    this.#text.write(document);
    const end = this.#text.bytes;
    this.#entry.setUint32(0, end, true); // modulo 2^32
    this.#entry.setUint32(4, end / 2 ** 32, true);
    this.#index.write(this.#entryBytes);
  }

  finish(): ShardInfo {
    const text = this.#text.commit();
    const index = this.#index.commit();
    return {
      file: `${this.name}.bin`,
      index: `${this.name}.idx`,
      bytes: text.bytes,
      documents: index.bytes / INDEX_ENTRY,
      sha256: text.sha256,
      indexSha256: index.sha256,
    };
  }

  [Symbol.dispose](): void {
    this.#text[Symbol.dispose]();
    this.#index[Symbol.dispose]();
  }
}

function sum(shards: readonly ShardInfo[]): SplitInfo {
  const documents = shards.reduce((total, shard) => total + shard.documents, 0);
  const bytes = shards.reduce((total, shard) => total + shard.bytes, 0);
  return { documents, bytes, tokens: shards.length + bytes + documents, shards: [...shards] };
}

function readMeta(folder: string): ShardMeta {
  const path = join(folder, META);
  const parsed = metaSchema.safeParse(readJson(path, "run prepare again"));
  if (!parsed.success) {
    const { path: key, message } = parsed.error.issues[0]!;
    throw notMeta(path, `${key.join(".")}: ${message}`);
  }
  for (const [name, split] of Object.entries(parsed.data.splits)) {
    const { documents, bytes, tokens } = sum(split.shards);
    if (split.documents !== documents || split.bytes !== bytes || split.tokens !== tokens) {
      throw notMeta(path, `splits.${name} is not the sum of its shards`);
    }
  }
  return parsed.data;
}

const notMeta = (path: string, what: string) =>
  new UserError(`Cannot use "${path}": ${what}; run prepare again`);

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

const AGAIN = "run prepare again";

function readIndex(path: string): number[] {
  const bytes = reading(path, () => Deno.readFileSync(path));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from(
    { length: bytes.length / INDEX_ENTRY },
    (_, i) => view.getUint32(i * INDEX_ENTRY, true) + view.getUint32(i * INDEX_ENTRY + 4, true) * 2 ** 32,
  );
}

function readFully(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    const n = file.readSync(bytes.subarray(at));
    if (n === null) throw new UserError("The shard ended early");
    at += n;
  }
}

/** Documents to tokens on their way into shards: bytes as they are, subwords many documents at a time. */

import { join } from "node:path";
import type { PrepareConfig } from "../config/schema.ts";
import { sha256OfFile, writeBytes, writeText } from "../formats/atomic.ts";
import { reading } from "../formats/file_errors.ts";
import type { StageIo } from "../stage/io.ts";
import type { BatchTokenizer } from "../text/tokenizer.ts";
import type { Corpus } from "./corpus.ts";
import { sampleOf } from "./sample.ts";
import type { SplitWriter } from "./shard_writer.ts";
import { BYTE_TOKENIZER, type Split, SPLITS, type TokenizerInfo } from "./shards.ts";
import type { Dealt } from "./splits.ts";

type Writers = Readonly<Record<Split, SplitWriter>>;
/** Told of each document that was written. */
type Count = (file: number, bytes: number, tokens: number) => void;

/** Writes documents as tokens. */
export interface Encoder extends Disposable {
  readonly info: TokenizerInfo;
  /** Takes a document, whose text is not changed until it is written. */
  add(document: Dealt, split: Split): void;
  /** Writes what waits. */
  flush(): void;
}

/** How an encoder is made, once the writers are there. */
export interface Encoding {
  readonly info: TokenizerInfo;
  encoder(writers: Writers, count: Count): Encoder;
}

/** The file in a set that says what its ids stand for. */
export const TOKENIZER = "tokenizer.json";

/**
 * The encoding that the config asks for. A subword tokenizer is put into the stage's folder: trained on a sample of the
 * corpus, or copied from where the config says.
 *
 * @throws {UserError} where a tokenizer cannot be read, is of a kind that is not supported, or cannot be loaded
 */
export async function makeEncoding(config: PrepareConfig, corpus: Corpus, io: StageIo): Promise<Encoding> {
  const { tokenizer } = config;
  if (tokenizer === "bytes") return BYTES;
  const path = join(io.folder, TOKENIZER);
  if (typeof tokenizer === "string") {
    writeBytes(path, reading(tokenizer, () => Deno.readFileSync(tokenizer)));
    return await openEncoding(path, config.end_token, tokenizer);
  }
  const { vocab, pattern, special, sample_bytes } = tokenizer;
  const sample = await sampleOf(corpus, config, sample_bytes, io);
  const bytes = sample.reduce((sum, { length }) => sum + length, 0);
  io.log(`training a tokenizer of ${vocab} ids on ${(bytes / 1e6).toFixed(1)} MB of text`);
  const { trainBpe } = await import("../text/train.ts");
  writeText(path, trainBpe(sample, { vocab, pattern, special }));
  const encoding = await openEncoding(path, special[0]);
  if (encoding.info.vocab < vocab) {
    io.log(`${encoding.info.vocab} ids and not ${vocab}: no pair of tokens is left to merge in the sample`);
  }
  return encoding;
}

/** The encoding of a set whose writing goes on. */
export async function reopenEncoding(folder: string, info: TokenizerInfo): Promise<Encoding> {
  return info.kind === "bytes" ? BYTES : await openEncoding(join(folder, info.file), info.endToken);
}

const BYTES: Encoding = {
  info: BYTE_TOKENIZER,
  encoder: (writers, count) => ({
    info: BYTE_TOKENIZER,
    add: ({ text, file }, split) => {
      writers[split].add(text);
      count(file, text.length, text.length);
    },
    flush: () => {},
    [Symbol.dispose]: () => {},
  }),
};

/** @param end The token that ends a document, where its name is not a usual one. @param given What the user calls the file. */
async function openEncoding(path: string, end?: string | number, given = path): Promise<Encoding> {
  const { openTokenizerText } = await import("../text/bpe.ts");
  const tokenizer = openTokenizerText(reading(path, () => Deno.readTextFileSync(path)), given, { end });
  const info = {
    kind: "bpe",
    vocab: tokenizer.vocab,
    endToken: tokenizer.end,
    tokenBytes: tokenizer.vocab <= 2 ** 16 ? 2 : 4,
    file: TOKENIZER,
    sha256: sha256OfFile(path),
  } as const;
  return { info, encoder: (writers, count) => new BpeEncoder(tokenizer, info, writers, count) };
}

/** Text that is encoded together: enough for all threads, little beside the rest of the memory. */
const BATCH = 8 << 20;

class BpeEncoder implements Encoder {
  readonly #waiting: { readonly document: Dealt; readonly split: Split }[] = [];
  #bytes = 0;

  constructor(
    readonly tokenizer: BatchTokenizer,
    readonly info: TokenizerInfo,
    readonly writers: Writers,
    readonly count: Count,
  ) {}

  add(document: Dealt, split: Split): void {
    this.#waiting.push({ document, split });
    this.#bytes += document.text.length;
    if (this.#bytes >= BATCH) this.flush();
  }

  flush(): void {
    for (const split of SPLITS) {
      this.#write(split, this.#waiting.filter((one) => one.split === split).map(({ document }) => document));
    }
    this.#waiting.length = this.#bytes = 0;
  }

  [Symbol.dispose](): void {
    this.tokenizer[Symbol.dispose]();
  }

  #write(split: Split, documents: readonly Dealt[]): void {
    if (documents.length === 0) return;
    const { ids, ends, bytes } = this.tokenizer.encodeBatch(documents.map(({ text }) => text));
    const tokens = this.info.tokenBytes === 2 ? new Uint16Array(ids) : ids; // shards are little-endian, as this machine is
    let start = 0;
    for (const [i, { file }] of documents.entries()) {
      const own = tokens.subarray(start, ends[i]);
      this.writers[split].add(new Uint8Array(own.buffer, own.byteOffset, own.byteLength), bytes[i]!);
      this.count(file, bytes[i]!, own.length);
      start = ends[i]!;
    }
  }
}

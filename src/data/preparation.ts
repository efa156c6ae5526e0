/** A preparation under way: what becomes of each document, what is counted, and how far it has come. */

import { isUtf8 } from "node:buffer";
import { join } from "node:path";
import type { PrepareConfig } from "../config/schema.ts";
import { isMadeUp } from "../config/schema/prepare.ts";
import { Cleaner, type Filter, type Tally } from "./cleaning.ts";
import { type Corpus, isTaken } from "./corpus.ts";
import type { Encoder, Encoding } from "./encoding.ts";
import { type Progress, writeProgress } from "./progress.ts";
import { Seen } from "./seen.ts";
import { bySplit, SEEN, SplitWriter } from "./shard_writer.ts";
import type { ShardInfo, SourceInfo, Split } from "./shards.ts";
import { documentsIn, type FileBatch, type Position } from "./sources/mod.ts";
import { Dealer } from "./splits.ts";

/** What a source has come to; `SourceInfo` while it is counted. */
type Counted = { -readonly [K in keyof SourceInfo]: SourceInfo[K] };

/** Takes batches and writes shards. */
export class Preparation implements Disposable {
  readonly writers: Readonly<Record<Split, SplitWriter>>;
  readonly sources: readonly Counted[];
  readonly cleaning: Record<string, Tally>;
  /** Where reading goes on. */
  position: Position;
  readonly #drawn: number[];
  readonly #seen: Seen | undefined;
  readonly #cleaner: Cleaner;
  readonly #dealer: Dealer;
  readonly #encoder: Encoder;
  #source = 0;
  #shardsSaved: number;

  /** @param before What an earlier attempt had come to. */
  constructor(
    readonly folder: string,
    readonly config: PrepareConfig,
    readonly corpus: Corpus,
    readonly encoding: Encoding,
    readonly fingerprint: string,
    before: Progress | undefined,
  ) {
    const { tokenBytes } = encoding.info;
    this.writers = bySplit((split) =>
      new SplitWriter(folder, split, config.shard_bytes, tokenBytes, before?.splits[split])
    );
    this.sources = before?.sources.map((info) => ({ ...info })) ?? corpus.sources.map(infoOf);
    this.cleaning = { ...before?.cleaning };
    this.position = before?.position ?? { file: 0, at: 0, line: 0 };
    this.#drawn = [...before?.drawn ?? corpus.passes.map(() => 0)];
    const { deduplicate } = config.cleaning;
    const firstPass = corpus.passes.map(({ first }) => first);
    this.#seen = deduplicate ? new Seen(join(folder, SEEN), firstPass, before?.seen) : undefined;
    this.#cleaner = new Cleaner(
      config.cleaning,
      this.#seen,
      (filter, bytes) => this.#countOut(filter, bytes),
    );
    this.#encoder = encoding.encoder(this.writers, (file, bytes, tokens) => {
      const info = this.sources[corpus.roles[file]!.source]!;
      info.documents++;
      info.bytes += bytes;
      info.tokens += tokens;
    });
    const amounts = amountsOf(config);
    this.#dealer = new Dealer(amounts, config.seed, (document, split) => this.#encoder.add(document, split));
    if (before) this.#dealer.resume(before.dealer);
    this.#shardsSaved = this.#shards;
  }

  /** Takes the documents of a batch. */
  take(batch: FileBatch): void {
    const { file, next, empty, skipped } = batch;
    const { pass: number, source, split } = this.corpus.roles[file]!;
    const pass = this.corpus.passes[number]!;
    this.#source = source;
    const info = this.sources[source]!;
    if (pass.first === number) { // else it would be counted again
      info.skipped += skipped;
      if (empty > 0) info.removed.empty = (info.removed.empty ?? 0) + empty;
    }
    for (const document of documentsIn(batch)) {
      if (!isTaken(pass, this.#drawn[number]!++)) continue;
      const text = this.#cleaner.clean(document, number);
      if (text === undefined || text.length === 0) continue;
      if (!isUtf8(text)) info.invalidUtf8++;
      if (split === undefined) this.#dealer.add({ text, file });
      else this.#encoder.add({ text, file }, split);
    }
    this.position = next;
  }

  /** Saves where this has come to, if a shard has become whole since it was saved last. */
  saveIfDue(): void {
    if (this.#shards > this.#shardsSaved) this.save();
  }

  /** Brings everything to the disk, so that another attempt can go on from here. */
  save(): void {
    this.#encoder.flush();
    const splits = bySplit((split) => this.writers[split].save());
    const seen = this.#seen?.save() ?? 0;
    const { fingerprint, position, sources, cleaning } = this;
    const [drawn, dealer, tokenizer] = [this.#drawn, this.#dealer.state, this.encoding.info];
    writeProgress(this.folder, {
      fingerprint,
      tokenizer,
      position,
      drawn,
      sources,
      cleaning,
      splits,
      dealer,
      seen,
    });
    this.#shardsSaved = this.#shards;
  }

  /** Deals and writes what waits. */
  deal(): void {
    this.#dealer.finish();
    this.#encoder.flush();
  }

  /** Ends the last shards. */
  finish(): Record<Split, readonly ShardInfo[]> {
    return bySplit((split) => this.writers[split].finish());
  }

  /** Stops and leaves what was saved, for another attempt. */
  leave(): void {
    for (const writer of Object.values(this.writers)) writer.leave();
  }

  /** Removes what is not finished. */
  [Symbol.dispose](): void {
    for (const writer of Object.values(this.writers)) writer[Symbol.dispose]();
    this.#seen?.[Symbol.dispose]();
    this.#encoder[Symbol.dispose]();
  }

  get #shards(): number {
    return Object.values(this.writers).reduce((sum, { shards }) => sum + shards, 0);
  }

  #countOut(filter: Filter, bytes: number): void {
    const { removed } = this.sources[this.#source]!;
    removed[filter] = (removed[filter] ?? 0) + 1;
    const { documents, bytes: before } = this.cleaning[filter] ?? { documents: 0, bytes: 0 };
    this.cleaning[filter] = { documents: documents + 1, bytes: before + bytes };
  }
}

function infoOf({ path, format, compression, weight, size, mtime }: Corpus["sources"][number]): Counted {
  return {
    path,
    format: compression === "none" ? format : `${format}.${compression}`,
    weight,
    documents: 0,
    bytes: 0,
    tokens: 0,
    invalidUtf8: 0,
    skipped: 0,
    removed: {},
    fingerprint: isMadeUp(format) ? null : { size, mtime },
  };
}

/** What is held out by the documents' text; what is held out by name was dealt with before. */
function amountsOf({ validation, test }: PrepareConfig): Partial<Record<"val" | "test", number>> {
  return {
    ...(typeof test === "number" ? { test } : {}),
    ...(typeof validation === "number" ? { val: validation } : {}),
  };
}

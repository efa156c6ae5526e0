/** Writes shard sets, whose layout shards.ts describes: shard after shard, meta.json last. */

import { join } from "node:path";
import { AtomicFile, writeJson } from "../formats/atomic.ts";
import { writing } from "../formats/file_errors.ts";
import {
  BYTE_TOKENIZER,
  INDEX_ENTRY,
  META,
  type ShardInfo,
  type ShardMeta,
  type SourceInfo,
  type Split,
  SPLITS,
  sumOf,
} from "./shards.ts";

/** Writes meta.json and so declares the set whole: the last step. Without `test`, or where it has no shard, it is left out. */
export function writeMeta(
  folder: string,
  sources: readonly SourceInfo[],
  shards: Readonly<Partial<Record<Split, readonly ShardInfo[]>>>,
  { tokenizer, cleaning }: Pick<ShardMeta, "tokenizer" | "cleaning"> = {
    tokenizer: BYTE_TOKENIZER,
    cleaning: {},
  },
): ShardMeta {
  const { train = [], val = [], test = [] } = shards;
  const splits = {
    train: sumOf(train),
    val: sumOf(val),
    ...(test.length === 0 ? {} : { test: sumOf(test) }),
  };
  const meta: ShardMeta = {
    format: "foretoken-shards",
    version: 2,
    tokenizer,
    sources: [...sources],
    cleaning,
    splits,
  };
  writeJson(join(folder, META), meta);
  return meta;
}

/** What prepare writes, and what it leaves when it is killed. */
const OWN =
  /^((train|val|test)-\d{5}\.(bin|idx)|seen\.bin|(meta|progress|statistics|tokenizer)\.json)(\.partial)?$/;

/** Removes what an earlier run left in the folder, meta.json first, so that no moment shows half a set as whole. */
export function removeShardSet(folder: string): void {
  removeMeta(folder);
  writing(folder, () => {
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    for (const name of names) if (OWN.test(name)) Deno.removeSync(join(folder, name));
  });
}

/** Removes meta.json, where there is one: the set is no longer whole. */
export const removeMeta = (folder: string): void => removeOne(folder, META);

/** Removes the file of seen documents, which only the writing of a set needs. */
export const removeSeen = (folder: string): void => removeOne(folder, SEEN);

function removeOne(folder: string, name: string): void {
  writing(join(folder, name), () => {
    if ([...Deno.readDirSync(folder)].some((entry) => entry.name === name)) {
      Deno.removeSync(join(folder, name));
    }
  });
}

/** Where hashes of the documents lie as long as a set is being written; see seen.ts. */
export const SEEN = "seen.bin";

/** What has to be known to go on with a split: the shards that are whole, and where the next one has come to. */
export interface SplitState {
  readonly finished: readonly ShardInfo[];
  readonly open: { readonly documents: number; readonly bytes: number; readonly fileBytes: number } | null;
}

const NOTHING: SplitState = { finished: [], open: null };

/**
 * Writes one split, shard after shard. A document lies in one shard as a whole; a new shard begins before a
 * document that would take the current one past `shardBytes`, so only a longer document makes a longer shard.
 *
 * Every method throws a `UserError` where the system refuses (disk full, ...).
 */
export class SplitWriter implements Disposable {
  readonly #finished: ShardInfo[];
  #shard: OpenShard | undefined;

  /**
   * @param folder Where the files go.
   * @param shardBytes Text bytes that a shard may have.
   * @param tokenBytes Bytes of a token.
   * @param from What another writer had come to: goes on there.
   */
  constructor(
    readonly folder: string,
    readonly split: Split,
    readonly shardBytes: number,
    readonly tokenBytes = 1,
    from = NOTHING,
  ) {
    this.#finished = [...from.finished];
    if (from.open) this.#shard = new OpenShard(folder, this.#nextName(), tokenBytes, from.open);
  }

  /** Whether there is no document yet. */
  get isEmpty(): boolean {
    return this.#finished.length === 0 && this.#shard === undefined;
  }

  /** Shards that are whole. */
  get shards(): number {
    return this.#finished.length;
  }

  /**
   * Appends a document; its tokens are copied.
   *
   * @param tokens Its tokens as they lie in the file; at least one.
   * @param bytes Bytes of its text.
   */
  add(tokens: Uint8Array, bytes = tokens.length): void {
    if (this.#shard && this.#shard.bytes + bytes > this.shardBytes) this.#finishShard();
    this.#shard ??= new OpenShard(this.folder, this.#nextName(), this.tokenBytes);
    this.#shard.add(tokens, bytes);
  }

  /** Brings all to the disk, so that another writer can go on from here. */
  save(): SplitState {
    return { finished: this.#finished, open: this.#shard?.save() ?? null };
  }

  /** Ends the last shard; the files of all of them are then on the disk. */
  finish(): readonly ShardInfo[] {
    if (this.#shard) this.#finishShard();
    return this.#finished;
  }

  /** Stops writing and leaves what was saved. */
  leave(): void {
    this.#shard?.leave();
    this.#shard = undefined;
  }

  /** Removes the shard that is not finished. */
  [Symbol.dispose](): void {
    this.#shard?.[Symbol.dispose]();
  }

  #nextName(): string {
    return `${this.split}-${`${this.#finished.length}`.padStart(5, "0")}`;
  }

  #finishShard(): void {
    this.#finished.push(this.#shard!.finish());
    this.#shard = undefined;
  }
}

class OpenShard implements Disposable {
  readonly #text: AtomicFile;
  readonly #index: AtomicFile;
  readonly #entry = new DataView(new ArrayBuffer(INDEX_ENTRY));
  readonly #entryBytes = new Uint8Array(this.#entry.buffer);
  #bytes: number;

  constructor(
    folder: string,
    readonly name: string,
    readonly tokenBytes: number,
    from = { documents: 0, bytes: 0, fileBytes: 0 },
  ) {
    this.#text = new AtomicFile(join(folder, `${name}.bin`), from.fileBytes);
    this.#index = new AtomicFile(join(folder, `${name}.idx`), from.documents * INDEX_ENTRY);
    this.#bytes = from.bytes;
  }

  /** Bytes of text. */
  get bytes(): number {
    return this.#bytes;
  }

  add(tokens: Uint8Array, bytes: number): void {
    this.#text.write(tokens);
    this.#bytes += bytes;
    const end = this.#text.bytes / this.tokenBytes;
    this.#entry.setUint32(0, end, true); // modulo 2^32
    this.#entry.setUint32(4, end / 2 ** 32, true);
    this.#index.write(this.#entryBytes);
  }

  save() {
    return { documents: this.#index.save() / INDEX_ENTRY, bytes: this.#bytes, fileBytes: this.#text.save() };
  }

  leave(): void {
    this.#text.leave();
    this.#index.leave();
  }

  finish(): ShardInfo {
    const text = this.#text.commit();
    const index = this.#index.commit();
    const documents = index.bytes / INDEX_ENTRY;
    return {
      file: `${this.name}.bin`,
      index: `${this.name}.idx`,
      documents,
      bytes: this.#bytes,
      tokens: 1 + text.bytes / this.tokenBytes + documents,
      sha256: text.sha256,
      indexSha256: index.sha256,
    };
  }

  [Symbol.dispose](): void {
    this.#text[Symbol.dispose]();
    this.#index[Symbol.dispose]();
  }
}

/** Runs over the splits and gives the results by their names. */
export function bySplit<T>(make: (split: Split) => T): Record<Split, T> {
  return Object.fromEntries(SPLITS.map((split) => [split, make(split)])) as Record<Split, T>;
}

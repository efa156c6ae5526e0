/** The documents of a shard set, by number, as text. */

import { reading } from "../formats/file_errors.ts";
import { UserError } from "../stage/errors.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { DocumentIndex } from "./document_index.ts";
import { AGAIN, openShardSet, type ShardFiles, type ShardSet, type Split } from "./shards.ts";
import { tokenizerOf } from "./tokenizer_of.ts";

/** The tokens of a file: bytes of text where those are the tokens, else ids. */
export type FileTokens = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

const ARRAYS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array };

/** Reads documents of one split in any order; in memory is the index of one shard at a time. */
export class Documents implements Disposable {
  /** Documents of the split. */
  readonly count: number;
  readonly #shards: readonly ShardFiles[];
  #open: OpenShard | undefined;

  /** @param tokenizer The set's, which its owner disposes of later. */
  constructor(readonly set: ShardSet, split: Split, readonly tokenizer: Tokenizer) {
    this.#shards = set.splits[split];
    this.count = set.meta.splits[split]?.documents ?? 0;
  }

  /** Tokens of a document, without its end token. @throws {UserError} where the shard cannot be read. */
  length(document: number): number {
    const { shard, row } = this.#find(document);
    return shard.index.end(row) - shard.index.start(row);
  }

  /** The first tokens of a document, at most `most`. @throws {UserError} where the shard cannot be read. */
  tokens(document: number, most = Infinity): FileTokens {
    const { shard, row } = this.#find(document);
    const start = shard.index.start(row);
    return shard.read(start, Math.min(shard.index.end(row), start + most));
  }

  /** Their text. @throws {UserError} where the shard cannot be read, or holds an id that is not in the vocabulary. */
  text(document: number, most = Infinity): Uint8Array<ArrayBuffer> {
    const tokens = this.tokens(document, most);
    if (tokens instanceof Uint8Array) return tokens;
    try {
      return this.tokenizer.decode(tokens);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new UserError(
        `Cannot read document ${document} of "${this.set.folder}": ${error.message}; ${AGAIN}`,
      );
    }
  }

  [Symbol.dispose](): void {
    this.#open?.[Symbol.dispose]();
  }

  /** The shard of a document, and its number there. */
  #find(document: number): { shard: OpenShard; row: number } {
    let row = document;
    for (const files of this.#shards) {
      if (row < files.info.documents) return { shard: this.#opened(files), row };
      row -= files.info.documents;
    }
    throw new RangeError(`There is no document ${document} of ${this.count}`);
  }

  #opened(files: ShardFiles): OpenShard {
    if (this.#open?.files !== files) {
      this.#open?.[Symbol.dispose]();
      this.#open = new OpenShard(files, this.set.meta.tokenizer.tokenBytes);
    }
    return this.#open;
  }
}

/**
 * The documents of one split, in order, each in an array of its own.
 *
 * @throws UserError where the set cannot be opened or read.
 */
export function* readDocuments(folder: string, split: Split): Generator<Uint8Array<ArrayBuffer>> {
  const set = openShardSet(folder);
  using tokenizer = tokenizerOf(set);
  using documents = new Documents(set, split, tokenizer);
  for (let i = 0; i < documents.count; i++) yield documents.text(i);
}

/** One shard's index in memory, its tokens in a file. */
class OpenShard implements Disposable {
  readonly index: DocumentIndex;
  readonly #file: Deno.FsFile;

  constructor(readonly files: ShardFiles, readonly tokenBytes: 1 | 2 | 4) {
    this.index = new DocumentIndex(files);
    this.#file = reading(files.file, () => Deno.openSync(files.file));
  }

  read(start: number, end: number): FileTokens {
    const tokens = new ARRAYS[this.tokenBytes](end - start);
    const bytes = new Uint8Array(tokens.buffer);
    const { file } = this.files;
    reading(file, () => {
      this.#file.seekSync(start * this.tokenBytes, Deno.SeekMode.Start);
      readFully(this.#file, file, bytes);
    });
    return tokens;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Fills `bytes` from where the file stands. @throws {UserError} where the file ends before. */
export function readFully(file: Deno.FsFile, path: string, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    const n = file.readSync(bytes.subarray(at));
    if (n === null) throw new UserError(`Cannot use the shard "${path}": it is cut short; ${AGAIN}`);
    at += n;
  }
}

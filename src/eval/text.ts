/**
 * The text whose tokens are scored: a part of a shard set, or files. Both are streams END d1 END d2 END ..., as
 * src/data/shards.ts describes them, with the places of their documents' ends.
 */
import { sourcesOf } from "../config/schema/prepare.ts";
import { DocumentIndex } from "../data/document_index.ts";
import { type ShardSet, type Split, splitOf } from "../data/shards.ts";
import { documentsIn } from "../data/sources/mod.ts";
import { filesOf } from "../data/sources/file.ts";
import { readFiles } from "../data/sources/read.ts";
import { openTokens } from "../data/token_shards.ts";
import { UserError } from "../stage/errors.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { type BlockShape, type BlockStart, Tensor } from "../torch/mod.ts";

/** One stream of tokens. */
export interface Stream {
  /** All of it, the leading end token included. */
  readonly tokens: number;
  readonly documents: number;
  /** Where in the stream the end token of a document stands. */
  end(document: number): number;
}

/** Streams, and batches out of them as training has them. */
export interface Text extends Disposable {
  readonly streams: readonly Stream[];
  /** Of text, over all streams; of files, of what was read of them. */
  readonly bytes: number;
  readonly tokens: number;
  /** See `TokenShards.gather`; `start.shard` is the number of a stream. */
  gather(starts: readonly BlockStart[], shape: BlockShape): { inputs: Tensor; targets: Tensor };
}

/** A part of a shard set. @throws {UserError} where there is none, or a shard cannot be read. */
export function splitText(set: ShardSet, split: Split): Text {
  const { bytes, tokens } = splitOf(set, split);
  const indices = set.splits[split].map((files) => new DocumentIndex(files));
  const shards = openTokens(set, split);
  return {
    bytes,
    tokens,
    streams: indices.map((index, i) => ({
      tokens: shards.tokens[i]!,
      documents: index.documents,
      end: (document) => 1 + index.end(document) + document,
    })),
    gather: (starts, shape) => shards.gather(starts, shape),
    [Symbol.dispose]: () => shards[Symbol.dispose](),
  };
}

/**
 * Files, encoded here, in one stream in memory: of whole documents so many that their tokens are at least `most`.
 *
 * @param document Whether a file is one, or each block between blank lines in it.
 * @throws {UserError} where a file cannot be read, or none of them has any text.
 */
export async function filesText(
  paths: readonly string[],
  document: "file" | "blank_line",
  tokenizer: Tokenizer,
  most: number,
): Promise<Text> {
  const [defaults] = sourcesOf([paths[0]!]);
  const files = filesOf({ ...defaults!, path: [...paths] }, { document, skipDamage: false, seed: 0 });
  const ids = [tokenizer.end];
  const ends: number[] = [];
  let bytes = 0;
  read: for await (const batch of readFiles(files, { file: 0, at: 0, line: 0 })) {
    for (const text of documentsIn(batch)) {
      if (ids.length > most) break read;
      for (const id of tokenizer.encode(text)) ids.push(id);
      bytes += text.length;
      ends.push(ids.push(tokenizer.end) - 1);
    }
  }
  if (ends.length === 0) {
    const named = files.length === 1 ? `"${files[0]!.path}"` : `${files.length} files`;
    throw new UserError(`There is no text in ${named}: nothing can be scored`);
  }
  const documents = Uint32Array.from(documentNumbers(ids.length, [0, ...ends]));
  return {
    bytes,
    tokens: ids.length,
    streams: [{ tokens: ids.length, documents: ends.length, end: (document) => ends[document]! }],
    gather: (starts, { length, heads }) => {
      const rows = starts.map(({ token }) => token);
      const inputs = rows.flatMap((start) => ids.slice(start, start + length));
      // Head i at t predicts token t + i of the same document; head 1 documents' first tokens too.
      const target = (t: number, i: number) =>
        i === 1 || documents[t + i] === documents[t] ? ids[t + i] ?? -1 : -1;
      const targets = Array.from(
        { length: heads },
        (_, i) => rows.flatMap((start) => Array.from({ length }, (_, t) => target(start + t, i + 1))),
      );
      return {
        inputs: Tensor.ids(inputs, [rows.length, length]),
        targets: Tensor.ids(targets.flat(), [heads, rows.length, length]),
      };
    },
    [Symbol.dispose]: () => {},
  };
}

/** Which document each token of a stream is of; an end token is of the one that it ends, the first one of its own. */
function* documentNumbers(tokens: number, ends: readonly number[]): Generator<number> {
  for (let token = 0, document = 0; token < tokens; token++) {
    yield document;
    if (token === ends[document]) document++;
  }
}

/** Memory-mapped token shards: blocks of tokens with the targets of every head. */
import { check, native } from "./native.ts";
import { Tensor } from "./tensor.ts";

/** Where a block begins: a shard, and a token of its stream (0 is the leading end token). */
export interface BlockStart {
  readonly shard: number;
  readonly token: number;
}

/** What the tokens of a shard's file stand for. */
export interface Vocabulary {
  /** Size of a token in the file: little-endian. */
  readonly tokenBytes: 1 | 2 | 4;
  /** The id of a token is the token plus this. */
  readonly offset: number;
  readonly endToken: number;
  /** Bytes of text that each id stands for: as many as there are ids. */
  readonly byteLengths: Uint32Array;
}

/** How a block is read. */
export interface BlockShape {
  /** T: inputs of a block. */
  readonly length: number;
  /** K: heads that have targets. */
  readonly heads: number;
  /** Whether head 1 also predicts documents' first tokens. */
  readonly predictFirst: boolean;
}

/** Blocks of tokens, on the CPU. */
export interface Blocks {
  /** (rows, length) int64. */
  readonly inputs: Tensor;
  /** (heads, rows, length) int64: head i (from 1) at t has token t + i of the same document; -1 where there is none. */
  readonly targets: Tensor;
  /** Valid targets of each head. */
  readonly counts: readonly number[];
  /** Text bytes that the targets of head 1 stand for. */
  readonly bytes: number;
}

const tokenCount = new Float64Array(1);
const pair = new Int32Array(2);

/** A set of shards, mapped until it is disposed. */
export class TokenShards implements Disposable {
  readonly #handle: number;
  /** Tokens in each shard's stream, the leading end token included. */
  readonly tokens: readonly number[];

  /** @throws {TorchError} naming the file that cannot be mapped or does not fit its index. */
  constructor(
    shards: readonly { readonly file: string; readonly index: string }[],
    readonly vocabulary: Vocabulary,
  ) {
    const { tokenBytes, offset, endToken, byteLengths } = vocabulary;
    const lines = shards.map(({ file, index }) => `${file}\n${index}\n`).join("");
    this.#handle = check(native.ft_shards_open(
      new TextEncoder().encode(`${lines}\0`),
      tokenBytes,
      offset,
      endToken,
      Int32Array.from(byteLengths),
      byteLengths.length,
    ));
    this.tokens = shards.map((_, i) => {
      check(native.ft_shards_tokens(this.#handle, i, tokenCount));
      return tokenCount[0]!;
    });
  }

  /**
   * Gathers one block for each start; takes what {@link prefetch} has made of the same starts and shape.
   *
   * @throws {TorchError} where a block leaves its shard, or the shard holds an id that is not in the vocabulary.
   */
  gather(starts: readonly BlockStart[], shape: BlockShape): Blocks {
    const { heads } = shape;
    const counts = new Float64Array(heads + 1);
    check(native.ft_shards_gather(this.#handle, ...request(starts, shape), pair, counts));
    const [inputs, targets] = [new Tensor(pair[0]!), new Tensor(pair[1]!)];
    return { inputs, targets, counts: [...counts.subarray(0, heads)], bytes: counts[heads]! };
  }

  /** Begins to gather on a thread, for the next {@link gather}, which also reports what is wrong. One at a time. */
  prefetch(starts: readonly BlockStart[], shape: BlockShape): void {
    check(native.ft_shards_prefetch(this.#handle, ...request(starts, shape)));
  }

  /** Waits for what is being gathered. */
  [Symbol.dispose](): void {
    check(native.ft_shards_close(this.#handle));
  }
}

const request = (starts: readonly BlockStart[], { length, heads, predictFirst }: BlockShape) =>
  [
    Int32Array.from(starts, ({ shard }) => shard),
    Float64Array.from(starts, ({ token }) => token),
    starts.length,
    length,
    heads,
    predictFirst ? 1 : 0,
  ] as const;

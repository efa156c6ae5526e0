/** Memory-mapped byte shards: blocks of tokens with the targets of every head. */
import { check, native } from "./native.ts";
import { Tensor } from "./tensor.ts";

/** Where a block begins: a shard, and a token of its stream (0 is the leading end token). */
export interface BlockStart {
  readonly shard: number;
  readonly token: number;
}

/** Blocks of tokens, on the CPU. */
export interface Blocks {
  /** (rows, length) int64. */
  readonly inputs: Tensor;
  /** (heads, rows, length) int64: head i (from 1) at t has token t + i of the same document; -1 where there is none. */
  readonly targets: Tensor;
  /** Valid targets of each head. */
  readonly counts: readonly number[];
  /** Text bytes among the targets of head 1 (the others are end tokens). */
  readonly bytes: number;
}

const tokenCount = new Float64Array(1);
const pair = new Int32Array(2);

/** A set of shards, mapped until it is disposed. */
export class ByteShards implements Disposable {
  readonly #handle: number;
  /** Tokens in each shard's stream, the leading end token included. */
  readonly tokens: readonly number[];

  /** @throws {TorchError} naming the file that cannot be mapped or does not fit its index. */
  constructor(shards: readonly { readonly file: string; readonly index: string }[]) {
    const lines = shards.map(({ file, index }) => `${file}\n${index}\n`).join("");
    this.#handle = check(native.ft_shards_open(new TextEncoder().encode(`${lines}\0`)));
    this.tokens = shards.map((_, i) => {
      check(native.ft_shards_tokens(this.#handle, i, tokenCount));
      return tokenCount[0]!;
    });
  }

  /** Gathers one block of `length` tokens for each start. `predictFirst`: head 1 also predicts documents' first tokens. */
  gather(starts: readonly BlockStart[], length: number, heads: number, predictFirst: boolean): Blocks {
    const counts = new Float64Array(heads + 1);
    check(native.ft_shards_gather(
      this.#handle,
      Int32Array.from(starts, (s) => s.shard),
      Float64Array.from(starts, (s) => s.token),
      starts.length,
      length,
      heads,
      predictFirst ? 1 : 0,
      pair,
      counts,
    ));
    const [inputs, targets] = [new Tensor(pair[0]!), new Tensor(pair[1]!)];
    return { inputs, targets, counts: [...counts.subarray(0, heads)], bytes: counts[heads]! };
  }

  [Symbol.dispose](): void {
    check(native.ft_shards_close(this.#handle));
  }
}

/**
 * Which block comes when. The token stream of each shard is cut into blocks of the context's length; a block reads as
 * far ahead as the heads look, so that every arm sees the same inputs in the same order whatever K is.
 */
import type { BlockStart } from "../torch/mod.ts";
import { Permutation } from "./permutation.ts";

/** All blocks of some shards, by number: shard by shard, in the order of the text. */
export class BlockTable {
  readonly count: number;
  /** Of each shard: the number of the block behind its last one. */
  readonly #ends: readonly number[];

  /** @param tokens Tokens in the stream of each shard. @param length Tokens in a block. */
  constructor(tokens: readonly number[], readonly length: number) {
    let count = 0;
    this.#ends = tokens.map((n) => count += Math.max(0, Math.floor((n - 1) / length))); // the last block's last target exists
    this.count = count;
  }

  /** @throws {RangeError} when there is no such block. */
  start(block: number): BlockStart {
    if (!(block >= 0 && block < this.count)) {
      throw new RangeError(`There is no block ${block} of ${this.count}`);
    }
    let shard = 0, last = this.#ends.length - 1; // the first shard that ends behind the block
    while (shard < last) {
      const middle = (shard + last) >> 1;
      if (this.#ends[middle]! > block) last = middle;
      else shard = middle + 1;
    }
    return { shard, token: (block - (this.#ends[shard - 1] ?? 0)) * this.length };
  }

  /** `count` blocks, or all where there are fewer, evenly spread over the text. */
  spread(count: number): BlockStart[] {
    const n = Math.min(count, this.count);
    return Array.from({ length: n }, (_, i) => this.start(Math.floor((i + 0.5) * this.count / n)));
  }
}

/** One of the processes that share the blocks. */
export interface Share {
  /** From 0. */
  readonly rank: number;
  readonly ranks: number;
}

const ALONE: Share = { rank: 0, ranks: 1 };

/**
 * Every block once an epoch, in an order that follows from the seed and the epoch. A position is one whole number,
 * whoever asks: rank r of n takes the positions p with p mod n = r, so that all ranks together take what one alone would.
 */
export class BlockOrder {
  #epoch = -1;
  #permutation = new Permutation(1);

  constructor(readonly table: BlockTable, readonly seed: number, readonly share = ALONE) {}

  /** The blocks at positions `position` to `position + count`, as far as they are this rank's. */
  at(position: number, count: number): BlockStart[] {
    const { rank, ranks } = this.share;
    const starts: BlockStart[] = [];
    const first = position + (rank - position % ranks + ranks) % ranks;
    for (let p = first; p < position + count; p += ranks) starts.push(this.#block(p));
    return starts;
  }

  #block(position: number): BlockStart {
    const { count } = this.table;
    const epoch = Math.floor(position / count);
    if (epoch !== this.#epoch) {
      this.#permutation = new Permutation(count, this.seed, epoch);
      this.#epoch = epoch;
    }
    return this.table.start(this.#permutation.at(position % count));
  }
}

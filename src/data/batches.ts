/**
 * Which block comes when. The token stream of each shard is cut into blocks of the context's length; a block reads as
 * far ahead as the heads look, so that every arm sees the same inputs in the same order whatever K is.
 */
import type { BlockStart } from "../torch/mod.ts";
import { Random } from "./random.ts";

/** All blocks of some shards, by number: shard by shard, in the order of the text. */
export class BlockTable {
  readonly count: number;
  readonly #perShard: readonly number[];

  /** @param tokens Tokens in the stream of each shard. @param length Tokens in a block. */
  constructor(tokens: readonly number[], readonly length: number) {
    this.#perShard = tokens.map((n) => Math.max(0, Math.floor((n - 1) / length))); // the last block's last target exists
    this.count = this.#perShard.reduce((sum, n) => sum + n, 0);
  }

  /** @throws {RangeError} when there is no such block. */
  start(block: number): BlockStart {
    let left = block;
    for (const [shard, blocks] of this.#perShard.entries()) {
      if (left < blocks) return { shard, token: left * this.length };
      left -= blocks;
    }
    throw new RangeError(`There is no block ${block} of ${this.count}`);
  }

  /** `count` blocks, or all where there are fewer, evenly spread over the text. */
  spread(count: number): BlockStart[] {
    const n = Math.min(count, this.count);
    return Array.from({ length: n }, (_, i) => this.start(Math.floor((i + 0.5) * this.count / n)));
  }
}

/** Every block once an epoch, in an order that follows from the seed and the epoch; a position is one whole number. */
export class BlockOrder {
  #epoch = -1;
  #permutation = new Uint32Array(0);

  constructor(readonly table: BlockTable, readonly seed: number) {}

  /** The blocks at positions `position` to `position + count`. */
  at(position: number, count: number): BlockStart[] {
    return Array.from({ length: count }, (_, i) => {
      const epoch = Math.floor((position + i) / this.table.count);
      if (epoch !== this.#epoch) this.#shuffle(epoch);
      return this.table.start(this.#permutation[(position + i) % this.table.count]!);
    });
  }

  /** Fisher and Yates. */
  #shuffle(epoch: number): void {
    const random = new Random(this.seed, epoch);
    const order = Uint32Array.from({ length: this.table.count }, (_, i) => i);
    for (let i = order.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    this.#permutation = order;
    this.#epoch = epoch;
  }
}

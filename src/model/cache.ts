/** Keys and values of the positions that a decoder has been through, for every block and for several sequences. */
import { CachedKeys, type Device, type Kernels, Places } from "../torch/mod.ts";

/** What a cache has room for. */
export interface CacheSize {
  /** Blocks of the model. */
  readonly blocks: number;
  readonly kvHeads: number;
  readonly headWidth: number;
  readonly sequences: number;
  /** Slots of each sequence: its positions, and the drafts that may stand behind them. */
  readonly capacity: number;
}

/** Of each sequence the first `length` slots count; what stands behind them is stale and is overwritten. */
export class KvCache implements Disposable {
  readonly capacity: number;
  readonly #lengths: number[];
  readonly #blocks: CachedKeys[];

  constructor(size: CacheSize, kernels: Kernels, device: Device) {
    const { blocks, sequences, kvHeads, capacity, headWidth } = size;
    this.capacity = capacity;
    this.#lengths = Array.from({ length: sequences }, () => 0);
    const make = () =>
      new CachedKeys(kernels, { sequences, kvHeads, slots: capacity, width: headWidth }, device);
    this.#blocks = Array.from({ length: blocks }, make);
  }

  /** Slots that a sequence has filled. */
  length(sequence = 0): number {
    return this.#lengths[sequence]!;
  }

  block(index: number): CachedKeys {
    return this.#blocks[index]!;
  }

  /** The places of so many new rows behind what each sequence has; `counts` by sequence, 0 for those that rest. */
  next(counts: readonly number[]): Places {
    const places = new Places(counts.reduce((sum, count) => sum + count, 0));
    counts.forEach((count, sequence) => {
      const start = this.length(sequence);
      for (let i = 0; i < count; i++) places.add(sequence, start + i);
    });
    return places;
  }

  /** Counts rows that every block has written behind a sequence's. */
  advance(sequence: number, rows: number): void {
    this.#lengths[sequence]! += rows;
  }

  /** Forgets the slots of a sequence from `length` on: drafts that were not accepted. */
  truncate(sequence: number, length: number): void {
    const before = this.length(sequence);
    if (length > before) throw new RangeError(`Cannot keep ${length} of ${before} positions`);
    this.#lengths[sequence] = length;
  }

  /** Copies slot `from` of a sequence to slot `to`, in every block. */
  move(sequence: number, from: number, to: number): void {
    for (const block of this.#blocks) block.move(sequence, from, to);
  }

  [Symbol.dispose](): void {
    for (const block of this.#blocks) block[Symbol.dispose]();
  }
}

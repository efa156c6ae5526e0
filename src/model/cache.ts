/** Keys and values of the positions that a decoder has been through, for every block. */
import { type Device, Scope, Tensor } from "../torch/mod.ts";

/** Room for `capacity` positions; what stands behind `length` is stale and is overwritten. */
export class KvCache implements Disposable {
  #length = 0;
  readonly #keys: Tensor[];
  readonly #values: Tensor[];

  constructor(
    shape: { readonly blocks: number; readonly kvHeads: number; readonly headWidth: number },
    readonly capacity: number,
    device: Device,
  ) {
    if (Scope.current !== null) throw new Error("A cache would go with the scope around it");
    const make = () => Tensor.zeros([shape.kvHeads, capacity, shape.headWidth], { dtype: "float32", device });
    this.#keys = Array.from({ length: shape.blocks }, make);
    this.#values = Array.from({ length: shape.blocks }, make);
  }

  /** Positions that are filled. */
  get length(): number {
    return this.#length;
  }

  /** Positions that are left. */
  get room(): number {
    return this.capacity - this.#length;
  }

  /** Keys and values of a block, each (kv heads, capacity, head width). */
  block(index: number): { keys: Tensor; values: Tensor } {
    return { keys: this.#keys[index]!, values: this.#values[index]! };
  }

  /** Counts the rows that every block has written. */
  advance(rows: number): void {
    this.#length += rows;
  }

  /** Forgets the positions from `length` on: drafts that were not accepted. */
  truncate(length: number): void {
    if (length > this.#length) throw new RangeError(`Cannot keep ${length} of ${this.#length} positions`);
    this.#length = length;
  }

  [Symbol.dispose](): void {
    for (const tensor of [...this.#keys, ...this.#values]) tensor.free();
  }
}

/** Where the time of decoding goes: trunk, heads, sampling, and the rest, which is bookkeeping. */
import { type Device, synchronize } from "../torch/mod.ts";

export type Part = "trunk" | "heads" | "sampling";

/** Milliseconds. */
export class Parts {
  readonly spent: Record<Part, number> = { trunk: 0, heads: 0, sampling: 0 };
  /** All steps together. */
  total = 0;
  #begun = 0;
  /** Of the parts within the one that is timed now. */
  #inner = 0;

  get bookkeeping(): number {
    const { trunk, heads, sampling } = this.spent;
    return this.total - trunk - heads - sampling;
  }

  begin(): void {
    this.#begun = performance.now();
  }

  sinceBegin(): number {
    return performance.now() - this.#begun;
  }

  end(): void {
    this.total += this.sinceBegin();
  }

  /** Runs `body` and counts its time, less that of parts within it. On a GPU it waits for what was begun. */
  time<T>(part: Part, { device }: { readonly device: Device }, body: () => T): T {
    const outer = this.#inner;
    this.#inner = 0;
    const began = performance.now();
    const result = body();
    if (device !== "cpu") synchronize(device);
    const spent = performance.now() - began;
    this.spent[part] += spent - this.#inner;
    this.#inner = outer + spent;
    return result;
  }
}

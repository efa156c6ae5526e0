/** Where the time of decoding goes: trunk, heads, sampling, and the rest, which is bookkeeping. */
import { type Device, synchronize } from "../torch/mod.ts";

export const PARTS = ["trunk", "heads", "sampling", "bookkeeping"] as const;
export type Part = (typeof PARTS)[number];

/** Milliseconds by part. */
export type PartTimes = Readonly<Record<Part, number>>;

/** A watch with laps: one look at the clock where one part ends and the next begins. */
export class Parts {
  readonly #spent: Record<Part, number> = { trunk: 0, heads: 0, sampling: 0, bookkeeping: 0 };
  #begun = 0;
  #last = 0;

  get spent(): PartTimes {
    return { ...this.#spent };
  }

  /** All parts together. */
  get total(): number {
    return PARTS.reduce((sum, part) => sum + this.#spent[part], 0);
  }

  /** A step begins. */
  begin(): void {
    this.#begun = this.#last = performance.now();
  }

  /** What was done since the last lap, or the beginning, was this part's. On a GPU it waits for what was begun. */
  lap(part: Part, { device }: { readonly device: Device }): void {
    if (device !== "cpu") synchronize(device);
    const now = performance.now();
    this.#spent[part] += now - this.#last;
    this.#last = now;
  }

  /** From the beginning of the step to the last lap. */
  get untilLap(): number {
    return this.#last - this.#begun;
  }
}

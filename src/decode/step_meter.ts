/**
 * Where the time of a decoding forward goes. Counted are steps in which the whole batch decodes: no prompt goes in with
 * them, and no place of the batch is empty.
 */
import type { Step } from "./engine.ts";
import type { Parts } from "./parts.ts";

/** Milliseconds by part. */
export interface PartTimes {
  readonly trunk: number;
  readonly heads: number;
  readonly sampling: number;
  readonly bookkeeping: number;
}

const PARTS = ["trunk", "heads", "sampling", "bookkeeping"] as const;

export class StepMeter {
  #steps = 0;
  readonly #sums: Record<keyof PartTimes, number> = { trunk: 0, heads: 0, sampling: 0, bookkeeping: 0 };

  /** Watches the steps of one run; `batch`: sequences that share a forward when all places are taken. */
  watch(batch: number, parts: Parts): (step: readonly Step[]) => void {
    const begun = new Set<number>();
    let before = timesOf(parts);
    return (step) => {
      const now = timesOf(parts);
      const isFull = step.length === batch && step.every(({ index }) => begun.has(index));
      for (const { index } of step) begun.add(index);
      if (isFull) {
        this.#steps++;
        for (const part of PARTS) this.#sums[part] += now[part] - before[part];
      }
      before = now;
    };
  }

  /** Steps that were counted, and the mean times of one; null where there was none. */
  mean(): { readonly steps: number; readonly milliseconds: PartTimes } | null {
    if (this.#steps === 0) return null;
    const { trunk, heads, sampling, bookkeeping } = this.#sums;
    const mean = (sum: number) => sum / this.#steps;
    return {
      steps: this.#steps,
      milliseconds: {
        trunk: mean(trunk),
        heads: mean(heads),
        sampling: mean(sampling),
        bookkeeping: mean(bookkeeping),
      },
    };
  }
}

const timesOf = ({ spent, bookkeeping }: Parts): PartTimes => ({ ...spent, bookkeeping });

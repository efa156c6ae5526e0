/**
 * Where the time of a decoding forward goes. Counted are steps in which the whole batch decodes: no prompt goes in with
 * them, and no place of the batch is empty.
 */
import type { Step } from "./engine.ts";
import { type Part, PARTS, type Parts, type PartTimes } from "./parts.ts";

export class StepMeter {
  #steps = 0;
  readonly #sums: Record<Part, number> = { trunk: 0, heads: 0, sampling: 0, bookkeeping: 0 };

  /** Watches the steps of one run; `batch`: sequences that share a forward when all places are taken. */
  watch(batch: number, parts: Pick<Parts, "spent">): (step: readonly Step[]) => void {
    const begun = new Set<number>();
    let before = parts.spent;
    return (step) => {
      const now = parts.spent;
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

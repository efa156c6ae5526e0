/** The steps since the last line of metrics.jsonl: read from the device when a line is due, and averaged. */
import { UserError } from "../stage/errors.ts";
import type { Window } from "./checkpoint.ts";
import type { StepResult } from "./step.ts";

/** A step whose results may still be on their way. */
export interface PendingStep extends StepResult {
  /** Counted from 1. */
  readonly step: number;
  /** The first of its blocks in the order of the blocks, and their number. */
  readonly position: number;
  readonly blocks: number;
  readonly weights: readonly number[];
  /** What the weights were divided by. */
  readonly divisor: number;
}

/** Means over an interval. */
export interface IntervalMeans {
  readonly loss: number;
  /** Share of the steps whose gradients were clipped. */
  readonly clipped: number;
  /** Nats a target; null: asleep throughout. */
  readonly heads: (number | null)[];
}

/** Collects steps; a checkpoint keeps its sums, so that a resumed run writes the lines that it would have written. */
export class Interval implements Disposable {
  #pending: PendingStep[] = [];
  #window: Window;
  /** Norm of the gradients of the last step that was settled. */
  lastNorm = NaN;

  /**
   * @param clip Norm above which gradients are clipped; 0: never.
   * @param observe Told the mean NLL of each head's targets in every step, in order, once it is known; null: asleep.
   */
  constructor(
    headCount: number,
    readonly clip: number,
    window?: Window,
    readonly observe: (step: number, heads: readonly (number | null)[]) => void = () => {},
  ) {
    this.#window = window ?? emptyWindow(headCount);
  }

  add(step: PendingStep): void {
    this.#pending.push(step);
  }

  /**
   * Reads what is pending, which waits for the device.
   *
   * @throws {UserError} naming the first step whose loss or gradient is not finite.
   */
  settle(): Window {
    for (const step of this.#pending) this.#settleStep(step);
    this.#release();
    return this.#window;
  }

  #settleStep({ step, position, blocks, weights, divisor, losses, norm }: PendingStep): void {
    const gradNorm = this.lastNorm = norm.item();
    const terms = losses.map((loss) => loss === null ? null : loss.item());
    const loss = terms.reduce<number>((sum, term) => sum + (term ?? 0), 0);
    if (!Number.isFinite(gradNorm) || !Number.isFinite(loss)) {
      const heads = terms.map((term, i) => `head ${i + 1}: ${term ?? "asleep"}`).join(", ");
      throw new UserError(
        `Training stopped at step ${step}: loss ${loss} (${heads}), gradient norm ${gradNorm}, in blocks ${position} to ` +
          `${
            position + blocks - 1
          } of the order. That step changed nothing, and what was saved before it is good. ` +
          `Lower lr, lengthen warmup, or lower clip, and start under a new name or with --force`,
      );
    }
    this.#window.steps++;
    this.#window.loss += loss;
    if (this.clip > 0 && gradNorm > this.clip) this.#window.clipped++;
    const heads = terms.map((term, i) => term === null ? null : term * divisor / weights[i]!);
    heads.forEach((nll, i) => {
      if (nll === null) return;
      this.#window.heads[i]!.sum += nll;
      this.#window.heads[i]!.steps++;
    });
    this.observe(step, heads);
  }

  /** The means so far; starts anew. */
  take(): IntervalMeans {
    const { steps, loss, clipped, heads } = this.settle();
    this.#window = emptyWindow(heads.length);
    return {
      loss: loss / steps,
      clipped: clipped / steps,
      heads: heads.map((head) => head.steps === 0 ? null : head.sum / head.steps),
    };
  }

  #release(): void {
    for (const { norm, losses } of this.#pending) {
      for (const tensor of [norm, ...losses]) tensor?.free();
    }
    this.#pending = [];
  }

  [Symbol.dispose](): void {
    this.#release();
  }
}

const emptyWindow = (headCount: number): Window => ({
  steps: 0,
  loss: 0,
  clipped: 0,
  heads: Array.from({ length: headCount }, () => ({ sum: 0, steps: 0 })),
});

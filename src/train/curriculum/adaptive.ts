/**
 * `adaptive`: heads wake one by one (`order: forward`) or fall asleep one by one (`reverse`), each time the loss of the
 * newest head that is awake, the last one, has flattened.
 *
 * Its mean loss over one window of steps after another is compared: below `threshold` of relative improvement from a window
 * to the next it is flat, and the next phase begins. That takes at least two windows and `min_steps`; after `max_steps` it
 * begins in any case. The windows are counted from the start of the phase and not from where lines are logged, so that
 * logging changes nothing, and losses are read from the device only where a window or a phase ends.
 */
import * as z from "zod";
import type { WrittenCurriculum } from "../../config/schema/curriculum.ts";
import type { Curriculum } from "../curriculum.ts";
import type { Phase } from "./phase.ts";
import { awake } from "./presets.ts";

/** The settings of `adaptive`, with defaults filled in. */
export interface AdaptiveOptions {
  readonly order: "forward" | "reverse";
  /** Steps. */
  readonly window: number;
  /** Relative improvement from one window to the next. */
  readonly threshold: number;
  /** Fewest and most steps of a phase but the last. */
  readonly minSteps: number;
  readonly maxSteps: number;
  readonly copies: boolean;
}

/** By default no phase is longer than the same one of `forward` or `reverse`, nor shorter than a fifth of that. */
export function adaptiveOptions(given: WrittenCurriculum, K: number, S: number): AdaptiveOptions {
  const { order = "forward", threshold = 0.01, min_steps = 0, wake } = given;
  const maxSteps = given.max_steps ?? Math.max(min_steps, Math.ceil(S / K));
  const window = given.window ?? Math.ceil(maxSteps / 10);
  return {
    order,
    window,
    threshold,
    minSteps: Math.max(min_steps, 2 * window),
    maxSteps,
    copies: wake === "copy",
  };
}

const stateSchema = z.strictObject({
  /** First step of each phase so far. */
  starts: z.array(z.int()),
  /** Steps and the sum of their losses since the last window ended. */
  steps: z.int(),
  sum: z.number(),
  /** Mean of the last window; null: it is the phase's first. */
  before: z.number().nullable(),
  flat: z.boolean(),
});
type State = z.output<typeof stateSchema>;

const freshWindows = { steps: 0, sum: 0, before: null, flat: false };

export class Adaptive implements Curriculum {
  #state: State = { starts: [0], ...freshWindows };

  constructor(readonly options: AdaptiveOptions, readonly K: number, readonly S: number) {}

  get phases(): readonly Phase[] {
    return this.#phases(this.#state.starts);
  }

  /** The phases of a run in which nothing flattens. */
  latest(): Phase[] {
    const starts = Array.from({ length: this.K }, (_, n) => n * this.options.maxSteps);
    return this.#phases(starts.filter((start) => start < this.S));
  }

  #phases(starts: readonly number[]): Phase[] {
    return starts.map((from, n) => ({
      from,
      to: starts[n + 1] ?? this.S,
      weights: awake(this.K, this.#awake(n)),
      ...(this.options.copies && { copies: true as const }),
    }));
  }

  /** Heads that are awake in the nth phase, from 0. */
  #awake(n: number): number {
    return this.options.order === "forward" ? n + 1 : this.K - n;
  }

  /** Steps of the current phase before this one. */
  #steps(step: number): number {
    return step - this.#state.starts.at(-1)!;
  }

  enter(step: number): Phase {
    if (this.#turnsAt(step)) this.#state = { starts: [...this.#state.starts, step], ...freshWindows };
    return this.phases.at(-1)!;
  }

  /** Whether the next phase begins with this step. */
  #turnsAt(step: number): boolean {
    const { starts, flat } = this.#state;
    const { minSteps, maxSteps } = this.options;
    const steps = this.#steps(step);
    return starts.length < this.K && ((flat && steps >= minSteps) || steps >= maxSteps);
  }

  /** A phase that begins within a window is a reason, too: the losses before it would count as its own. */
  decidesAfter(step: number): boolean {
    return this.#endsWindow(step) || this.#turnsAt(step + 1);
  }

  #endsWindow(step: number): boolean {
    return (this.#steps(step) + 1) % this.options.window === 0;
  }

  observe(step: number, heads: readonly (number | null)[]): void {
    const state = this.#state;
    const newest = heads[this.#awake(state.starts.length - 1) - 1];
    if (typeof newest === "number") { // else its targets all lie beyond their documents' ends
      state.steps++;
      state.sum += newest;
    }
    if (!this.#endsWindow(step) || state.steps === 0) return;
    const mean = state.sum / state.steps;
    state.flat = state.before !== null && state.before - mean < this.options.threshold * state.before;
    Object.assign(state, { steps: 0, sum: 0, before: mean });
  }

  state(): State {
    return structuredClone(this.#state);
  }

  restore(state: unknown): void {
    this.#state = stateSchema.parse(state);
  }
}

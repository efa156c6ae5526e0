/**
 * The curriculum as data: phases of head weights over the optimizer steps. Presets expand to phases (presets.ts), and
 * nothing else in the program knows their names; `adaptive` alone decides its boundaries on the way (adaptive.ts).
 *
 * What a phase leaves out costs nothing and stays as it is. A head of weight 0 is not run. What sleeps or is frozen gets
 * no gradient, and the optimizer takes only what has one: no weight decay, moments and step counters stand still and are
 * kept, so a head that wakes again goes on where it stopped. With `wake: copy` a head that wakes takes over the weights of
 * the head before it, lowest first; its own moments, which belong to the weights that are gone, are forgotten.
 */
import type { CurriculumConfig, Preset, WrittenCurriculum } from "../config/schema/curriculum.ts";
import { Adaptive, adaptiveOptions } from "./curriculum/adaptive.ts";
import { type Part, type Phase, phaseAt } from "./curriculum/phase.ts";
import { presetOptions, presetPhases } from "./curriculum/presets.ts";

export { type Part, type Phase, phaseAt, weightsAt, woken } from "./curriculum/phase.ts";
export { rateAt } from "./curriculum/rate.ts";

/** What the training loop asks of a curriculum. Steps are counted from 0. */
export interface Curriculum {
  /** All phases, or those that are decided by now, the last of which ends with the run for the time being. */
  readonly phases: readonly Phase[];
  /** Begins a step; returns its phase. */
  enter(step: number): Phase;
  /** Whether something is decided on the losses of the steps up to this one, which must be {@link observe}d before the next. */
  decidesAfter(step: number): boolean;
  /** Takes in the mean loss of each head in a step, in order; null: asleep. */
  observe(step: number, heads: readonly (number | null)[]): void;
  /** What was decided so far, as JSON; null where all was known before. */
  state(): unknown;
  /** Goes on from a {@link state}. */
  restore(state: unknown): void;
}

/** The curriculum of a run with K heads and S steps. */
export function openCurriculum(config: CurriculumConfig, K: number, S: number): Curriculum {
  const given = asWritten(config);
  if (given.preset === "adaptive") return new Adaptive(adaptiveOptions(given, K, S), K, S);
  const phases = phasesOf(config, K, S);
  return {
    phases,
    enter: (step) => phaseAt(phases, step),
    decidesAfter: () => false,
    observe: () => {},
    state: () => null,
    restore: () => {},
  };
}

/** The phases, which cover steps 0 to S; of `adaptive` those that it has when no loss flattens before its time is up. */
export function phasesOf(config: CurriculumConfig, K: number, S: number): Phase[] {
  const given = asWritten(config);
  if (given.preset === "adaptive") return new Adaptive(adaptiveOptions(given, K, S), K, S).latest();
  const phases = given.phases !== undefined
    ? writtenPhases(given, given.phases, K, S)
    : presetPhases(given.preset as Exclude<Preset, "adaptive">, K, S, presetOptions(given))
      .map((phase) => ({ ...phase, ...copying(given.wake) }));
  return phases.filter(({ from, to }) => from < to); // a run with fewer steps than phases leaves some out
}

const asWritten = (config: CurriculumConfig): WrittenCurriculum =>
  typeof config === "string" ? { preset: config } : config;

const copying = (wake: WrittenCurriculum["wake"]): Pick<Phase, "copies"> =>
  wake === "copy" ? { copies: true } : {};

function writtenPhases(
  given: WrittenCurriculum,
  written: NonNullable<WrittenCurriculum["phases"]>,
  K: number,
  S: number,
): Phase[] {
  return written.map(({ until, weights, to, freeze, wake, lr }, i) => ({
    from: i === 0 ? 0 : boundary(written[i - 1]!.until, S),
    to: boundary(until, S),
    weights,
    ...(to && { end: to }),
    ...(freeze && { freeze: partsOf(freeze, K) }),
    ...copying(wake ?? given.wake),
    ...(lr && { lr }),
  }));
}

/** The first step s with s / steps >= share; the allowance is for shares such as 0.1 * 3. */
const boundary = (share: number, steps: number): number => Math.ceil(share * steps - 1e-9);

/** `heads` stands for all of them. */
const partsOf = (names: readonly string[], K: number): Part[] =>
  names.flatMap((name) =>
    name === "heads" ? Array.from({ length: K }, (_, i): Part => `head${i + 1}`) : [name as Part]
  );

/** How the file named it: a preset's name, or `custom`. */
export const curriculumName = (config: CurriculumConfig): string => asWritten(config).preset ?? "custom";

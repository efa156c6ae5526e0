/** A phase of a curriculum, and what follows from it at a step. */
import type { OwnSchedule } from "../../config/schema/curriculum.ts";

/** What can stand still: the blocks and the norm, the token embedding, or a head. */
export type Part = "trunk" | "embedding" | `head${number}`;

/** Steps `from` (inclusive, from 0) to `to` (exclusive) with one weight for each head's loss; 0 is a sleeping head. */
export interface Phase {
  readonly from: number;
  readonly to: number;
  /** Throughout the phase, or at its beginning where `end` is there. */
  readonly weights: readonly number[];
  /** What the weights move to, in a straight line. */
  readonly end?: readonly number[];
  /** What gets no gradient. */
  readonly freeze?: readonly Part[];
  /** Whether a head that the phase wakes takes over the weights of the head before it. */
  readonly copies?: true;
  /** A schedule of its own; the run's stands still meanwhile. */
  readonly lr?: OwnSchedule;
}

/** The phase of a step. @throws {RangeError} outside the phases. */
export function phaseAt(phases: readonly Phase[], step: number): Phase {
  const phase = phases.find(({ from, to }) => from <= step && step < to);
  if (phase === undefined) throw new RangeError(`No phase of the curriculum covers step ${step}`);
  return phase;
}

/**
 * The weights at a step. On a line each step has the weight of its middle: the mean over the phase is that of both
 * ends, forward and reverse mirror each other, and no head is asleep in the first step of the phase that wakes it.
 *
 * @throws {RangeError} outside the phases.
 */
export function weightsAt(phases: readonly Phase[], step: number): readonly number[] {
  const { from, to, weights, end } = phaseAt(phases, step);
  if (end === undefined) return weights;
  const share = (step - from + 0.5) / (to - from);
  return weights.map((weight, i) => weight + (end[i]! - weight) * share);
}

/** Whether a head, by its index from 0, is trained on in a phase. */
export const isAwake = ({ weights, end }: Phase, head: number): boolean =>
  weights[head]! > 0 || (end?.[head] ?? 0) > 0;

/** Heads, by index from 0, that sleep before a phase and are awake in it: those that it wakes. The first phase wakes none. */
export function woken(phases: readonly Phase[], phase: Phase): number[] {
  const before = phases.findLast(({ to }) => to <= phase.from);
  if (before === undefined) return [];
  return phase.weights.map((_, i) => i).filter((i) => isAwake(phase, i) && !isAwake(before, i));
}

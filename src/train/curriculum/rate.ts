/** The learning rate where phases may have schedules of their own. */
import type { OwnSchedule } from "../../config/schema/curriculum.ts";
import { learningRate, type Schedule } from "../schedule.ts";
import { type Phase, phaseAt } from "./phase.ts";

/**
 * The rate of a step, counted from 0. The run's schedule passes over phases that have their own: it is over when the last
 * phase without one ends, so that `reverse-refresh` has decayed before its refresh begins.
 */
export function rateAt(phases: readonly Phase[], run: Schedule, step: number): number {
  const phase = phaseAt(phases, step);
  const own = phase.lr;
  if (own !== undefined) {
    return learningRate(ownSchedule(own, run, phase.to - phase.from), step - phase.from);
  }
  const shared = phases.filter((other) => other.lr === undefined);
  const before = shared.filter((other) => other.to <= phase.from);
  const steps = stepsOf(shared);
  return learningRate(
    { ...run, steps, warmup: Math.min(run.warmup, steps) },
    stepsOf(before) + step - phase.from,
  );
}

const stepsOf = (phases: readonly Phase[]): number =>
  phases.reduce((sum, { from, to }) => sum + to - from, 0);

/** The schedule of a phase: what it leaves out is the run's, but for the warm-up. */
function ownSchedule({ warmup = 0, ...given }: OwnSchedule, run: Schedule, steps: number): Schedule {
  return {
    ...run,
    steps,
    warmup: Math.round(warmup * steps),
    lr: given.lr ?? run.lr,
    schedule: given.schedule ?? run.schedule,
    min_lr: given.min_lr ?? run.min_lr,
  };
}

/** How far trainings have come. */

import type { Arm } from "./collect.ts";
import { rangeOf } from "./charts/plot.ts";
import type { Series } from "./charts/series.ts";

/** The last step that any of the arms has come to; at least 1. */
export function lastStep(arms: readonly Arm[]): number {
  return Math.max(
    1,
    ...arms.flatMap((arm) => [
      arm.training?.steps ?? 0,
      arm.steps.at(-1)?.step ?? 0,
      arm.validations.at(-1)?.step ?? 0,
    ]),
  );
}

/** Share of the steps in which curves fall so far that nothing later could be told apart. */
const EARLY = 0.2;

/** Lowest and highest value behind the first steps; null where there is none. */
export function lateRange(series: readonly Series[], last: number): [low: number, high: number] | null {
  return rangeOf(
    series.flatMap(({ points, spread = [] }) =>
      points.flatMap(([step, value], i) => step < last * EARLY || value === null ? [] : spread[i] ?? [value])
    ),
  );
}

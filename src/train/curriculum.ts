/**
 * The curriculum as data: phases of head weights over the optimizer steps. Presets expand to phases, and nothing else
 * in the program knows their names.
 *
 * | preset    | heads that are awake at step s of S, with K heads (Aynetdinov & Akbik 2025, section 3) |
 * | --------- | ------------------------------------------------------------------------------------- |
 * | `ntp`     | the first                                                                             |
 * | `mtp`     | all K                                                                                 |
 * | `forward` | the first k(s) = min(K, floor(s K / S) + 1)                                           |
 * | `reverse` | the first k(s) = max(1, K - floor(s K / S))                                           |
 */
import type { CurriculumConfig } from "../config/schema.ts";

/** Steps `from` (inclusive, from 0) to `to` (exclusive) with one weight for each head's loss; 0 is a sleeping head. */
export interface Phase {
  readonly from: number;
  readonly to: number;
  readonly weights: readonly number[];
}

/** Expands a preset, or phases given as shares of the run, to phases that cover steps 0 to `steps`. */
export function phasesOf(curriculum: CurriculumConfig, headCount: number, steps: number): Phase[] {
  const phases = typeof curriculum === "string"
    ? preset(curriculum, headCount, steps)
    : curriculum.phases.map(({ until, weights }, i) => ({
      from: i === 0 ? 0 : boundary(curriculum.phases[i - 1]!.until, steps),
      to: boundary(until, steps),
      weights,
    }));
  return phases.filter(({ from, to }) => from < to); // a run with fewer steps than phases leaves some out
}

/** The first step s with s / steps >= share; the allowance is for shares such as 0.1 * 3. */
const boundary = (share: number, steps: number): number => Math.ceil(share * steps - 1e-9);

function preset(name: Extract<CurriculumConfig, string>, K: number, S: number): Phase[] {
  const awake = (k: number): number[] => Array.from({ length: K }, (_, i) => i < k ? 1 : 0);
  const stairs = (k: (stair: number) => number): Phase[] =>
    Array.from({ length: K }, (_, stair) => ({
      from: Math.ceil(stair * S / K), // the first s with floor(s K / S) = stair
      to: Math.ceil((stair + 1) * S / K),
      weights: awake(k(stair)),
    }));
  switch (name) {
    case "ntp":
      return [{ from: 0, to: S, weights: awake(1) }];
    case "mtp":
      return [{ from: 0, to: S, weights: awake(K) }];
    case "forward":
      return stairs((stair) => stair + 1);
    case "reverse":
      return stairs((stair) => K - stair);
  }
}

/** The weights at a step. @throws {RangeError} outside the phases. */
export function weightsAt(phases: readonly Phase[], step: number): readonly number[] {
  const phase = phases.find(({ from, to }) => from <= step && step < to);
  if (phase === undefined) throw new RangeError(`No phase of the curriculum covers step ${step}`);
  return phase.weights;
}

/** How the file named it: a preset's name, or `custom`. */
export const curriculumName = (curriculum: CurriculumConfig): string =>
  typeof curriculum === "string" ? curriculum : "custom";

/**
 * The curricula that have a name, as phases. k(s) is the number of heads that are awake at step s of S, the first ones;
 * K is the number of heads (Aynetdinov & Akbik 2025, section 3, for `forward` and `reverse`).
 *
 * | preset            | k(s)                                                                                |
 * | ----------------- | ----------------------------------------------------------------------------------- |
 * | `ntp`             | 1                                                                                   |
 * | `mtp`             | K                                                                                   |
 * | `forward`         | min(K, floor(s K / S) + 1)                                                          |
 * | `reverse`         | max(1, K - floor(s K / S))                                                          |
 * | `forward-reverse` | up and down in 2K - 1 stairs: with j = floor(s (2K - 1) / S), min(j, 2K - 2 - j) + 1 |
 * | `reverse-refresh` | `reverse` over the first (1 - r) S steps; then heads 2 to K alone, which have gone   |
 * |                   | stale, on a trunk that stands still, with a schedule of their own                    |
 *
 * With `interpolate: linear` a stair becomes a ramp: over each phase of `forward` after the first, the weight of the
 * newest head climbs from 0 to 1; `reverse` is the same, backwards in time.
 */
import type { OwnSchedule, Preset, WrittenCurriculum } from "../../config/schema/curriculum.ts";
import type { Phase } from "./phase.ts";

/** The settings that presets know, with their defaults. */
export interface PresetOptions {
  readonly interpolate: "step" | "linear";
  readonly refresh: number;
  readonly refresh_lr: OwnSchedule;
}

export const presetOptions = (given: WrittenCurriculum): PresetOptions => ({
  interpolate: given.interpolate ?? "step",
  refresh: given.refresh ?? 0.1,
  refresh_lr: given.refresh_lr ?? {},
});

/** The phases of a preset whose boundaries are known before the run; some may be empty. */
export function presetPhases(
  preset: Exclude<Preset, "adaptive">,
  K: number,
  S: number,
  { interpolate, refresh, refresh_lr }: PresetOptions,
): Phase[] {
  const linear = interpolate === "linear";
  switch (preset) {
    case "ntp":
      return [{ from: 0, to: S, weights: awake(K, 1) }];
    case "mtp":
      return [{ from: 0, to: S, weights: awake(K, K) }];
    case "forward":
      return stairs(K, S, upTo(K), linear);
    case "reverse":
      return stairs(K, S, upTo(K).toReversed(), linear);
    case "forward-reverse":
      return stairs(K, S, [...upTo(K), ...upTo(K - 1).toReversed()], linear);
    case "reverse-refresh": {
      const last = Math.ceil((1 - refresh) * S - 1e-9);
      return [
        ...stairs(K, last, upTo(K).toReversed(), linear),
        {
          from: last,
          to: S,
          weights: awake(K, K).with(0, 0),
          freeze: ["trunk", "embedding", "head1"],
          lr: refresh_lr,
        },
      ];
    }
  }
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

/** The weights with the first k of K heads awake. */
export const awake = (K: number, k: number): number[] => Array.from({ length: K }, (_, i) => i < k ? 1 : 0);

/** Equal shares of S steps, with so many heads awake in each. */
function stairs(K: number, S: number, counts: readonly number[], linear: boolean): Phase[] {
  const n = counts.length;
  return counts.map((k, stair) => ({
    from: Math.ceil(stair * S / n), // the first s with floor(s n / S) = stair
    to: Math.ceil((stair + 1) * S / n),
    ...(linear ? ramp(K, k, counts[stair - 1] ?? k, counts[stair + 1] ?? k) : { weights: awake(K, k) }),
  }));
}

/** The head that a phase wakes climbs, that which sleeps in the next one falls; at a summit both would be one head: it stands. */
function ramp(K: number, k: number, before: number, after: number): Pick<Phase, "weights" | "end"> {
  if (before < k === after < k) return { weights: awake(K, k) };
  return { weights: awake(K, Math.min(k, before)), end: awake(K, Math.min(k, after)) };
}

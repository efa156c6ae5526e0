/**
 * The learning rate over the run: linear warm-up, then one of
 *
 * | schedule   | from the full rate to the share `min_lr` of it                                              |
 * | ---------- | ------------------------------------------------------------------------------------------- |
 * | `cosine`   | half a cosine (Loshchilov & Hutter 2017)                                                    |
 * | `linear`   | a straight line                                                                             |
 * | `wsd`      | full until the last share `decay` of the steps, then down (warm-up, stable, decay: Hu et al. |
 * |            | 2024) as a line, half a cosine, or 1 - sqrt (Hägele et al. 2024)                            |
 * | `constant` | stays full                                                                                  |
 */
import type { TrainSettings } from "../config/schema.ts";

/** Part of the optimizer's configuration. */
export type Schedule = Pick<
  TrainSettings,
  "steps" | "warmup" | "lr" | "min_lr" | "schedule" | "decay" | "decay_shape"
>;

/** What is left of the way down after the share p of it: 1 to 0. */
const SHAPES: Record<Schedule["decay_shape"], (p: number) => number> = {
  linear: (p) => 1 - p,
  cosine: (p) => (1 + Math.cos(Math.PI * p)) / 2,
  sqrt: (p) => 1 - Math.sqrt(p),
};

/** The rate of a step, counted from 0: step `warmup - 1` is the first with the full rate, the last one has the lowest. */
export function learningRate(schedule: Schedule, step: number): number {
  const { warmup, lr, min_lr } = schedule;
  if (step < warmup) return lr * (step + 1) / warmup;
  return lr * (min_lr + (1 - min_lr) * remaining(schedule, step));
}

function remaining({ schedule, steps, warmup, decay, decay_shape }: Schedule, step: number): number {
  const progress = Math.min(1, (step - warmup) / Math.max(1, steps - 1 - warmup));
  switch (schedule) {
    case "cosine":
    case "linear":
      return SHAPES[schedule](progress);
    case "wsd": {
      const falling = decaySteps({ steps, decay });
      return SHAPES[decay_shape](Math.max(0, step - (steps - falling) + 1) / falling);
    }
    case "constant":
      return 1;
  }
}

/** Steps of the decay of `wsd`, at least one. */
export const decaySteps = ({ steps, decay }: Pick<Schedule, "steps" | "decay">): number =>
  Math.max(1, Math.round(decay * steps));

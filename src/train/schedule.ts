/** The learning rate over the run: linear warm-up, then half a cosine (Loshchilov & Hutter 2017). */

/** Part of the optimizer's configuration. */
export interface Schedule {
  readonly steps: number;
  readonly warmup: number;
  readonly lr: number;
  /** Share of lr that is left at the last step. */
  readonly min_lr: number;
}

/** The rate of a step, counted from 0: step `warmup - 1` is the first with the full rate. */
export function learningRate({ steps, warmup, lr, min_lr }: Schedule, step: number): number {
  if (step < warmup) return lr * (step + 1) / warmup;
  const progress = (step - warmup) / Math.max(1, steps - 1 - warmup);
  const cosine = (1 + Math.cos(Math.PI * Math.min(1, progress))) / 2;
  return lr * (min_lr + (1 - min_lr) * cosine);
}

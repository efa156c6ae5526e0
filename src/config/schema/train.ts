/** `train`: optimizer, schedule, and what is written when. */

import * as z from "zod";
import { count, whole } from "./values.ts";

export const train = z.strictObject({
  steps: count.describe("S: optimizer steps"),
  batch: count.default(8).describe("sequences a micro-batch"),
  accumulate: count.default(1).describe("micro-batches a step"),
  lr: z.number().gt(0).default(3e-3).describe("peak learning rate"),
  min_lr: z.number().min(0).max(1).default(0.1).describe("share of lr that is left at the end of the cosine"),
  warmup: whole(0).optional().describe("steps of linear warm-up; default a tenth of steps"),
  weight_decay: z.number().min(0).default(0.1).describe("of matrices only"),
  beta1: z.number().min(0).lt(1).default(0.9).describe("AdamW: decay of the mean"),
  beta2: z.number().min(0).lt(1).default(0.95).describe("AdamW: decay of the mean square"),
  eps: z.number().gt(0).default(1e-8).describe("AdamW: added to the root"),
  clip: z.number().min(0).default(1).describe("largest norm of all gradients together; 0: no clipping"),
  loss: z.enum(["sum", "mean"]).default("sum").describe("of the weighted losses of the heads that are awake"),
  predict_first: z.boolean().default(true)
    .describe("whether the first token of a document is a target of head 1"),
  log_every: count.default(10).describe("steps between lines in metrics.jsonl"),
  validate_every: count.default(100).describe("steps between validations"),
  validate_batches: count.default(8).describe("micro-batches a validation"),
  checkpoint_every: count.default(200).describe("steps between checkpoints"),
  keep: count.default(2).describe("checkpoints that are kept, the newest ones"),
}).transform((given) => ({ ...given, warmup: given.warmup ?? Math.round(given.steps / 10) }));

/** `train` with its defaults filled in. */
export type TrainSettings = z.output<typeof train>;

/** The settings that decide what is learned: all but how often the run is logged, measured and saved. */
export function withoutCadence(train: TrainSettings) {
  const { log_every: _l, validate_every: _e, validate_batches: _b, checkpoint_every: _c, keep: _k, ...rest } =
    train;
  return rest;
}

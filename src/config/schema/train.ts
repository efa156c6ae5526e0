/** `train`: optimizer, schedule, and what is written when. */

import * as z from "zod";
import { decayShape, schedule } from "./curriculum.ts";
import { count, whole } from "./values.ts";

const lrScale = z.strictObject({
  heads: z.number().gt(0).default(1).describe("of the prediction heads"),
  embedding: z.number().gt(0).default(1).describe("of the token embedding"),
});

export const train = z.strictObject({
  steps: count.describe("S: optimizer steps"),
  batch: count.default(8).describe("sequences a micro-batch"),
  accumulate: count.default(1).describe("micro-batches a step"),
  recompute: z.enum(["none", "blocks"]).default("none")
    .describe(
      "blocks: what is inside blocks is made anew in the backward pass: same bits, less memory, more time",
    ),
  precision: z.enum(["auto", "fp32", "bf16"]).default("auto")
    .describe("of activations and matrix products; auto: bf16 on a GPU that has it, else fp32"),
  optimizer: z.enum(["adamw", "muon"]).default("adamw")
    .describe("muon: orthogonal updates for the matrices of blocks, AdamW for the rest"),
  lr: z.number().gt(0).default(3e-3).describe("peak learning rate"),
  schedule: schedule.default("cosine").describe("how the rate falls after the warm-up"),
  min_lr: z.number().min(0).max(1).default(0.1).describe("share of lr that is left at the last step"),
  decay: z.number().gt(0).max(1).default(0.2).describe(
    "wsd: share of the steps, at the end, in which lr falls",
  ),
  decay_shape: decayShape.default("sqrt").describe("wsd: how it falls there; sqrt: as 1 - sqrt"),
  warmup: whole(0).optional().describe("steps of linear warm-up; default a tenth of steps"),
  lr_scale: lrScale.default({ heads: 1, embedding: 1 }).describe("factors of lr for parts of the model"),
  weight_decay: z.number().min(0).default(0.1).describe("of matrices only"),
  beta1: z.number().min(0).lt(1).default(0.9).describe("AdamW: decay of the mean"),
  beta2: z.number().min(0).lt(1).default(0.95).describe("AdamW: decay of the mean square"),
  eps: z.number().gt(0).default(1e-8).describe("AdamW: added to the root"),
  momentum: z.number().min(0).lt(1).default(0.95).describe("Muon: decay of the mean (Nesterov)"),
  clip: z.number().min(0).default(1).describe("largest norm of all gradients together; 0: no clipping"),
  loss: z.enum(["sum", "mean"]).default("sum").describe("of the weighted losses of the heads that are awake"),
  z_loss: z.number().min(0).default(0).describe(
    "factor of the squared log of the softmax's sum; 1e-4 is usual",
  ),
  ema: z.number().min(0).lt(1).default(0)
    .describe("decay of a running mean of the weights, which is what is evaluated then; 0: none"),
  predict_first: z.boolean().default(true)
    .describe("whether the first token of a document is a target of head 1"),
  log_every: count.default(10).describe("steps between lines in metrics.jsonl"),
  validate_every: count.default(100).describe("steps between validations"),
  validate_batches: count.default(8).describe("micro-batches a validation"),
  checkpoint_every: count.default(200).describe("steps between checkpoints"),
  keep: count.default(2).describe("checkpoints that are kept, the newest ones"),
  keep_best: z.boolean().default(true).describe(
    "whether that with the fewest bits per byte held out is kept, too",
  ),
}).transform((given) => ({ ...given, warmup: given.warmup ?? Math.round(given.steps / 10) }));

/** `train` with its defaults filled in. */
export type TrainSettings = z.output<typeof train>;

/** What changes nothing of what is learned: how often the run is logged, measured and saved, and where memory goes. */
const CADENCE = [
  "log_every",
  "validate_every",
  "validate_batches",
  "checkpoint_every",
  "keep",
  "keep_best",
  "recompute",
] as const;

/** The settings that decide what is learned. */
export function withoutCadence(train: TrainSettings): Omit<TrainSettings, typeof CADENCE[number]> {
  const rest: Partial<TrainSettings> = { ...train };
  for (const key of CADENCE) delete rest[key];
  return rest as Omit<TrainSettings, typeof CADENCE[number]>;
}

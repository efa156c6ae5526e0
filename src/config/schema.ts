/**
 * What a pipeline file may say: every key with its unit, its default and the values that it takes.
 * Checks that need more than one key stand in check.ts; files, positions and `--set` in load.ts.
 */

import * as z from "zod";

/** A folder or stage name: no separators, no leading dot or dash, so it is safe as a file name and in `--set`. */
const name = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/i, {
  error: "letters, digits, - and _, at most 64, the first a letter or a digit",
});
const whole = (least: number) => z.int().min(least);
const count = whole(1);
const share = z.number().gt(0).lt(1);
const path = z.string().min(1);

const heads = z.strictObject({
  kind: z.enum(["linear"]).default("linear")
    .describe("linear: own width x vocabulary matrix per further offset, on the trunk's output"),
  count: count.default(1).describe("K: head i predicts the token i places ahead; 1 is next-token prediction"),
});

const model = z.strictObject({
  width: count.describe("d: units of the residual stream"),
  layers: count.describe("decoder layers"),
  attention_heads: count.describe("query heads; they divide width"),
  kv_heads: count.optional().describe("key and value heads; they divide attention_heads, the default"),
  ffn: count.optional().describe("hidden units of SwiGLU; default 8/3 width, rounded up to a multiple of 32"),
  context: whole(2).describe("T: tokens that a training sequence predicts from"),
  heads: heads.default({ kind: "linear", count: 1 }).describe("prediction heads"),
  rope_theta: z.number().gt(0).default(10_000).describe("base of the rotary frequencies"),
  norm_eps: z.number().gt(0).default(1e-5).describe("added to the mean square in RMSNorm"),
  tied: z.boolean().default(false).describe("whether head 1 uses the embedding's matrix"),
}).transform((given) => ({
  ...given,
  kv_heads: given.kv_heads ?? given.attention_heads,
  ffn: given.ffn ?? Math.ceil(given.width * 8 / 3 / 32) * 32,
}));

const phase = z.strictObject({
  until: z.number().gt(0).max(1).describe("share of the steps at which the phase ends; the last one's is 1"),
  weights: z.array(z.number().min(0)).min(1).describe(
    "weight of each head's loss, K numbers; 0: not run at all",
  ),
});

const curriculum = z.union([
  z.enum(["ntp", "mtp", "forward", "reverse"]),
  z.strictObject({ phases: z.array(phase).min(1).describe("one after another, from step 0") }),
], { error: "ntp | mtp | forward | reverse | a map with phases" });

const train = z.strictObject({
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

const seed = z.int().min(0).max(2 ** 32 - 1);
const device = z.enum(["auto", "cpu", "cuda"]);
const threads = z.union([z.literal("auto"), count], { error: "auto | a whole number" });

const id = name.describe("names the stage and its folder in the run");
const needs = z.array(name).default([]).describe("ids of earlier stages whose results this one reads");

const prepareStage = z.strictObject({
  id,
  run: z.literal("prepare"),
  needs,
  input: z.union([path, z.array(path).min(1)], { error: "stories | a path | a list of paths" })
    .describe("stories: the built-in generator; else paths, folders and globs of text"),
  bytes: count.default(4_000_000).describe("bytes of text that the generator makes; files are read whole"),
  document: z.enum(["file", "blank_line"]).default("file")
    .describe("file: each file is a document; blank_line: each block between blank lines is one"),
  validation: z.union([share, z.array(path).min(1)], { error: "a share between 0 and 1 | a list of paths" })
    .default(0.02)
    .describe("share of the documents held out, or the paths and globs that are"),
  shard_bytes: whole(1024).default(256_000_000).describe("text bytes after which a new shard begins"),
});

const trainStage = z.strictObject({
  id,
  run: z.literal("train"),
  needs,
  model: model.describe("the network"),
  curriculum: curriculum.default("ntp").describe("which heads are trained when: a preset's name, or phases"),
  train: train.describe("optimizer, schedule, and what is written when"),
});

const evalStage = z.strictObject({
  id,
  run: z.literal("eval"),
  needs,
  split: z.enum(["val", "train"]).default("val").describe("which part of the text is scored"),
  tokens: count.default(200_000).describe("at most so many tokens are scored"),
});

const decodeStage = z.strictObject({
  id,
  run: z.literal("decode"),
  needs,
  prompts: count.default(16).describe("prompts, cut from the held-out text"),
  prompt_bytes: count.default(64).describe("bytes of each prompt"),
  new_tokens: count.default(128).describe("tokens generated after each prompt"),
  mode: z.enum(["strict", "exact"]).default("strict")
    .describe("strict: both decoders use one row-invariant computation; exact: equal but for near ties"),
  tolerance: z.number().min(0).default(1e-4).describe(
    "gap between the two best logits below which exact sees a tie",
  ),
  repeats: count.default(3).describe("timed runs, of which the median counts"),
});

const reportStage = z.strictObject({ id, run: z.literal("report"), needs });

/** One stage as the file gives it. */
const stageSchema = z.discriminatedUnion("run", [
  prepareStage,
  trainStage,
  evalStage,
  decodeStage,
  reportStage,
]);

/** The whole pipeline file. */
export const pipelineSchema = z.strictObject({
  name: name.describe("names the run's folder"),
  seed: seed.default(1337).describe(
    "of everything drawn at random: text, held-out part, initial weights, batches",
  ),
  device: device.default("auto").describe("auto: cuda where there is one, else cpu"),
  threads: threads.default("auto").describe("CPU threads; auto: all cores"),
  stages: z.array(stageSchema).min(1).describe("run in this order"),
});

/** A pipeline file after parsing, defaults filled in, before the loader makes each stage self-contained. */
export type PipelineFile = z.output<typeof pipelineSchema>;

/** What is drawn at random depends on it and on nothing else. */
interface Seeded {
  readonly seed: number;
}

/** Where a stage computes. */
interface Computing extends Seeded {
  readonly device: z.output<typeof device>;
  readonly threads: z.output<typeof threads>;
}

/** Text to shards. `input` is `"stories"` or absolute paths, folders and globs, `validation` a share or such paths. */
export type PrepareConfig =
  & Omit<z.output<typeof prepareStage>, "input">
  & Seeded
  & { readonly input: "stories" | string[] };
/** One arm: model, curriculum, optimizer. */
export type TrainConfig = z.output<typeof trainStage> & Computing;
/** Held-out bits per byte and accuracy of every arm that it needs. */
export type EvalConfig = z.output<typeof evalStage> & Computing;
/** Plain against self-speculative decoding of every arm that it needs. */
export type DecodeConfig = z.output<typeof decodeStage> & Computing;
/** One page about the stages that it needs. */
export type ReportConfig = z.output<typeof reportStage>;

/** One stage, self-contained: `run` says which. */
export type StageConfig = PrepareConfig | TrainConfig | EvalConfig | DecodeConfig | ReportConfig;
/** The kinds of stage. */
export type StageKind = StageConfig["run"];
/** The network of a {@link TrainConfig}; the vocabulary comes from the tokenizer of the shards. */
export type ModelConfig = z.output<typeof model>;
/** The settings that decide what is learned: all but how often the run is logged, measured and saved. */
export function withoutCadence(train: TrainConfig["train"]) {
  const { log_every: _l, validate_every: _e, validate_batches: _b, checkpoint_every: _c, keep: _k, ...rest } =
    train;
  return rest;
}

/** A preset's name, or phases; src/train/curriculum.ts expands it into steps. */
export type CurriculumConfig = z.output<typeof curriculum>;

/** A pipeline whose stages are self-contained, in the order of the file. */
export type PipelineConfig = Omit<PipelineFile, "stages"> & { readonly stages: readonly StageConfig[] };

/** JSON Schema of the file, for editors. */
export function jsonSchema(): unknown {
  return z.toJSONSchema(pipelineSchema, { io: "input" });
}

/**
 * What a pipeline file may say: every key with its unit, its default and the values that it takes.
 * The larger parts stand in schema/, checks that need more than one key in check/, files, positions and `--set` in load.ts.
 */

import * as z from "zod";
import { curriculum } from "./schema/curriculum.ts";
import { model } from "./schema/model.ts";
import { prepareStage } from "./schema/prepare.ts";
import { train } from "./schema/train.ts";
import { count, device, id, name, needs, seed, threads } from "./schema/values.ts";

export type { CurriculumConfig } from "./schema/curriculum.ts";
export type { ModelConfig } from "./schema/model.ts";
export { type TrainSettings, withoutCadence } from "./schema/train.ts";

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

/** A pipeline whose stages are self-contained, in the order of the file. */
export type PipelineConfig = Omit<PipelineFile, "stages"> & { readonly stages: readonly StageConfig[] };

/** JSON Schema of the file, for editors. */
export function jsonSchema(): unknown {
  return z.toJSONSchema(pipelineSchema, { io: "input" });
}

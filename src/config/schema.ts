/**
 * What a pipeline file may say: every key with its unit, its default and the values that it takes.
 * The larger parts stand in schema/, checks that need more than one key in check/, files, positions and `--set` in load.ts.
 */

import * as z from "zod";
import { curriculum } from "./schema/curriculum.ts";
import { decodeStage } from "./schema/decode.ts";
import { evalStage, type ResolvedEval } from "./schema/eval.ts";
import { exportStage, importStage } from "./schema/exchange.ts";
import { fetchStage } from "./schema/fetch.ts";
import { model } from "./schema/model.ts";
import { prepareStage, type ResolvedPrepare } from "./schema/prepare.ts";
import { train } from "./schema/train.ts";
import { device, id, name, needs, path, seed, threads } from "./schema/values.ts";

export type { TaskConfig } from "./schema/eval.ts";
export type { CurriculumConfig } from "./schema/curriculum.ts";
export type { DomainConfig } from "./schema/decode.ts";
export type { GenerationConfig, JudgeConfig, ServerConfig } from "./schema/generation.ts";
export type { SamplingConfig } from "./schema/sampling.ts";
export type { ModelConfig } from "./schema/model.ts";
export { type TrainSettings, withoutCadence } from "./schema/train.ts";

const trainStage = z.strictObject({
  id,
  run: z.literal("train"),
  needs,
  seed: seed.optional().describe("of initial weights and batches; default: the file's"),
  model: model.describe("the network"),
  curriculum: curriculum.default("ntp").describe("which heads are trained when: a preset's name, or phases"),
  train: train.describe("optimizer, schedule, and what is written when"),
});

/** Another run, or some arms of it. */
const reportedRun = z.union([path, z.strictObject({ run: path, arms: z.array(name).min(1).optional() })], {
  error: "a run's folder | { run: folder, arms: [ids] }",
}).transform((given) => typeof given === "string" ? { run: given } : given);

const reportStage = z.strictObject({
  id,
  run: z.literal("report"),
  needs,
  from: z.array(reportedRun).min(1).optional().describe(
    "folders of other runs that the page is about as well, each whole or some of its arms",
  ),
});

/** One stage as the file gives it. */
const stageSchema = z.discriminatedUnion("run", [
  fetchStage,
  prepareStage,
  importStage,
  trainStage,
  evalStage,
  decodeStage,
  exportStage,
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
  sandbox: z.enum(["auto", "required"]).default("auto").describe(
    "where the system cannot hold native code to a stage's files: auto warns and goes on, required refuses",
  ),
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

/** Files of a data set; `dataset` is owner/name, short names are looked up. */
export type FetchConfig = z.output<typeof fetchStage>;
/** Text to shards. Paths are absolute. */
export type PrepareConfig = ResolvedPrepare & Seeded;
/** Weights from elsewhere; `from` is absolute. */
export type ImportConfig = z.output<typeof importStage>;
/** One arm: model, curriculum, optimizer. */
export type TrainConfig = z.output<typeof trainStage> & Computing;
/** Held-out bits per byte and accuracy of every arm that it needs. */
export type EvalConfig = ResolvedEval & Computing;
/** Plain against self-speculative decoding of every arm that it needs. Paths are absolute. */
export type DecodeConfig = z.output<typeof decodeStage> & Computing;
/** An arm for other programs; `from` is absolute. */
export type ExportConfig = z.output<typeof exportStage>;
/** One page about the stages that it needs, and about other runs. Paths are absolute. */
export type ReportConfig = z.output<typeof reportStage>;

/** One stage, self-contained: `run` says which. */
export type StageConfig =
  | FetchConfig
  | PrepareConfig
  | ImportConfig
  | TrainConfig
  | EvalConfig
  | DecodeConfig
  | ExportConfig
  | ReportConfig;
/** The kinds of stage. */
export type StageKind = StageConfig["run"];

/** A pipeline whose stages are self-contained, every one after those that it needs. */
export type PipelineConfig = Omit<PipelineFile, "stages"> & {
  readonly stages: readonly StageConfig[];
  /** The stages that a name of the file stands for, where it has a matrix. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
};

/** JSON Schema of the file, for editors. */
export function jsonSchema(): unknown {
  return z.toJSONSchema(pipelineSchema, { io: "input" });
}

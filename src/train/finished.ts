/** A finished train stage as files: its train.json and newest checkpoint, checked. Loads no model and no native code. */
import { join } from "node:path";
import * as z from "zod";
import { readJson } from "../formats/json.ts";
import type { ModelOptions } from "../model/shape.ts";
import { UserError } from "../stage/errors.ts";
import type { Need } from "../stage/io.ts";
import { ADVICE, checkpointsIn, readCheckpoint, readState } from "./checkpoint.ts";
import { modelOptions } from "./model_options.ts";

/** What of train.json later stages need; the rest is for the report. */
const summarySchema = z.object({
  model: modelOptions,
  curriculum: z.object({ name: z.string() }),
  steps: z.int(),
});

/** What a finished train stage has made. */
export interface Finished {
  readonly id: string;
  readonly options: ModelOptions;
  /** Name of its curriculum. */
  readonly curriculum: string;
  readonly steps: number;
  /** Folder of the newest checkpoint. */
  readonly checkpoint: string;
  /** Which of its files holds the weights to use: `ema`, their running mean, where the run kept one. */
  readonly weights: "model" | "ema";
  /** Of the text that it was trained on, as meta.json has it. */
  readonly tokenizer: unknown;
}

/** @throws {UserError} naming the file that is not as it should be. */
export function readFinished(need: Need): Finished {
  const path = join(need.folder, "train.json");
  const parsed = summarySchema.safeParse(readJson(path, `has stage ${need.id} finished?`));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UserError(`Cannot use "${path}": ${issue!.path.join(".")}: ${issue!.message}`);
  }
  const { model: options, curriculum, steps } = parsed.data;
  const checkpoint = checkpointsIn(need.folder).at(-1);
  if (checkpoint === undefined) throw new UserError(`Stage ${need.id} has no checkpoint in "${need.folder}"`);
  const weights = readState(checkpoint, ADVICE.finished).sha256.ema === undefined ? "model" : "ema";
  const { step, run } = readCheckpoint(checkpoint, [weights], ADVICE.finished);
  if (step !== steps) {
    throw new UserError(
      `"${checkpoint}" is not the last checkpoint of stage ${need.id}, which took ${steps} steps; ${ADVICE.finished}`,
    );
  }
  return {
    id: need.id,
    options,
    curriculum: curriculum.name,
    steps,
    checkpoint,
    weights,
    tokenizer: run["tokenizer"],
  };
}

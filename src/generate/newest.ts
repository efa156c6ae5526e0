/** The model in a train stage's newest checkpoint, whether the stage has come to its end or not. */
import { basename, join } from "node:path";
import * as z from "zod";
import { type TokenizerInfo, tokenizerSchema } from "../data/shards.ts";
import { SafetensorsFile } from "../formats/safetensors.ts";
import { MtpModel } from "../model/mod.ts";
import { UserError } from "../stage/errors.ts";
import type { Device } from "../torch/mod.ts";
import { ADVICE, checkpointsIn, fileOf, loadPart, readCheckpoint, readState } from "../train/checkpoint.ts";
import { modelOptions } from "../train/model_options.ts";

/** What of a checkpoint's identity generation needs; the rest is for a training that goes on. */
const runSchema = z.object({
  model: modelOptions.omit({ vocab: true }),
  train: z.object({ steps: z.int() }),
  tokenizer: tokenizerSchema,
});

/** A model as far as it has been trained; disposing it frees the weights. */
export interface Newest extends Disposable {
  readonly model: MtpModel;
  /** Of the text that it was trained on. */
  readonly tokenizer: TokenizerInfo;
  /** Optimizer steps behind it, and those that were asked for. */
  readonly step: number;
  readonly steps: number;
}

/** @throws {UserError} where the stage has no checkpoint, or the newest one is damaged. */
export function openNewest(folder: string, device: Device): Newest {
  const checkpoint = checkpointsIn(folder).at(-1);
  if (checkpoint === undefined) throw new UserError(`"${basename(folder)}" has no checkpoint`);
  // As in evaluation: the running mean of the weights where the run keeps one.
  const weights = readState(checkpoint, ADVICE.finished).sha256.ema === undefined ? "model" : "ema";
  const { step, run } = readCheckpoint(checkpoint, [weights], ADVICE.finished);
  const parsed = runSchema.safeParse(run);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UserError(`Cannot use "${checkpoint}": run.${issue!.path.join(".")}: ${issue!.message}`);
  }
  const { model: sizes, train: { steps }, tokenizer } = parsed.data;
  const vocab = rowsOf(join(checkpoint, fileOf(weights)), "embedding"); // an imported model's is padded
  const model = new MtpModel({ ...sizes, vocab }, 0, device);
  try {
    loadPart(checkpoint, weights, model.parameters.entries());
  } catch (error) {
    model[Symbol.dispose]();
    throw error;
  }
  return { model, tokenizer, step, steps, [Symbol.dispose]: () => model[Symbol.dispose]() };
}

function rowsOf(path: string, name: string): number {
  using file = new SafetensorsFile(path);
  return file.info(name).shape[0]!;
}

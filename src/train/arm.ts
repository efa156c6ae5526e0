/** A trained arm, as evaluation and decoding see it. */
import { join } from "node:path";
import * as z from "zod";
import { readJson } from "../formats/json.ts";
import { MtpModel } from "../model/mod.ts";
import { UserError } from "../stage/errors.ts";
import type { Need } from "../stage/io.ts";
import type { Device } from "../torch/mod.ts";
import { ADVICE, checkpointsIn, loadModel, readCheckpoint } from "./checkpoint.ts";

/** What of train.json later stages need; the rest is for the report. */
const summarySchema = z.object({
  model: z.strictObject({
    vocab: z.int(),
    width: z.int(),
    layers: z.int(),
    attention_heads: z.int(),
    kv_heads: z.int(),
    ffn: z.int(),
    context: z.int(),
    heads: z.strictObject({ kind: z.literal("linear"), count: z.int() }),
    rope_theta: z.number(),
    norm_eps: z.number(),
    tied: z.boolean(),
  }),
  curriculum: z.object({ name: z.string() }),
  steps: z.int(),
});

/** A model with its trained weights; disposing it frees them. */
export interface Arm extends Disposable {
  readonly id: string;
  readonly curriculum: string;
  readonly model: MtpModel;
}

/** Opens the newest checkpoint of a finished train stage. @throws {UserError} naming the file that is not as it should be. */
export function openArm(need: Need, device: Device): Arm {
  const path = join(need.folder, "train.json");
  const parsed = summarySchema.safeParse(readJson(path, `has stage ${need.id} finished?`));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UserError(`Cannot use "${path}": ${issue!.path.join(".")}: ${issue!.message}`);
  }
  const folder = checkpointsIn(need.folder).at(-1);
  if (folder === undefined) throw new UserError(`Stage ${need.id} has no checkpoint in "${need.folder}"`);
  const { step } = readCheckpoint(folder, ["model"], ADVICE.finished);
  if (step !== parsed.data.steps) {
    throw new UserError(
      `"${folder}" is not the last checkpoint of stage ${need.id}, which took ${parsed.data.steps} steps; ${ADVICE.finished}`,
    );
  }
  const model = new MtpModel(parsed.data.model, 0, device);
  try {
    loadModel(folder, model);
  } catch (error) {
    model[Symbol.dispose]();
    throw error;
  }
  return {
    id: need.id,
    curriculum: parsed.data.curriculum.name,
    model,
    [Symbol.dispose]: () => model[Symbol.dispose](),
  };
}

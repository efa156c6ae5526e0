/** A trained arm, as evaluation and decoding see it. */
import type { ShardSet } from "../data/shards.ts";
import { differences } from "../formats/differences.ts";
import { MtpModel } from "../model/mod.ts";
import { UserError } from "../stage/errors.ts";
import type { Need } from "../stage/io.ts";
import type { Device } from "../torch/mod.ts";
import { loadPart } from "./checkpoint.ts";
import { readFinished } from "./finished.ts";

/** A model with its trained weights; disposing it frees them. */
export interface Arm extends Disposable {
  readonly id: string;
  readonly curriculum: string;
  readonly model: MtpModel;
  /** `ema`: the model has the running mean of the weights, as it was validated. */
  readonly weights: "model" | "ema";
  /** Of the text that it was trained on, as meta.json has it. */
  readonly tokenizer: unknown;
}

/** Refuses text whose ids are not those that an arm was trained on. @throws {UserError} saying what differs. */
export function checkTokenizer({ id, tokenizer }: Arm, { meta }: ShardSet): void {
  const [first] = differences(tokenizer, meta.tokenizer, `for ${id}`); // the others follow from it
  if (first === undefined) return;
  throw new UserError(
    `The text has another tokenizer than the one that ${id} was trained on: ${first}. ` +
      `Name the prepare stage that ${id} needs`,
  );
}

/** Opens the newest checkpoint of a finished train stage. @throws {UserError} naming the file that is not as it should be. */
export function openArm(need: Need, device: Device): Arm {
  const { id, options, curriculum, checkpoint, weights, tokenizer } = readFinished(need);
  const model = new MtpModel(options, 0, device);
  try {
    loadPart(checkpoint, weights, model.parameters.entries());
  } catch (error) {
    model[Symbol.dispose]();
    throw error;
  }
  return { id, curriculum, model, weights, tokenizer, [Symbol.dispose]: () => model[Symbol.dispose]() };
}

/**
 * The further heads in Medusa's format, the one for parallel heads that public servers load. One folder serves both of
 * its readings:
 *
 * | file                          | read by                               | names                                       |
 * | ----------------------------- | ------------------------------------- | ------------------------------------------- |
 * | `config.json`                 | both                                  | `medusa_num_heads`, `medusa_num_layers`, ... |
 * | `medusa_lm_head.safetensors`  | Medusa, text-generation-inference     | `<i>.<j>.linear.weight`, `.bias`, `<i>.<n>.weight` |
 * | `model.safetensors`           | vLLM                                  | `blocks.<i>.layers.<j>.weight`, `lm_heads.<i>.weight` |
 *
 * Heads count from 0 there, and 0 is our head 2. Medusa's residual blocks have a bias, which text-generation-inference
 * insists on: it is zero. vLLM finds the counts in any key with "num" and "heads" or "layers" in it, skips tensors whose
 * names it does not know, and leaves biases out unless `medusa_fc_bias` is set. `linear` heads are Medusa's with no
 * residual block.
 *
 * Sources: FasterDecoding/Medusa medusa/model/medusa_model.py (11af0aa); huggingface/text-generation-inference
 * server/text_generation_server/layers/medusa.py (91560ed); vllm-project/vllm vllm/model_executor/models/medusa.py
 * (01dbb08) and vllm/transformers_utils/configs/medusa.py (0531c22).
 */
import { join } from "node:path";
import type { ExportConfig } from "../config/schema.ts";
import { AtomicFolder, writeJson } from "../formats/atomic.ts";
import { type TensorEntry, writeSafetensors } from "../formats/safetensors.ts";
import { shapeOf } from "../model/shape.ts";
import { UserError } from "../stage/errors.ts";
import type { Finished } from "../train/finished.ts";
import { furtherHeadTensors } from "./llama_names.ts";
import { entriesFor, openWeights } from "./weights.ts";

/** @throws {UserError} where an arm has no heads of Medusa's form. */
export function checkMedusa({ id, options: { heads: { kind, count } } }: Finished): void {
  if (count === 1) throw new UserError(`${id} has one head: there is nothing to write in Medusa's format`);
  if (kind === "linear" || kind === "residual") return;
  throw new UserError(
    `${id} has ${kind} heads; Medusa's format holds residual and linear ones only: export it with to: hf`,
  );
}

export function writeMedusa({ dtype, base_model }: ExportConfig, stageFolder: string, arm: Finished): void {
  const shape = shapeOf(arm.options);
  const { kind, count, layers = 1 } = shape.heads;
  const blocks = kind === "residual" ? layers : 0;
  using weights = openWeights(arm);
  using folder = new AtomicFolder(join(stageFolder, "medusa"));
  const entries = entriesFor(furtherHeadTensors(shape), weights, dtype);
  const put = (file: string, tensors: readonly TensorEntry[]) =>
    writeSafetensors(join(folder.temporary, file), tensors, { format: "pt" });
  put("medusa_lm_head.safetensors", [
    ...entries.map((entry) => ({ ...entry, name: nameForMedusa(entry.name, blocks) })),
    ...biases(count - 1, blocks, shape.width, entries[0]!.dtype),
  ]);
  put("model.safetensors", entries.map((entry) => ({ ...entry, name: nameForVllm(entry.name) })));
  writeJson(join(folder.temporary, "config.json"), {
    model_type: "medusa",
    architectures: ["MedusaModel"],
    medusa_num_heads: count - 1,
    medusa_num_layers: blocks,
    base_model_name_or_path: base_model ?? join(stageFolder, "hf"),
    hidden_size: shape.width,
    vocab_size: shape.vocab,
    torch_dtype: dtype,
  });
  folder.commit();
}

/** `heads.2.blocks.0.weight` becomes `0.0.linear.weight`, `heads.2.lm_head.weight` `0.<blocks>.weight`. */
function nameForMedusa(name: string, blocks: number): string {
  const { head, block } = placeOf(name);
  return block === undefined ? `${head}.${blocks}.weight` : `${head}.${block}.linear.weight`;
}

/** `heads.2.blocks.0.weight` becomes `blocks.0.layers.0.weight`, `heads.2.lm_head.weight` `lm_heads.0.weight`. */
function nameForVllm(name: string): string {
  const { head, block } = placeOf(name);
  return block === undefined ? `lm_heads.${head}.weight` : `blocks.${head}.layers.${block}.weight`;
}

/** Medusa's number of the head, and that of the residual block; undefined: the unembedding. */
function placeOf(name: string): { head: number; block: string | undefined } {
  const [, head, block] = /^heads\.(\d+)\.(?:blocks\.(\d+)|lm_head)\.weight$/.exec(name)!;
  return { head: Number(head) - 2, block };
}

function biases(heads: number, blocks: number, width: number, dtype: TensorEntry["dtype"]): TensorEntry[] {
  const bytes = () => new Uint8Array(width * (dtype === "F32" ? 4 : 2));
  return Array.from(
    { length: heads },
    (_, i) =>
      Array.from(
        { length: blocks },
        (_, j) => ({ name: `${i}.${j}.linear.bias`, dtype, shape: [width], bytes }),
      ),
  )
    .flat();
}

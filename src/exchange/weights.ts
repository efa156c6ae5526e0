/** An arm's parameters on their way into a file of another layout. */
import { join } from "node:path";
import type { ExportConfig } from "../config/schema.ts";
import { toBfloat16 } from "../formats/floats.ts";
import { SafetensorsFile, type TensorEntry } from "../formats/safetensors.ts";
import { UserError } from "../stage/errors.ts";
import { fileOf } from "../train/checkpoint.ts";
import type { Finished } from "../train/finished.ts";
import type { Correspondence } from "./llama_names.ts";

/** The arm's parameters. */
export const openWeights = ({ checkpoint, weights }: Finished): SafetensorsFile =>
  new SafetensorsFile(join(checkpoint, fileOf(weights)));

/** What makes up some tensors, in the checkpoint's names: each is read when its turn to be written comes. */
export function entriesFor(
  tensors: readonly Correspondence[],
  weights: SafetensorsFile,
  dtype: ExportConfig["dtype"],
): TensorEntry[] {
  return tensors.flatMap(({ name, shape, parts }) => {
    const found = weights.info(name).shape;
    if (String(found) !== String(shape)) {
      throw new UserError(`"${weights.path}" holds "${name}" as [${found}], train.json says [${shape}]`);
    }
    let from = 0;
    return parts.map((part): TensorEntry => {
      const size = part.shape.reduce((product, n) => product * n, 1);
      const start = from;
      from += size;
      const values = () => new Float32Array(weights.read(name).buffer as ArrayBuffer, 4 * start, size);
      return dtype === "bfloat16"
        ? { ...part, dtype: "BF16", bytes: () => toBfloat16(values()) }
        : { ...part, dtype: "F32", bytes: () => new Uint8Array(values().buffer, 4 * start, 4 * size) };
    });
  });
}

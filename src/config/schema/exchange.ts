/** The import and export stages: models of other programs to this one's, and back. */

import * as z from "zod";
import { id, needs, path } from "./values.ts";

export const importStage = z.strictObject({
  id,
  run: z.literal("import"),
  needs,
  from: path.describe("folder of a Llama-architecture checkpoint: config.json and safetensors"),
});

export const exportStage = z.strictObject({
  id,
  run: z.literal("export"),
  needs,
  from: path.optional().describe("folder of a train stage in another run, in place of one in needs"),
  to: z.enum(["hf", "medusa"]).default("hf").describe(
    "hf: a Llama folder that transformers opens; medusa: that and the further heads as servers load them",
  ),
  dtype: z.enum(["float32", "bfloat16"]).default("float32").describe("type of the numbers in the files"),
  base_model: z.string().min(1).optional().describe(
    "medusa: where servers find the model below the heads, a path or a name on a hub; default: the folder hf beside it",
  ),
});

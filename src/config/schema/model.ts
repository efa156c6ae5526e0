/** `model`: the network of a train stage. */

import * as z from "zod";
import { count, whole } from "./values.ts";

const heads = z.strictObject({
  kind: z.enum(["linear"]).default("linear")
    .describe("linear: own width x vocabulary matrix per further offset, on the trunk's output"),
  count: count.default(1).describe("K: head i predicts the token i places ahead; 1 is next-token prediction"),
});

export const model = z.strictObject({
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

/** The network of a train stage; the vocabulary comes from the tokenizer of the shards. */
export type ModelConfig = z.output<typeof model>;

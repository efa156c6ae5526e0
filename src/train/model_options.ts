/** The sizes of a model, as files of JSON hold them. */
import * as z from "zod";
import { HEAD_KINDS, type ModelOptions } from "../model/shape.ts";

export const modelOptions = z.strictObject({
  vocab: z.int(),
  width: z.int(),
  layers: z.int(),
  attention_heads: z.int(),
  kv_heads: z.int(),
  ffn: z.int(),
  context: z.int(),
  heads: z.strictObject({ kind: z.enum(HEAD_KINDS), count: z.int(), layers: z.int().optional() }),
  rope_theta: z.number(),
  norm_eps: z.number(),
  tied: z.boolean(),
}) satisfies z.ZodType<ModelOptions>;

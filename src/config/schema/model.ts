/** `model`: the network of a train stage. */

import * as z from "zod";
import { count, whole } from "./values.ts";

const heads = z.strictObject({
  kind: z.enum(["linear", "transformer", "residual", "sequential"]).default("linear").describe(
    "linear: own width x vocabulary matrix per further offset; transformer: the last K layers serve one offset each; " +
      "residual: Medusa's block and own matrix; sequential: DeepSeek-V3's modules in a chain",
  ),
  count: count.default(1).describe("K: head i predicts the token i places ahead; 1 is next-token prediction"),
  layers: count.optional().describe("residual heads only: blocks of each; default 1"),
});

/** Sizes that have a name. */
type Sizes = Readonly<Record<"width" | "layers" | "attention_heads", number>> & {
  readonly kv_heads?: number;
  readonly ffn?: number;
};

const sizes = (width: number, layers: number, attention_heads: number): Sizes => ({
  width,
  layers,
  attention_heads,
});

/**
 * Shapes of Gloeckle et al. 2024, tables S13 and S14, by their names there: up to 1b those of its induction and
 * arithmetic runs (counted without the embeddings), from 0.3b on those of its scaling runs. The last one stands for the
 * 3B model of Aynetdinov & Akbik 2025, of which the width is known; the rest is Llama 3.2 3B's.
 */
export const PRESETS: Readonly<Record<string, Sizes>> = {
  "1m": sizes(128, 5, 4),
  "3m": sizes(256, 4, 8),
  "10m": sizes(384, 6, 8),
  "30m": sizes(512, 10, 8),
  "100m": sizes(768, 14, 12),
  "300m": sizes(1024, 25, 16),
  "1b": sizes(1536, 36, 24),
  "0.3b": sizes(1024, 18, 16),
  "0.6b": sizes(1280, 27, 20),
  "1.3b": sizes(2048, 24, 16),
  "3b": sizes(2560, 36, 20),
  "6.7b": sizes(4096, 32, 32),
  "13b": sizes(5120, 40, 40),
  "3b-wide": { ...sizes(3072, 28, 24), kv_heads: 8, ffn: 8192 },
};

const given = z.strictObject({
  preset: z.enum(Object.keys(PRESETS)).optional().describe("sizes by name; keys beside it override them"),
  width: count.optional().describe("d: units of the residual stream"),
  layers: count.optional().describe("decoder layers"),
  attention_heads: count.optional().describe("query heads; they divide width"),
  kv_heads: count.optional().describe("key and value heads; they divide attention_heads, the default"),
  ffn: count.optional().describe("hidden units of SwiGLU; default 8/3 width, rounded up to a multiple of 32"),
  context: whole(2).describe("T: tokens that a training sequence predicts from"),
  heads: heads.default({ kind: "linear", count: 1 }).describe("prediction heads"),
  rope_theta: z.number().gt(0).default(10_000).describe("base of the rotary frequencies"),
  norm_eps: z.number().gt(0).default(1e-5).describe("added to the mean square in RMSNorm"),
  tied: z.boolean().default(false).describe("whether head 1 uses the embedding's matrix"),
});

export const model = given.transform(({ preset, ...keys }, context) => {
  const named: Partial<Sizes> = preset === undefined ? {} : PRESETS[preset]!;
  const size = (key: "width" | "layers" | "attention_heads"): number => {
    const found = keys[key] ?? named[key];
    if (found !== undefined) return found;
    context.addIssue({
      code: "custom",
      path: [key],
      message: "missing: expected a whole number, or a preset",
    });
    return NaN;
  };
  const [width, layers, attention_heads] = [size("width"), size("layers"), size("attention_heads")];
  // What a preset says of key heads and hidden units goes with its own width and query heads.
  const isAsNamed = width === named.width && attention_heads === named.attention_heads;
  const fitting = isAsNamed ? named : {};
  return {
    ...keys,
    width,
    layers,
    attention_heads,
    kv_heads: keys.kv_heads ?? fitting.kv_heads ?? attention_heads,
    ffn: keys.ffn ?? fitting.ffn ?? Math.ceil(width * 8 / 3 / 32) * 32,
  };
});

/** The network of a train stage; the vocabulary comes from the tokenizer of the shards. */
export type ModelConfig = z.output<typeof model>;

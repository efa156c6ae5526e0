/** The models that `deno task bench decode` decodes with, and how the peer gets their weights. */
import { llamaConfig } from "../../src/exchange/llama_config.ts";
import { blocksToHead1, llamaTensors } from "../../src/exchange/llama_names.ts";
import { entriesFor } from "../../src/exchange/weights.ts";
import { writeJson } from "../../src/formats/atomic.ts";
import { SafetensorsFile, writeSafetensors } from "../../src/formats/safetensors.ts";
import { type ModelOptions, MtpModel } from "../../src/model/mod.ts";

const BYTES = 320;

const SIZES = {
  "1M": { vocab: BYTES, width: 128, layers: 5, attention_heads: 4, kv_heads: 4, ffn: 352 },
  "10M": { vocab: BYTES, width: 384, layers: 6, attention_heads: 6, kv_heads: 6, ffn: 1024 },
  "100M": { vocab: BYTES, width: 768, layers: 14, attention_heads: 12, kv_heads: 12, ffn: 2048 },
  /** Subwords in place of bytes: the last product is a fifth of all. */
  "124M": { vocab: 32_000, width: 768, layers: 14, attention_heads: 12, kv_heads: 12, ffn: 2048 },
} as const;

export type Size = keyof typeof SIZES;
export const isSize = (name: string): name is Size => name in SIZES;
export const SIZE_NAMES = Object.keys(SIZES) as Size[];

const optionsOf = (size: Size): ModelOptions => ({
  ...SIZES[size],
  heads: { kind: "linear", count: 1 },
  context: 512,
  rope_theta: 10_000,
  norm_eps: 1e-5,
  tied: false,
});

/** A model with random weights: how fast it decodes does not depend on what it has learnt. */
export const randomModel = (size: Size): MtpModel => new MtpModel(optionsOf(size), 1, "cpu");

/** Bytes of weights that one forward pass reads: all but the embedding, of which it reads a row. */
export function bytesRead({ parameters }: MtpModel): number {
  const read = parameters.entries().filter(([name]) => name !== "embedding");
  return read.reduce((sum, [, tensor]) => sum + tensor.byteLength, 0);
}

/** Writes the model for transformers, by the way that `export` takes. */
export function writeHf({ parameters, shape }: MtpModel, folder: string): void {
  Deno.mkdirSync(folder, { recursive: true });
  const own = `${folder}/own.safetensors`;
  writeSafetensors(
    own,
    parameters.entries().map(([name, tensor]) => ({
      name,
      dtype: "F32",
      shape: tensor.shape,
      bytes: () => tensor.toBytes(),
    })),
  );
  using weights = new SafetensorsFile(own);
  writeSafetensors(`${folder}/model.safetensors`, entriesFor(llamaTensors(shape), weights, "float32"), {
    format: "pt",
  });
  writeJson(`${folder}/config.json`, llamaConfig(shape, blocksToHead1(shape).length, 0, "float32"));
  Deno.removeSync(own);
}

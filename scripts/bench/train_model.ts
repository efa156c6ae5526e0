/** The models that train.ts and memory.ts train, and what both sides of a comparison are told. */
import type { ModelOptions } from "../../src/model/mod.ts";

/** What train_case.ts and train_peer.py take as their one argument, in JSON. */
export interface Case {
  readonly model: ModelOptions;
  /** Rows of one micro-batch, which is the whole batch; each row has `model.context` tokens. */
  readonly batch: number;
  /** A safetensors file with the first weights, `inputs` and `targets`: ours writes it, the peer reads it. */
  readonly file: string;
}

const COMMON = { context: 256, rope_theta: 10_000, norm_eps: 1e-5, tied: false } as const;

const SIZES = {
  /** Bytes. */
  "1M": { vocab: 320, width: 128, layers: 5, attention_heads: 4, kv_heads: 4, ffn: 352 },
  "10M": { vocab: 8192, width: 384, layers: 6, attention_heads: 8, kv_heads: 8, ffn: 1024 },
  /** A vocabulary that makes logits the largest thing in memory. */
  "32k": { vocab: 32_000, width: 256, layers: 4, attention_heads: 4, kv_heads: 4, ffn: 704 },
} as const;

export type Size = keyof typeof SIZES;

/** A model of a size with K linear heads. */
export const modelOf = (size: Size, count: number): ModelOptions => ({
  ...COMMON,
  ...SIZES[size],
  heads: { kind: "linear", count },
});

/**
 * A block in decoding: few new rows of one or several sequences, behind what is in the cache. The formula is that of
 * block.ts. Shape suffixes as there; R rows.
 */
import {
  cachedAttention,
  type CachedKeys,
  decodeLinear,
  type DecodeWeight,
  type Places,
  swiglu,
  type Tensor,
} from "../torch/mod.ts";
import type { Rotary } from "./rotary.ts";
import type { ModelShape } from "./shape.ts";

/** The block's own weights; norms belong to the model. */
interface Weights {
  readonly attentionNorm: Tensor; // (D)
  readonly qkv: DecodeWeight; // (N * W, D)
  readonly attentionOut: DecodeWeight; // (D, D)
  readonly ffnNorm: Tensor; // (D)
  readonly gateUp: DecodeWeight; // (2F, D)
  readonly down: DecodeWeight; // (D, F)
}

export class DecodeBlock implements Disposable {
  readonly #heads: number;
  readonly #eps: number;

  /** @param index Of its keys and values in a cache. */
  constructor(shape: ModelShape, readonly index: number, readonly weights: Weights) {
    this.#heads = shape.attention_heads;
    this.#eps = shape.norm_eps;
  }

  /** Writes the rows' keys and values into the cache of this block. */
  step(x_RD: Tensor, rotary: Rotary, cache: CachedKeys, places: Places): Tensor {
    const { attentionNorm, qkv, attentionOut, ffnNorm, gateUp, down } = this.weights;
    const eps = this.#eps;
    const qkv_RM = decodeLinear(x_RD, qkv, { norm: { weight: attentionNorm, eps } }); // M = N * W
    const mixed_RD = cachedAttention(qkv_RM, rotary, cache, this.#heads, places);
    const h_RD = decodeLinear(mixed_RD, attentionOut, { residual: x_RD });
    const hidden_RF = swiglu(decodeLinear(h_RD, gateUp, { norm: { weight: ffnNorm, eps } }));
    return decodeLinear(hidden_RF, down, { residual: h_RD });
  }

  [Symbol.dispose](): void {
    const { qkv, attentionOut, gateUp, down } = this.weights;
    for (const weight of [qkv, attentionOut, gateUp, down]) weight[Symbol.dispose]();
  }
}

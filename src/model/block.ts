/**
 * One block of a Llama-style decoder: RMSNorm, grouped-query attention with rotary positions, RMSNorm, SwiGLU.
 *
 * Shape suffixes: B batch, T time, R rows of new tokens, D width, H query heads, G key and value heads, W width of one
 * head, F hidden units of SwiGLU, N = H + 2G.
 */
import {
  cachedAttention,
  cacheWrite,
  decodeLinear,
  type Kernels,
  linear,
  rmsNorm,
  rope,
  selfAttention,
  swiglu,
  type Tensor,
} from "../torch/mod.ts";
import type { KvCache } from "./cache.ts";
import type { ModelShape } from "./shape.ts";
import type { Parameters } from "./parameters.ts";

/** cos and sin of the rotary angles, each (positions, W / 2). */
export interface Rotary {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/** From queries, keys and values (B, T, N, W) of which H are queries, and rotary tables, to what they mix to (B, T, H * W). */
export type Attend = (projected_BTNW: Tensor, rotary: Rotary, H: number) => Tensor;

const causal: Attend = (projected_BTNW, { cos, sin }, H) => selfAttention(projected_BTNW, cos, sin, H);

export class Block {
  readonly #shape: ModelShape;
  readonly #attentionNorm: Tensor;
  readonly #qkv: Tensor; // (N * W, D): queries, keys, values
  readonly #attentionOut: Tensor; // (D, D)
  readonly #ffnNorm: Tensor;
  readonly #gateUp: Tensor; // (2F, D)
  readonly #down: Tensor; // (D, F)

  /**
   * @param prefix Begins the names of its parameters.
   * @param index Of its keys and values in a cache.
   */
  constructor(shape: ModelShape, parameters: Parameters, prefix: string, readonly index: number) {
    const { width, ffn, layers } = shape;
    const name = (part: string) => `${prefix}.${part}`;
    // What is added to the residual stream shrinks with depth, so that the stream's variance does not grow with it
    // (Radford et al. 2019).
    const residual = 1 / Math.sqrt(2 * layers);
    this.#shape = shape;
    this.#attentionNorm = parameters.ones(name("attention_norm"), width);
    const { headWidth, projections, kv_heads: G } = shape;
    const qkv = [width, G * headWidth, G * headWidth];
    this.#qkv = parameters.normal(name("qkv"), [projections * headWidth, width], width ** -0.5, qkv);
    this.#attentionOut = parameters.normal(name("attention_out"), [width, width], width ** -0.5 * residual);
    this.#ffnNorm = parameters.ones(name("ffn_norm"), width);
    this.#gateUp = parameters.normal(name("gate_up"), [2 * ffn, width], width ** -0.5, [ffn, ffn]);
    this.#down = parameters.normal(name("down"), [width, ffn], ffn ** -0.5 * residual);
  }

  /** Whole sequences at once, from position 0 on; `attend`: as something else than sequences. */
  forward(x_BTD: Tensor, rotary: Rotary, attend = causal): Tensor {
    const { attention_heads: H, projections: N, headWidth: W, norm_eps } = this.#shape;
    const [B, T] = x_BTD.shape as [number, number, number];
    const normed_BTD = rmsNorm(x_BTD, this.#attentionNorm, norm_eps);
    const projected_BTNW = linear(normed_BTD, this.#qkv).reshape(B, T, N, W);
    const mixed_BTD = attend(projected_BTNW, rotary, H);
    const h_BTD = x_BTD.add(linear(mixed_BTD, this.#attentionOut));
    const hidden_BTF = swiglu(linear(rmsNorm(h_BTD, this.#ffnNorm, norm_eps), this.#gateUp));
    return h_BTD.add(linear(hidden_BTF, this.#down));
  }

  /** New rows of one sequence, whose earlier positions are in the cache; writes theirs into it. */
  extend(x_RD: Tensor, rotary: Rotary, cache: KvCache, kernels: Kernels): Tensor {
    const { attention_heads: H, kv_heads: G, projections: N, headWidth: W, norm_eps } = this.#shape;
    const R = x_RD.shape[0]!;
    const { keys, values } = cache.block(this.index);
    const normed_RD = rmsNorm(x_RD, this.#attentionNorm, norm_eps);
    const projected_RNW = decodeLinear(normed_RD, this.#qkv, kernels).reshape(R, N, W);
    const qkv_RNW = rope(projected_RNW, rotary.cos, rotary.sin, H + G, cache.length);
    cacheWrite(keys, qkv_RNW.slice(1, H, H + G), cache.length);
    cacheWrite(values, qkv_RNW.slice(1, H + G, N), cache.length);
    const mixed_RD = cachedAttention(qkv_RNW.slice(1, 0, H), keys, values, cache.length, kernels);
    const h_RD = x_RD.add(decodeLinear(mixed_RD, this.#attentionOut, kernels));
    const gateUp_RF = decodeLinear(rmsNorm(h_RD, this.#ffnNorm, norm_eps), this.#gateUp, kernels);
    return h_RD.add(decodeLinear(swiglu(gateUp_RF), this.#down, kernels));
  }
}

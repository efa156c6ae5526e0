/**
 * One block of a Llama-style decoder: RMSNorm, grouped-query attention with rotary positions, RMSNorm, SwiGLU.
 *
 * Shape suffixes: B batch, T time, D width, H query heads, G key and value heads, W width of one head, F hidden units of
 * SwiGLU, N = H + 2G.
 */
import {
  DecodeWeight,
  type Kernels,
  linear,
  rmsNorm,
  selfAttention,
  swiglu,
  type Tensor,
} from "../torch/mod.ts";
import { DecodeBlock } from "./decode_block.ts";
import type { Parameters } from "./parameters.ts";
import type { Rotary } from "./rotary.ts";
import type { ModelShape } from "./shape.ts";

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

  /** The same block for decoding, with its weights as they are now. */
  decoding(kernels: Kernels): DecodeBlock {
    return new DecodeBlock(this.#shape, this.index, {
      attentionNorm: this.#attentionNorm,
      qkv: new DecodeWeight(this.#qkv, kernels),
      attentionOut: new DecodeWeight(this.#attentionOut, kernels),
      ffnNorm: this.#ffnNorm,
      gateUp: new DecodeWeight(this.#gateUp, kernels),
      down: new DecodeWeight(this.#down, kernels),
    });
  }
}

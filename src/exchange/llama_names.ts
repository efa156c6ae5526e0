/**
 * How the tensors of this program and those of a Llama checkpoint correspond. Linear maps are (out, in) in both, and both
 * turn dimensions j and j + W/2 of a head together, so no row changes its place; what is fused here is split there.
 *
 * | here                      | Llama, below `model.layers.<n>.`                                              |
 * | ------------------------- | ----------------------------------------------------------------------------- |
 * | `<block>.attention_norm`  | `input_layernorm`                                                             |
 * | `<block>.qkv`             | `self_attn.q_proj`, `self_attn.k_proj`, `self_attn.v_proj`, one below another |
 * | `<block>.attention_out`   | `self_attn.o_proj`                                                            |
 * | `<block>.ffn_norm`        | `post_attention_layernorm`                                                    |
 * | `<block>.gate_up`         | `mlp.gate_proj`, `mlp.up_proj`, one below the other                           |
 * | `<block>.down`            | `mlp.down_proj`                                                               |
 * | `embedding`               | `model.embed_tokens`                                                          |
 * | `norm`                    | `model.norm`                                                                  |
 * | `heads.1`, `unembedding`  | `lm_head`; missing where it is tied                                           |
 */
import type { ModelOptions, ModelShape } from "../model/shape.ts";

/** One tensor here, and the tensors there that make it up, one below another. */
export interface Correspondence {
  readonly name: string;
  readonly shape: readonly number[];
  readonly parts: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

function whole(name: string, there: string, shape: readonly number[]): Correspondence {
  return { name, shape, parts: [{ name: there, shape }] };
}

/** The tensors of one block. `there` is what their names begin with in the checkpoint. */
export function blockTensors(shape: ModelShape, here: string, there: string): Correspondence[] {
  const { width: D, ffn: F, headWidth: W, attention_heads: H, kv_heads: G, projections: N } = shape;
  const part = (name: string, rows: number) => ({ name: `${there}.${name}.weight`, shape: [rows, D] });
  return [
    whole(`${here}.attention_norm`, `${there}.input_layernorm.weight`, [D]),
    {
      name: `${here}.qkv`,
      shape: [N * W, D],
      parts: [
        part("self_attn.q_proj", H * W),
        part("self_attn.k_proj", G * W),
        part("self_attn.v_proj", G * W),
      ],
    },
    whole(`${here}.attention_out`, `${there}.self_attn.o_proj.weight`, [D, D]),
    whole(`${here}.ffn_norm`, `${there}.post_attention_layernorm.weight`, [D]),
    { name: `${here}.gate_up`, shape: [2 * F, D], parts: [part("mlp.gate_proj", F), part("mlp.up_proj", F)] },
    whole(`${here}.down`, `${there}.mlp.down_proj.weight`, [D, F]),
  ];
}

/** Where head 1's unembedding is; undefined where it is the embedding. */
export function unembeddingOfHead1({ tied, heads: { kind } }: ModelOptions): string | undefined {
  if (tied) return undefined;
  return kind === "linear" || kind === "residual" ? "heads.1" : "unembedding";
}

/** Names of the blocks from the embedding to head 1, in order. */
export function blocksToHead1({ trunkLayers, heads: { kind } }: ModelShape): string[] {
  const trunk = Array.from({ length: trunkLayers }, (_, i) => `blocks.${i}`);
  return kind === "transformer" ? [...trunk, "heads.1"] : trunk;
}

/** All tensors of the trunk with head 1, which is a Llama model. */
export function llamaTensors(shape: ModelShape): Correspondence[] {
  const matrix = [shape.vocab, shape.width];
  const unembedding = unembeddingOfHead1(shape);
  return [
    whole("embedding", "model.embed_tokens.weight", matrix),
    ...blocksToHead1(shape).flatMap((block, n) => blockTensors(shape, block, `model.layers.${n}`)),
    whole("norm", "model.norm.weight", [shape.width]),
    ...(unembedding === undefined ? [] : [whole(unembedding, "lm_head.weight", matrix)]),
  ];
}

/** The tensors of the heads from 2 on, by names of their own in the checkpoint. */
export function furtherHeadTensors(shape: ModelShape): Correspondence[] {
  const { width: D, vocab: V, heads: { kind, count, layers = 1 } } = shape;
  const further = Array.from({ length: count - 1 }, (_, i) => `heads.${i + 2}`);
  return further.flatMap((head): Correspondence[] => {
    const own = whole(head, `${head}.lm_head.weight`, [V, D]);
    switch (kind) {
      case "linear":
        return [own];
      case "residual":
        return [
          ...Array.from(
            { length: layers },
            (_, j) => whole(`${head}.blocks.${j}`, `${head}.blocks.${j}.weight`, [D, D]),
          ),
          own,
        ];
      case "transformer":
        return blockTensors(shape, head, head);
      case "sequential":
        return [
          ...(["state_norm", "token_norm"] as const).map((norm) =>
            whole(`${head}.${norm}`, `${head}.${norm}.weight`, [D])
          ),
          whole(`${head}.join`, `${head}.join.weight`, [D, 2 * D]),
          ...blockTensors(shape, head, head),
        ];
    }
  });
}

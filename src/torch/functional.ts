/** The ops of a language model over whole sequences, as functions: linear maps, attention, norms, losses. */
import { check, native } from "./native.ts";
import { Tensor } from "./tensor.ts";

/** x (..., in) times weight (out, in), transposed: (..., out). */
export function linear(x: Tensor, weight: Tensor): Tensor {
  return new Tensor(native.ft_linear(x.handle, weight.handle));
}

/** Rows of weight (V, D) for int64 ids of any shape: (..., D). */
export function embedding(ids: Tensor, weight: Tensor): Tensor {
  return new Tensor(native.ft_embedding(ids.handle, weight.handle));
}

/** Scaled dot-product attention over (B, H, T, width); keys and values may have fewer heads (grouped queries). */
export function attention(q: Tensor, k: Tensor, v: Tensor, causal: boolean): Tensor {
  return new Tensor(native.ft_attention(q.handle, k.handle, v.handle, causal ? 1 : 0));
}

/** x / sqrt(mean(x^2) + eps) * weight over the last dimension (Zhang & Sennrich 2019). */
export function rmsNorm(x: Tensor, weight: Tensor, eps: number): Tensor {
  return new Tensor(native.ft_rms_norm(x.handle, weight.handle, eps));
}

/**
 * Rotary positions (Su et al. 2021, in Llama's half-split form) on x (..., T, N, width): the first `rotated` of the N
 * vectors at position t turn by the angles of row `start + t` of cos and sin (positions, width / 2).
 */
export function rope(x: Tensor, cos: Tensor, sin: Tensor, rotated: number, start = 0): Tensor {
  return new Tensor(native.ft_rope(x.handle, cos.handle, sin.handle, rotated, start));
}

/** Tensors side by side along a dimension. */
export function cat(tensors: readonly Tensor[], dim: number): Tensor {
  return new Tensor(native.ft_cat(Int32Array.from(tensors, (t) => t.handle), tensors.length, dim));
}

/** x / (1 + exp(-x)), element by element. */
export function silu(x: Tensor): Tensor {
  return new Tensor(native.ft_silu(x.handle));
}

/**
 * Causal self-attention over whole sequences, rotary positions included, from x (B, T, H + 2G, W): H queries, G keys, G
 * values; H is a multiple of G, and query h reads key and value h // (H / G). Gives (B, T, H * W).
 */
export function selfAttention(x: Tensor, cos: Tensor, sin: Tensor, heads: number): Tensor {
  return new Tensor(native.ft_self_attention(x.handle, cos.handle, sin.handle, heads));
}

/**
 * {@link selfAttention} over a tree of tokens, x (T, H + 2G, W), without gradients: (T, H * W). The tokens stand in
 * preorder, `depths` (T, int64, on the CPU) makes the tree; each sees its ancestors and itself, at the position that is
 * its depth.
 */
export function treeAttention(x: Tensor, cos: Tensor, sin: Tensor, heads: number, depths: Tensor): Tensor {
  return new Tensor(native.ft_tree_attention(x.handle, cos.handle, sin.handle, heads, depths.handle));
}

/** silu(gate) * up for x (..., 2F) = [gate | up]: (..., F) (Shazeer 2020). */
export function swiglu(gateUp: Tensor): Tensor {
  return new Tensor(native.ft_swiglu(gateUp.handle));
}

/** Sum of the NLL, in nats, of int64 targets (N) under logits (N, V); targets below 0 are left out. */
export function crossEntropy(logits: Tensor, targets: Tensor): Tensor {
  return new Tensor(native.ft_cross_entropy(logits.handle, targets.handle));
}

/**
 * Rows of logits that exist at a time: about 4 MB of them, which a processor's cache holds; on a GPU 64 times as many,
 * since each chunk is a product that must keep it busy.
 */
const chunkRows = (weight: Tensor): number => {
  const logits = weight.device === "cpu" ? 2 ** 20 : 2 ** 26;
  return Math.max(32, Math.floor(logits / weight.shape[0]!));
};

/**
 * scale times the sum of the NLL of targets (N) under x (N, D) times weight (V, D): what {@link crossEntropy} gives,
 * with the logits of one chunk of rows in memory at a time. The gradients are made in the forward pass.
 *
 * `zLoss` times the square of each row's logsumexp is added to the objective (PaLM, section 5): it holds the logits'
 * scale. Only the gradients know it: the value stays that of the NLL, which runs compare.
 */
export function linearCrossEntropy(
  x: Tensor,
  weight: Tensor,
  targets: Tensor,
  scale: number,
  { chunk = chunkRows(weight), zLoss = 0 }: { readonly chunk?: number; readonly zLoss?: number } = {},
): Tensor {
  return new Tensor(
    native.ft_linear_cross_entropy(x.handle, weight.handle, targets.handle, scale, chunk, zLoss),
  );
}

const pair = new Int32Array(2);

/** The NLL (N) of each target, 0 where it is below 0, and the most likely class (N), without gradients. */
export function linearNll(
  x: Tensor,
  weight: Tensor,
  targets: Tensor,
  chunk = chunkRows(weight),
): { nll: Tensor; best: Tensor } {
  check(native.ft_linear_nll(x.handle, weight.handle, targets.handle, chunk, pair));
  return { nll: new Tensor(pair[0]!), best: new Tensor(pair[1]!) };
}

/** The best logit less the second best, for each row of (N, V): (N). */
export function top2Gap(logits: Tensor): Tensor {
  return new Tensor(native.ft_top2_gap(logits.handle));
}

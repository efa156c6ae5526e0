/**
 * What a model costs, from its sizes alone: parameters by module, FLOPs a token, memory of a micro-batch. Pure
 * arithmetic; a test compares it with the real model of every kind.
 *
 * FLOPs of training (forward and backward) a token: 6 N + 12 l D T. N: parameters of the matrix products that the token
 * goes through, each awake head's unembedding counted once for it and the embedding not at all (a look-up multiplies
 * nothing); l: blocks that it goes through, T: context. Attention counts in full though half of it is masked: so do
 * PaLM (Chowdhery et al. 2022, appendix B) and most who report MFU since. Norms and rotary positions are left out.
 */
import type { ModelShape } from "./shape.ts";

/** One line of the account: modules that are alike, together. */
export interface ModuleAccount {
  readonly name: string;
  readonly parameters: number;
}

/** Parameters of one block: those of matrix products, and those of its two norms. */
function ofBlock({ width: D, ffn: F, projections: N, headWidth: W }: ModelShape) {
  return { products: N * W * D + D * D + 3 * F * D, norms: 2 * D };
}

/** What head i (from 1) has for itself, besides norms of `norms` units; `products`: of its matrices but the unembedding. */
function ofHead(shape: ModelShape, i: number) {
  const { width: D, heads: { kind, layers = 1 } } = shape;
  const further = i > 1;
  switch (kind) {
    case "linear":
      return { blocks: 0, products: 0, norms: 0 };
    case "residual":
      return { blocks: 0, products: further ? layers * D * D : 0, norms: 0 };
    case "transformer":
      return { blocks: 1, products: 0, norms: 0 };
    case "sequential":
      return further
        ? { blocks: 1, products: 2 * D * D, norms: 2 * D }
        : { blocks: 0, products: 0, norms: 0 };
  }
}

/** All heads read one unembedding: the embedding's matrix where it is tied. */
const sharesUnembedding = ({ heads: { kind } }: ModelShape) =>
  kind === "transformer" || kind === "sequential";

/** Parameters of every module, in the order in which a token meets them. */
export function parametersByModule(shape: ModelShape): ModuleAccount[] {
  const { width: D, vocab: V, trunkLayers, tied, heads: { count } } = shape;
  const block = ofBlock(shape);
  const ofBlocks = (n: number) => n * (block.products + block.norms);
  return [
    { name: "embedding", parameters: V * D },
    { name: trunkLayers === 1 ? "1 block" : `${trunkLayers} blocks`, parameters: ofBlocks(trunkLayers) },
    { name: "final norm", parameters: D },
    ...Array.from({ length: count }, (_, i) => {
      const { blocks, products, norms } = ofHead(shape, i + 1);
      const unembedding = sharesUnembedding(shape) || (i === 0 && tied) ? 0 : V * D;
      return { name: `head ${i + 1}`, parameters: ofBlocks(blocks) + products + norms + unembedding };
    }),
    ...(sharesUnembedding(shape) && !tied ? [{ name: "unembedding", parameters: V * D }] : []),
  ];
}

/** Parameters of all modules. */
export const parameterCount = (shape: ModelShape): number =>
  parametersByModule(shape).reduce((sum, { parameters }) => sum + parameters, 0);

/**
 * Training FLOPs a token, with a trunk that learns; a forward pass alone takes a third of it.
 *
 * @param awake How many heads are, from head 1 on; or the weight of each head's loss, where 0 is asleep.
 * @param context Tokens of a sequence, by default the model's context.
 */
export function flopsPerToken(
  shape: ModelShape,
  awake: number | readonly number[],
  context = shape.context,
): number {
  const { width: D, vocab: V, trunkLayers, heads: { kind } } = shape;
  const weights = typeof awake === "number" ? Array.from({ length: awake }, () => 1) : awake;
  const deepest = weights.findLastIndex((weight) => weight !== 0);
  let [blocks, others] = [trunkLayers, 0];
  weights.forEach((weight, i) => {
    const runs = weight !== 0 || (kind === "sequential" && i < deepest); // those below a module run for it
    if (!runs) return;
    const head = ofHead(shape, i + 1);
    blocks += head.blocks;
    others += head.products + (weight === 0 ? 0 : V * D);
  });
  return 6 * (blocks * ofBlock(shape).products + others) + 12 * blocks * D * context;
}

/** Bytes. */
export interface MemoryAccount {
  readonly weights: number;
  readonly gradients: number;
  /** Two moments of AdamW. */
  readonly optimizer: number;
  /** What the forward pass keeps for the backward pass. */
  readonly activations: number;
  /** The logits of one chunk of rows, and the gradients that one head's loss makes beside them. */
  readonly loss: number;
  readonly total: number;
}

/** Elements of a chunk's logits: src/torch/functional.ts has the same. */
const CHUNK = 2 ** 20;

/**
 * An estimate for one micro-batch in float32, all heads awake. `recompute`: blocks keep their input only. Peaks measured
 * on the CPU, with 4 to 8 layers of width 384 and 512, were 0.9 to 1.15 of it.
 *
 * A block keeps, for each token: its input, both normed inputs, queries, keys and values, the output of attention and
 * its logarithms of sums, the state between its halves, and three times the hidden units of SwiGLU. Where only one block
 * is kept at the peak, the gradients on their way through it count too.
 */
export function memoryOf(shape: ModelShape, batch: number, recompute = false): MemoryAccount {
  const { width: D, ffn: F, vocab: V, projections: N, headWidth: W, attention_heads: H } = shape;
  const { trunkLayers, context, heads: { kind, count, layers = 1 } } = shape;
  const tokens = batch * context;
  const block = 5 * D + N * W + H + 3 * F;
  const passing = block + 3 * F + N * W + 2 * D; // one block and the gradients within it
  const chain = kind === "sequential" ? count - 1 : 0;
  const kept = recompute ? (trunkLayers + chain) * D : (trunkLayers + chain) * block;
  const alone = recompute || kind === "transformer" ? passing : 0;
  const joined = chain * 6 * D + (kind === "residual" ? layers * 3 * D : 0);
  const ends = 4 * D; // the trunk's output, behind the norm, and the gradients of both
  const weights = 4 * parameterCount(shape);
  const optimizer = 2 * weights;
  const activations = 4 * tokens * (kept + alone + joined + ends);
  const loss = 4 * (Math.min(tokens * V, Math.max(32 * V, CHUNK)) + V * D + tokens * D);
  const total = 2 * weights + optimizer + activations + loss;
  return { weights, gradients: weights, optimizer, activations, loss, total };
}

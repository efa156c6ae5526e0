/**
 * `sequential` heads (multi-token prediction of DeepSeek-V3, section 2.2): head 1 is the plain unembedding; the further
 * ones are modules in a chain. Module k (head k + 1) joins the state of the depth before it with the embedding of the
 * next token that is known there, and passes the result through a block of its own:
 *
 *     h_0 = trunk(t)                                                           head 1 predicts token t + 1
 *     h_k = block_k(M_k [norm(h_{k-1}) ; norm(embedding(token t + k))])        head k + 1 predicts token t + k + 1
 *
 * Final norm, unembedding and embedding are shared by all. Gradients run from the deepest module inward and reach the
 * embedding. Modules up to the deepest head that is awake run; a weight of 0 below it only leaves out that depth's loss.
 */
import {
  cat,
  DecodeWeight,
  embedding as embed,
  type Kernels,
  linear,
  linearCrossEntropy,
  linearNll,
  noGrad,
  rmsNorm,
  Scope,
  scoped,
  Tensor,
} from "../../torch/mod.ts";
import { Block } from "../block.ts";
import type { HeadsDecoder } from "./decoding.ts";
import {
  type BackwardOptions,
  type Heads,
  type HeadScores,
  INITIAL_STD,
  type Lent,
  type Sequences,
  targetsOf,
} from "./heads.ts";
import { rowsOf } from "./parallel.ts";
import { type DecodeModule, SequentialDecoder } from "./sequential_decoding.ts";

/** One depth: from the state before it and the embedding of a token to its own state, all (B, T, D). */
class Module {
  readonly #stateNorm: Tensor; // (D)
  readonly #tokenNorm: Tensor; // (D)
  readonly #join: Tensor; // (D, 2D)
  readonly #block: Block;

  constructor(readonly lent: Lent, head: number) {
    const { shape, parameters } = lent;
    const { width } = shape;
    this.#stateNorm = parameters.ones(`heads.${head}.state_norm`, width);
    this.#tokenNorm = parameters.ones(`heads.${head}.token_norm`, width);
    this.#join = parameters.normal(`heads.${head}.join`, [width, 2 * width], (2 * width) ** -0.5);
    this.#block = new Block(shape, parameters, `heads.${head}`, 0); // alone in its cache
  }

  forward(h_BTD: Tensor, token_BTD: Tensor): Tensor {
    const { shape: { norm_eps }, rotary } = this.lent;
    const state_BTD = rmsNorm(h_BTD, this.#stateNorm, norm_eps);
    const joined_BTE = cat([state_BTD, rmsNorm(token_BTD, this.#tokenNorm, norm_eps)], 2);
    return this.#block.forward(linear(joined_BTE, this.#join), rotary);
  }

  /** The same for decoding, with its weights as they are now. */
  decoding(kernels: Kernels): DecodeModule {
    return {
      stateNorm: this.#stateNorm,
      tokenNorm: this.#tokenNorm,
      join: new DecodeWeight(this.#join, kernels),
      block: this.#block.decoding(kernels),
    };
  }
}

class SequentialHeads implements Heads {
  readonly readNormed = false;
  readonly ofHead1 = [];
  readonly #modules: readonly Module[]; // K - 1
  readonly unembedding: Tensor;

  constructor(readonly lent: Lent) {
    const { shape, parameters, embedding } = lent;
    const matrix = [shape.vocab, shape.width];
    this.unembedding = shape.tied ? embedding : parameters.normal("unembedding", matrix, INITIAL_STD);
    this.#modules = Array.from({ length: shape.heads.count - 1 }, (_, i) => new Module(lent, i + 2));
  }

  /** From the deepest head inward, so that a module's output has its whole gradient when its turn comes. */
  backward(
    z_BTD: Tensor,
    { inputs, targets }: Sequences,
    scales: readonly number[],
    options: BackwardOptions,
  ): (Tensor | null)[] {
    using scope = new Scope();
    const { recompute = false, zLoss = 0 } = options;
    const deepest = scales.findLastIndex((scale) => scale !== 0);
    const ids = deepest > 0 ? knownTokens(inputs, targets) : inputs;
    const run = (k: number) => scoped(() => this.#state(k, leaves[k - 1]!, ids));
    // leaves[k]: the state at depth k, cut off from the graph that made it, which is made[k].
    const leaves = [z_BTD];
    const made = [z_BTD];
    for (let k = 1; k <= deepest; k++) {
      made.push(recompute ? noGrad(() => run(k)) : run(k));
      leaves.push(made[k]!.detach().requireGrad());
    }
    const terms = scales.map((): Tensor | null => null);
    for (let k = deepest; k >= 0; k--) {
      if (scales[k] !== 0) terms[k] = this.#term(k, leaves[k]!, targets, scales[k]!, zLoss);
      if (k === 0) break;
      using _graph = new Scope();
      const h_BTD = recompute ? run(k) : made[k]!;
      if (h_BTD.requiresGrad) h_BTD.backward(leaves[k]!.grad);
      for (const state of [made[k]!, leaves[k]!]) state.free();
    }
    return terms.map((term) => term === null ? null : scope.keep(term));
  }

  #term(k: number, h_BTD: Tensor, targets: Tensor, scale: number, zLoss: number): Tensor {
    return scoped(() => {
      const { norm, shape } = this.lent;
      const x_PD = rowsOf(rmsNorm(h_BTD, norm, shape.norm_eps));
      const loss = linearCrossEntropy(x_PD, this.unembedding, targetsOf(targets, k), scale, { zLoss });
      if (loss.requiresGrad) loss.backward(); // else all that it depends on is frozen
      return loss.detach();
    });
  }

  /** The state at depth k from the one before it. */
  #state(k: number, h_BTD: Tensor, ids: Tensor): Tensor {
    const token_BTD = embed(ids.slice(1, k, k + h_BTD.shape[1]!), this.lent.embedding);
    return this.#modules[k - 1]!.forward(h_BTD, token_BTD.to(h_BTD.dtype, h_BTD.device));
  }

  score(z_BTD: Tensor, { inputs, targets }: Sequences): HeadScores[] {
    const { norm, shape } = this.lent;
    using outer = new Scope();
    const ids = knownTokens(inputs, targets);
    let h_BTD = z_BTD;
    return Array.from({ length: shape.heads.count }, (_, k) => {
      if (k > 0) h_BTD = scoped(() => this.#state(k, h_BTD, ids));
      using scope = new Scope();
      const x_PD = rowsOf(rmsNorm(h_BTD, norm, shape.norm_eps));
      const { nll, best } = linearNll(x_PD, this.unembedding, targetsOf(targets, k));
      return { nll: outer.keep(scope.keep(nll)), best: outer.keep(scope.keep(best)) };
    });
  }

  decoding(kernels: Kernels): HeadsDecoder {
    const modules = this.#modules.map((module) => module.decoding(kernels));
    return new SequentialDecoder(this.lent, modules, new DecodeWeight(this.unembedding, kernels));
  }
}

/**
 * The tokens of the inputs and the K - 1 behind them, (B, T + K - 1): what stands behind the last position is a target
 * there, of the head that looks so far. Where it is none, as behind the end of the last position's document, a 0 stands:
 * every loss that such a token could reach is left out as well, since its target is of another document too.
 */
function knownTokens(inputs_BT: Tensor, targets_KBT: Tensor): Tensor {
  const [K, B, T] = targets_KBT.shape as [number, number, number];
  const options = { dtype: "int64", device: inputs_BT.device } as const;
  return scoped(() => {
    const ids_BS = Tensor.zeros([B, T + K - 1], options);
    ids_BS.slice(1, 0, T).copy_(inputs_BT);
    const none_B1 = Tensor.full([B, 1], -1, options);
    for (let ahead = 0; ahead < K - 1; ahead++) {
      const target_B1 = targets_KBT.slice(0, ahead, ahead + 1).slice(2, T - 1, T).reshape(B, 1);
      ids_BS.slice(1, T + ahead, T + ahead + 1).copy_(target_B1.add(target_B1.equal(none_B1))); // -1 becomes 0
    }
    return ids_BS;
  });
}

export const sequentialHeads = (lent: Lent): Heads => new SequentialHeads(lent);

/**
 * The multi-token prediction model: a Llama-style trunk and K heads on its output. Head i (from 1) at position t
 * predicts token t + i; head 1 is the next-token head. What a block does stands in block.ts.
 *
 *     text       t h e   c a t          head 1 at "e" predicts " "
 *     position   0 1 2 3 4 5 6          head 2 at "e" predicts "c"
 *                                       head 3 at "e" predicts "a"
 *
 * `linear` heads: an own D x V matrix for each offset, on the trunk's normed output (the paper's LL heads).
 *
 * Shape suffixes as in block.ts; V vocabulary, K heads, P = B * T positions.
 */
import {
  decodeLinear,
  type Device,
  embedding,
  type Kernels,
  linearCrossEntropy,
  linearNll,
  noGrad,
  rmsNorm,
  Scope,
  scoped,
  Tensor,
} from "../torch/mod.ts";
import { Block, type Rotary } from "./block.ts";
import { KvCache } from "./cache.ts";
import { Parameters } from "./parameters.ts";
import { type ModelOptions, type ModelShape, shapeOf } from "./shape.ts";

/** Sequences and the targets of every head, on the model's device. */
export interface Sequences {
  /** (B, T) int64. */
  readonly inputs: Tensor;
  /** (K, B, T) int64; below 0: no target. */
  readonly targets: Tensor;
}

/** What one head makes of each position. */
export interface HeadScores {
  /** (P): negative log-likelihood of the target in nats, 0 where there is none. */
  readonly nll: Tensor;
  /** (P): the most likely token. */
  readonly best: Tensor;
}

export class MtpModel implements Disposable {
  readonly shape: ModelShape;
  readonly parameters: Parameters;
  readonly #embedding: Tensor; // (V, D)
  readonly #blocks: readonly Block[];
  readonly #norm: Tensor;
  readonly #heads: readonly Tensor[]; // K of (V, D)
  readonly #rotary: Rotary;

  /**
   * Makes a model with random weights, which depend on nothing but the seed and each parameter's name and shape: arms
   * of a comparison share the trunk's whatever their K.
   *
   * @throws {RangeError} naming the constraint that the sizes break.
   */
  constructor(readonly options: ModelOptions, seed: number, readonly device: Device) {
    const shape = this.shape = shapeOf(options);
    const parameters = this.parameters = new Parameters(device, seed);
    const matrix: [number, number] = [shape.vocab, shape.width];
    this.#embedding = parameters.normal("embedding", matrix, INITIAL_STD);
    this.#blocks = Array.from({ length: shape.layers }, (_, i) => new Block(shape, parameters, i));
    this.#norm = parameters.ones("norm", shape.width);
    this.#heads = Array.from(
      { length: shape.heads.count },
      (_, i) =>
        i === 0 && shape.tied ? this.#embedding : parameters.normal(`heads.${i + 1}`, matrix, INITIAL_STD),
    );
    this.#rotary = rotaryTables(shape, device);
  }

  /** K. */
  get headCount(): number {
    return this.#heads.length;
  }

  /** The normed output that all heads read. */
  trunk(ids_BT: Tensor): Tensor {
    return scoped(() => {
      let x_BTD = embedding(ids_BT, this.#embedding);
      for (const block of this.#blocks) x_BTD = scoped(() => block.forward(x_BTD, this.#rotary));
      return rmsNorm(x_BTD, this.#norm, this.shape.norm_eps);
    });
  }

  /**
   * Adds the gradients of sum_i scales[i] * (sum of head i's NLL) to the parameters, and returns the terms of the sum
   * that are not 0 (scalars, on the device).
   *
   * Head by head on the trunk's detached output, then once through the trunk: one chunk of one head's logits exists at
   * a time, whatever K is (Gloeckle et al. 2024, section 2). A head of scale 0 sleeps: it is not run at all, and its
   * parameters get no gradient.
   */
  backward({ inputs, targets }: Sequences, scales: readonly number[]): (Tensor | null)[] {
    using scope = new Scope();
    const z_BTD = this.trunk(inputs);
    const leaf_BTD = z_BTD.detach().requireGrad();
    const losses = this.#heads.map((head, i) => {
      const scale = scales[i] ?? 0;
      if (scale === 0) return null;
      using graph = new Scope(); // frees this head's graph before the next one is made
      const z_PD = leaf_BTD.reshape(-1, this.shape.width);
      const loss = linearCrossEntropy(z_PD, head, targetsOf(targets, i), scale);
      loss.backward();
      return scope.keep(graph.keep(loss.detach()));
    });
    if (losses.some((loss) => loss !== null)) z_BTD.backward(leaf_BTD.grad);
    return losses;
  }

  /** Teacher-forced scores of every head, without gradients. */
  score({ inputs, targets }: Sequences): HeadScores[] {
    return noGrad(() => {
      using scope = new Scope();
      const z_PD = this.trunk(inputs).reshape(-1, this.shape.width);
      return this.#heads.map((head, i) => {
        const { nll, best } = linearNll(z_PD, head, targetsOf(targets, i));
        return { nll: scope.keep(nll), best: scope.keep(best) };
      });
    });
  }

  /** An empty cache for one sequence of up to `capacity` positions, at most the context. */
  newCache(capacity = this.shape.context): KvCache {
    if (capacity > this.shape.context) {
      throw new RangeError(`${capacity} positions do not fit a context of ${this.shape.context}`);
    }
    const { layers: blocks, kv_heads: kvHeads, headWidth } = this.shape;
    return new KvCache({ blocks, kvHeads, headWidth }, capacity, this.device);
  }

  /** Runs new tokens (R) through the trunk behind those in the cache, which takes them in: (R, D), normed. */
  extend(ids_R: Tensor, cache: KvCache, kernels: Kernels): Tensor {
    return noGrad(() =>
      scoped(() => {
        let x_RD = embedding(ids_R, this.#embedding);
        for (const block of this.#blocks) {
          x_RD = scoped(() => block.extend(x_RD, this.#rotary, cache, kernels));
        }
        cache.advance(ids_R.shape[0]!);
        return rmsNorm(x_RD, this.#norm, this.shape.norm_eps);
      })
    );
  }

  /** Logits (R, V) of head i, from 1, for rows of the trunk's output. */
  logits(head: number, z_RD: Tensor, kernels: Kernels): Tensor {
    return noGrad(() => decodeLinear(z_RD, this.#heads[head - 1]!, kernels));
  }

  [Symbol.dispose](): void {
    this.parameters[Symbol.dispose]();
    this.#rotary.cos.free();
    this.#rotary.sin.free();
  }
}

/** Small enough for a first guess close to uniform (GPT-2's). */
const INITIAL_STD = 0.02;

/** Targets (P) of the head with index i, from 0. */
const targetsOf = (targets_KBT: Tensor, i: number): Tensor => targets_KBT.slice(0, i, i + 1).reshape(-1);

/** Angles t * theta^(-2j / W) for every position t (Su et al. 2021), worked out in double precision. */
function rotaryTables({ context, headWidth, rope_theta }: ModelShape, device: Device): Rotary {
  const half = headWidth / 2;
  const table = (wave: (angle: number) => number) => {
    const values = Float32Array.from(
      { length: context * half },
      (_, n) => wave(Math.floor(n / half) * rope_theta ** (-2 * (n % half) / headWidth)),
    );
    using onCpu = Tensor.from(values, [context, half]);
    return onCpu.to("float32", device);
  };
  return { cos: table(Math.cos), sin: table(Math.sin) };
}

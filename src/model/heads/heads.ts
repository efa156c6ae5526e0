/** What the heads of every kind do for the model, and what they are lent: the seam between mtp.ts and the kinds. */
import type { Device, Kernels, Tensor } from "../../torch/mod.ts";
import type { Block } from "../block.ts";
import type { Parameters } from "../parameters.ts";
import type { Rotary } from "../rotary.ts";
import type { ModelShape } from "../shape.ts";
import type { HeadsDecoder } from "./decoding.ts";

/** Sequences and the targets of every head, on the model's device. */
export interface Sequences {
  /** (B, T) int64. */
  readonly inputs: Tensor;
  /** (K, B, T) int64; -1: no target. */
  readonly targets: Tensor;
}

/** What one head makes of each position. */
export interface HeadScores {
  /** (P): negative log-likelihood of the target in nats, 0 where there is none. */
  readonly nll: Tensor;
  /** (P): the most likely token. */
  readonly best: Tensor;
}

/** How gradients are made. */
export interface BackwardOptions {
  /**
   * Whether the activations within blocks are made anew in the backward pass in place of kept: the same bits, less
   * memory, a third more time.
   */
  readonly recompute?: boolean;
  /** Factor of the squared logsumexp in the objective; see `linearCrossEntropy`. */
  readonly zLoss?: number;
}

/** What the model lends to its heads. */
export interface Lent {
  readonly device: Device;
  readonly shape: ModelShape;
  readonly parameters: Parameters;
  /** (V, D). */
  readonly embedding: Tensor;
  /** The final norm's weight (D). */
  readonly norm: Tensor;
  readonly rotary: Rotary;
}

/** The K heads of a model. */
export interface Heads {
  /** Whether they read the trunk's output behind the final norm; if not, each applies it behind its own layers. */
  readonly readNormed: boolean;
  /** Head 1's own blocks: with them, the trunk and the final norm are a plain next-token model. */
  readonly ofHead1: readonly Block[];
  /** Head 1's matrix (V, D), behind its blocks and the final norm. */
  readonly unembedding: Tensor;

  /**
   * Adds gradients to the heads' parameters and to `z_BTD`, the trunk's output cut off from its graph, as far as they
   * require them. Returns the terms of the objective by head (scalars, on the device); null: asleep. One chunk of one
   * head's logits exists at a time.
   */
  backward(
    z_BTD: Tensor,
    sequences: Sequences,
    scales: readonly number[],
    options: BackwardOptions,
  ): (Tensor | null)[];

  /** Teacher-forced scores of every head. */
  score(z_BTD: Tensor, sequences: Sequences): HeadScores[];

  /** The heads with their weights as they are now, laid out for decoding. */
  decoding(kernels: Kernels): HeadsDecoder;
}

/** Targets (P) of the head with index i, from 0. */
export const targetsOf = (targets_KBT: Tensor, i: number): Tensor =>
  targets_KBT.slice(0, i, i + 1).reshape(-1);

/** Small enough for a first guess close to uniform (GPT-2's). */
export const INITIAL_STD = 0.02;

/** What the heads of every kind do for the model, and what they are lent: the seam between mtp.ts and the kinds. */
import type { Device, Kernels, Tensor } from "../../torch/mod.ts";
import type { Block, Rotary } from "../block.ts";
import type { Parameters } from "../parameters.ts";
import type { ModelShape } from "../shape.ts";

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

  /** Logits (R, V) of head 1, or of another head that reads the same rows, for {@link Rows.first}. */
  logits(head: number, z_RD: Tensor, kernels: Kernels): Tensor;

  /** Room for the drafts of one sequence of up to `capacity` positions. */
  newDrafter(capacity: number): Drafter;
}

/** What new rows of one sequence come out as in decoding, each (R, D). */
export interface Rows {
  /** The trunk's output, before head 1's own blocks and the final norm. */
  readonly trunk: Tensor;
  /** What head 1's unembedding reads. */
  readonly first: Tensor;
}

/** The heads from 2 on at work on one sequence, with keys and values of their own where they have blocks. */
export interface Drafter extends Disposable {
  /**
   * Takes in rows that have been accepted, all of them and each once, and chooses what comes after `next`.
   *
   * @param ids The tokens of the rows.
   * @param next What head 1 chose behind the last of them.
   * @param depth Heads 2 to `depth` draft; never more than in the call before.
   */
  draft(ids: readonly number[], rows: Rows, next: number, depth: number, kernels: Kernels): number[];
}

/** Targets (P) of the head with index i, from 0. */
export const targetsOf = (targets_KBT: Tensor, i: number): Tensor =>
  targets_KBT.slice(0, i, i + 1).reshape(-1);

/** The last row (1, D) of (R, D). */
export function lastRow(x_RD: Tensor): Tensor {
  const rows = x_RD.shape[0]!;
  return x_RD.slice(0, rows - 1, rows);
}

/** Small enough for a first guess close to uniform (GPT-2's). */
export const INITIAL_STD = 0.02;

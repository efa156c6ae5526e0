/** Heads that do not depend on each other: one after another on the trunk's output (Gloeckle et al. 2024, section 2). */
import { type Kernels, linearCrossEntropy, linearNll, Scope, scoped, type Tensor } from "../../torch/mod.ts";
import type { Block } from "../block.ts";
import type { HeadsDecoder } from "./decoding.ts";
import { type BackwardOptions, type Heads, type HeadScores, type Sequences, targetsOf } from "./heads.ts";

/** One head. */
export interface ParallelHead {
  /** (V, D). */
  readonly unembedding: Tensor;
  /** From the trunk's output (B, T, D) to what the unembedding reads. */
  forward(z_BTD: Tensor): Tensor;
}

export abstract class ParallelHeads<Head extends ParallelHead> implements Heads {
  abstract readonly readNormed: boolean;
  abstract readonly ofHead1: readonly Block[];

  constructor(readonly heads: readonly Head[]) {}

  abstract decoding(kernels: Kernels): HeadsDecoder;

  get unembedding(): Tensor {
    return this.heads[0]!.unembedding;
  }

  backward(
    z_BTD: Tensor,
    { targets }: Sequences,
    scales: readonly number[],
    { zLoss = 0 }: BackwardOptions,
  ): (Tensor | null)[] {
    return this.heads.map(({ forward, unembedding }, i) => {
      const scale = scales[i] ?? 0;
      if (scale === 0) return null;
      return scoped(() => { // frees this head's graph before the next one is made
        const x_PD = rowsOf(forward(z_BTD));
        const loss = linearCrossEntropy(x_PD, unembedding, targetsOf(targets, i), scale, { zLoss });
        if (loss.requiresGrad) loss.backward(); // else all that it depends on is frozen
        return loss.detach();
      });
    });
  }

  score(z_BTD: Tensor, { targets }: Sequences): HeadScores[] {
    return this.heads.map((head, i) => {
      using scope = new Scope();
      const x_PD = rowsOf(head.forward(z_BTD));
      const { nll, best } = linearNll(x_PD, head.unembedding, targetsOf(targets, i));
      return { nll: scope.keep(nll), best: scope.keep(best) };
    });
  }
}

/** (B, T, D) as (P, D). */
export const rowsOf = (x_BTD: Tensor): Tensor => x_BTD.reshape(-1, x_BTD.shape[2]!);

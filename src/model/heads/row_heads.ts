/** Parallel heads that read the row which head 1 reads: they draft from the last row alone. */
import { choices, decodeLinear, type Kernels, scoped, type Tensor } from "../../torch/mod.ts";
import { type Drafter, lastRow } from "./heads.ts";
import { type ParallelHead, ParallelHeads } from "./parallel.ts";

/** One head. */
export interface RowHead extends ParallelHead {
  /** {@link ParallelHead.forward} for few rows (R, D) in decoding. */
  decode(z_RD: Tensor, kernels: Kernels): Tensor;
}

export class RowHeads extends ParallelHeads<RowHead> {
  override readonly readNormed = true;
  override readonly ofHead1 = [];

  override logits(head: number, z_RD: Tensor, kernels: Kernels): Tensor {
    const { decode, unembedding } = this.heads[head - 1]!;
    return scoped(() => decodeLinear(decode(z_RD, kernels), unembedding, kernels));
  }

  override newDrafter(): Drafter {
    return {
      draft: (_ids, { first }, _next, depth, kernels) => {
        const z_1D = lastRow(first);
        return Array.from({ length: depth - 1 }, (_, i) => choices(this.logits(i + 2, z_1D, kernels))[0]!);
      },
      [Symbol.dispose]: () => {},
    };
  }
}

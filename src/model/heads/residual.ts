/**
 * `residual` heads (Medusa, Cai et al. 2024): head 1 is the plain unembedding; each further one is one or more blocks
 * x + SiLU(W x), which begin as the identity (W = 0), then an unembedding of its own, on the trunk's normed output.
 *
 * Medusa's own blocks add a bias inside SiLU. These have none, as no layer of the model has: the exported form carries
 * zeros in its place, which is the same function.
 */
import {
  decodeLinear,
  DecodeWeight,
  type Kernels,
  linear,
  scoped,
  silu,
  type Tensor,
} from "../../torch/mod.ts";
import { type Accepted, type Choose, type Drafter, type HeadsDecoder, lastRows } from "./decoding.ts";
import { type Heads, INITIAL_STD, type Lent } from "./heads.ts";
import { type ParallelHead, ParallelHeads } from "./parallel.ts";

interface ResidualHead extends ParallelHead {
  /** W of each block, (D, D); none for head 1. */
  readonly blocks: readonly Tensor[];
}

class ResidualHeads extends ParallelHeads<ResidualHead> {
  override readonly readNormed = true;
  override readonly ofHead1 = [];

  override decoding(kernels: Kernels): HeadsDecoder {
    return new ResidualDecoder(this.heads, kernels);
  }
}

class ResidualDecoder implements HeadsDecoder {
  readonly ofHead1 = [];
  readonly draftsFromLastRow = true;
  readonly unembedding: DecodeWeight;
  readonly #further: readonly { readonly blocks: DecodeWeight[]; readonly unembedding: DecodeWeight }[];

  constructor([first, ...further]: readonly ResidualHead[], kernels: Kernels) {
    this.unembedding = new DecodeWeight(first!.unembedding, kernels);
    this.#further = further.map(({ blocks, unembedding }) => ({
      blocks: blocks.map((weight) => new DecodeWeight(weight, kernels)),
      unembedding: new DecodeWeight(unembedding, kernels),
    }));
  }

  newDrafter(): Drafter {
    return { draft: (...request) => this.#draft(...request), reset: () => {}, [Symbol.dispose]: () => {} };
  }

  #draft(accepted: Accepted, depth: number, choose: Choose): void {
    const x_SD = lastRows(accepted.rows.first, accepted);
    this.#further.slice(0, depth - 1).forEach(({ blocks, unembedding }, i) => {
      choose(
        scoped(() =>
          decodeLinear(
            blocks.reduce((x, weight) => x.add(silu(decodeLinear(x, weight))), x_SD),
            unembedding,
          )
        ),
        [i + 2],
      );
    });
  }

  [Symbol.dispose](): void {
    const weights = this.#further.flatMap(({ blocks, unembedding }) => [...blocks, unembedding]);
    for (const weight of [this.unembedding, ...weights]) weight[Symbol.dispose]();
  }
}

export function residualHeads({ shape, parameters, embedding }: Lent): Heads {
  const { count, layers = 1 } = shape.heads;
  const matrix = [shape.vocab, shape.width];
  const heads = Array.from({ length: count }, (_, i): ResidualHead => {
    const name = `heads.${i + 1}`;
    const blocks = Array.from(
      { length: i === 0 ? 0 : layers },
      (_, j) => parameters.zeros(`${name}.blocks.${j}`, [shape.width, shape.width]),
    );
    return {
      blocks,
      unembedding: i === 0 && shape.tied ? embedding : parameters.normal(name, matrix, INITIAL_STD),
      forward: (z_BTD) => blocks.reduce((x, weight) => x.add(silu(linear(x, weight))), z_BTD),
    };
  });
  return new ResidualHeads(heads);
}

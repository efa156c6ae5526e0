/**
 * `linear` heads: an own V x D matrix for each offset, on the trunk's normed output (LL heads of Aynetdinov & Akbik
 * 2025; the linear heads and replicated unembeddings of Gloeckle et al. 2024).
 */
import { cat, decodeLinear, DecodeWeight, type Kernels, Scope, scoped, Tensor } from "../../torch/mod.ts";
import { type Accepted, type Choose, type Drafter, type HeadsDecoder, lastRows } from "./decoding.ts";
import { type Heads, INITIAL_STD, type Lent } from "./heads.ts";
import { type ParallelHead, ParallelHeads } from "./parallel.ts";

class LinearHeads extends ParallelHeads<ParallelHead> {
  override readonly readNormed = true;
  override readonly ofHead1 = [];

  override decoding(kernels: Kernels): HeadsDecoder {
    return new LinearDecoder(this.heads.map(({ unembedding }) => unembedding), kernels);
  }
}

/** The further heads read the same row: one product with their matrices below one another drafts all of them. */
class LinearDecoder implements HeadsDecoder {
  readonly ofHead1 = [];
  readonly draftsFromLastRow = true;
  readonly unembedding: DecodeWeight;
  readonly #further: DecodeWeight | null;
  readonly #vocab: number;

  constructor([first, ...further]: readonly Tensor[], kernels: Kernels) {
    this.#vocab = first!.shape[0]!;
    this.unembedding = new DecodeWeight(first!, kernels);
    using _scope = new Scope();
    this.#further = further.length === 0 ? null : new DecodeWeight(cat(further, 0), kernels);
  }

  newDrafter(): Drafter {
    return { draft: (...request) => this.#draft(...request), reset: () => {}, [Symbol.dispose]: () => {} };
  }

  #draft(accepted: Accepted, depth: number, choose: Choose): void {
    if (this.#further === null || depth < 2) return;
    const heads = Array.from({ length: depth - 1 }, (_, i) => i + 2);
    const outputs = heads.length * this.#vocab;
    const logits_SO = scoped(() =>
      decodeLinear(lastRows(accepted.rows.first, accepted), this.#further!, { outputs })
    );
    choose(logits_SO.reshape(-1, this.#vocab), heads);
  }

  [Symbol.dispose](): void {
    this.unembedding[Symbol.dispose]();
    this.#further?.[Symbol.dispose]();
  }
}

export function linearHeads({ shape, parameters, embedding }: Lent): Heads {
  const heads = Array.from({ length: shape.heads.count }, (_, i): ParallelHead => {
    const tied = i === 0 && shape.tied;
    const matrix = [shape.vocab, shape.width];
    return {
      unembedding: tied ? embedding : parameters.normal(`heads.${i + 1}`, matrix, INITIAL_STD),
      forward: (z_BTD) => z_BTD,
    };
  });
  return new LinearHeads(heads);
}

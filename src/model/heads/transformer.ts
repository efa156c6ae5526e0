/**
 * `transformer` heads (TL heads of Aynetdinov & Akbik 2025; the parallel heads of Gloeckle et al. 2024): the last K of
 * the L layers serve one offset each. Layer L - K + i is head i, on the output of the first L - K; one final norm and
 * one unembedding, shared by all, follow each of them. So there are no more parameters than without further heads, and
 * next-token prediction runs at depth L - K + 1.
 *
 *     L = 6, K = 3:    embedding, 1, 2, 3 -+- 4 -- norm, unembedding   head 1
 *                                          +- 5 -- norm, unembedding   head 2
 *                                          +- 6 -- norm, unembedding   head 3
 */
import { choices, decodeLinear, type Kernels, rmsNorm, scoped, type Tensor } from "../../torch/mod.ts";
import { Block } from "../block.ts";
import { KvCache } from "../cache.ts";
import { type Drafter, type Heads, INITIAL_STD, lastRow, type Lent, type Rows } from "./heads.ts";
import { type ParallelHead, ParallelHeads } from "./parallel.ts";

class TransformerHeads extends ParallelHeads<ParallelHead & { readonly block: Block }> {
  override readonly readNormed = false;
  override readonly ofHead1: readonly Block[];

  constructor(readonly lent: Lent) {
    const { shape, parameters, embedding, norm, rotary } = lent;
    // Head 1's keys and values lie behind the trunk's; those of the others in the drafter's own cache, from 0 on.
    const blocks = Array.from(
      { length: shape.heads.count },
      (_, i) => new Block(shape, parameters, `heads.${i + 1}`, i === 0 ? shape.trunkLayers : i - 1),
    );
    const unembedding = shape.tied
      ? embedding
      : parameters.normal("unembedding", [shape.vocab, shape.width], INITIAL_STD);
    super(blocks.map((block) => ({
      block,
      unembedding,
      forward: (z_BTD) => rmsNorm(block.forward(z_BTD, rotary), norm, shape.norm_eps),
    })));
    this.ofHead1 = blocks.slice(0, 1);
  }

  override logits(head: number, z_RD: Tensor, kernels: Kernels): Tensor {
    if (head > 1) throw new RangeError(`Head ${head} has positions of its own: only a drafter runs it`);
    return decodeLinear(z_RD, this.unembedding, kernels);
  }

  override newDrafter(capacity: number): Drafter {
    const { kv_heads: kvHeads, headWidth } = this.lent.shape;
    const cache = new KvCache(
      { blocks: this.heads.length - 1, kvHeads, headWidth },
      capacity,
      this.lent.device,
    );
    return {
      draft: (ids, rows, _next, depth, kernels) => {
        const further = this.heads.slice(1, depth);
        const drafts = further.map(({ block }) => this.#choice(block, rows, cache, kernels));
        cache.advance(ids.length);
        return drafts;
      },
      [Symbol.dispose]: () => cache[Symbol.dispose](),
    };
  }

  /** What a head's block makes of new rows of the trunk, and what it chooses behind the last of them. */
  #choice(block: Block, { trunk }: Rows, cache: KvCache, kernels: Kernels): number {
    const { norm, rotary, shape } = this.lent;
    const h_RD = scoped(() => block.extend(trunk, rotary, cache, kernels));
    return choices(this.logits(1, rmsNorm(lastRow(h_RD), norm, shape.norm_eps), kernels))[0]!;
  }
}

export const transformerHeads = (lent: Lent): Heads => new TransformerHeads(lent);

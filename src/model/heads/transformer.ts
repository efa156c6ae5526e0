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
import { cat, decodeLinear, DecodeWeight, type Kernels, rmsNorm, scoped } from "../../torch/mod.ts";
import { Block } from "../block.ts";
import { KvCache } from "../cache.ts";
import type { DecodeBlock } from "../decode_block.ts";
import { type Accepted, type Choose, type Drafter, type HeadsDecoder, pick } from "./decoding.ts";
import { type Heads, INITIAL_STD, type Lent } from "./heads.ts";
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

  override decoding(kernels: Kernels): HeadsDecoder {
    const [first, ...further] = this.heads.map(({ block }) => block.decoding(kernels));
    const unembedding = new DecodeWeight(this.heads[0]!.unembedding, kernels);
    return {
      ofHead1: [first!],
      draftsFromLastRow: false,
      unembedding,
      newDrafter: (sequences, capacity) =>
        new TransformerDrafter(this.lent, further, unembedding, sequences, capacity),
      [Symbol.dispose]: () => {
        for (const part of [first!, ...further, unembedding]) part[Symbol.dispose]();
      },
    };
  }
}

/** The blocks of the further heads at work, with their own keys and values of all accepted positions. */
class TransformerDrafter implements Drafter {
  readonly #cache: KvCache;

  constructor(
    readonly lent: Lent,
    readonly blocks: readonly DecodeBlock[],
    readonly unembedding: DecodeWeight,
    readonly sequences: number,
    capacity: number,
  ) {
    const { kv_heads: kvHeads, headWidth } = lent.shape;
    const size = { blocks: blocks.length, kvHeads, headWidth, sequences, capacity };
    this.#cache = new KvCache(size, unembedding.kernels, lent.device);
  }

  draft(accepted: Accepted, depth: number, choose: Choose): void {
    const blocks = this.blocks.slice(0, depth - 1);
    if (blocks.length === 0) return;
    const counts = Array.from({ length: this.sequences }, () => 0);
    for (const { sequence, ids } of accepted.sequences) counts[sequence] = ids.length;
    const places = this.#cache.next(counts);
    const x_RD = pick(accepted.rows.trunk, accepted.sequences.flatMap(({ rows }) => rows));
    let row = -1;
    const last = accepted.sequences.map(({ ids }) => row += ids.length);
    const { norm, rotary, shape: { norm_eps: eps } } = this.lent;
    const logits = scoped(() => {
      const states = blocks.map((block) =>
        scoped(() => pick(block.step(x_RD, rotary, this.#cache.block(block.index), places), last))
      );
      // From head by head to sequence by sequence; then the unembedding is read once for all.
      const order = last.flatMap((_, s) => blocks.map((_, h) => h * last.length + s));
      const states_ND = pick(cat(states, 0), order);
      return decodeLinear(states_ND, this.unembedding, { norm: { weight: norm, eps } });
    });
    for (const { sequence, ids } of accepted.sequences) this.#cache.advance(sequence, ids.length);
    choose(logits, blocks.map((_, i) => i + 2));
  }

  reset(sequence: number): void {
    this.#cache.truncate(sequence, 0);
  }

  [Symbol.dispose](): void {
    this.#cache[Symbol.dispose]();
  }
}

export const transformerHeads = (lent: Lent): Heads => new TransformerHeads(lent);

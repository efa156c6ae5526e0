/**
 * A model ready to decode: its weights as they are now, laid out for the kernels, and a step of new rows through trunk
 * and head 1. Sequences of different lengths share a step; each row has its place (see `Places`).
 *
 * Shape suffixes as in block.ts; R rows, S sequences, V vocabulary.
 */
import {
  decodeLinear,
  type Device,
  embedding,
  type Kernels,
  noGrad,
  type Places,
  rmsNorm,
  Scope,
  scoped,
  Tensor,
} from "../torch/mod.ts";
import type { Block } from "./block.ts";
import { KvCache } from "./cache.ts";
import type { DecodeBlock } from "./decode_block.ts";
import type { Drafter, HeadsDecoder, Rows } from "./heads/decoding.ts";
import type { Heads, Lent } from "./heads/heads.ts";
import type { ModelShape } from "./shape.ts";

export class Decoder implements Disposable {
  readonly device: Device;
  readonly #trunk: readonly DecodeBlock[];
  readonly #heads: HeadsDecoder;

  constructor(readonly lent: Lent, blocks: readonly Block[], heads: Heads, readonly kernels: Kernels) {
    this.device = lent.device;
    if (kernels === "rows" && lent.device !== "cpu") {
      throw new RangeError(`the row kernels decode on the CPU, not on ${lent.device}`);
    }
    this.#trunk = blocks.map((block) => block.decoding(kernels));
    this.#heads = heads.decoding(kernels);
  }

  get shape(): ModelShape {
    return this.lent.shape;
  }

  /** K. */
  get headCount(): number {
    return this.shape.heads.count;
  }

  /** Whether a drafter may be passed over for some steps. */
  get draftsFromLastRow(): boolean {
    return this.#heads.draftsFromLastRow;
  }

  /**
   * An empty cache for sequences of up to `capacity` slots.
   *
   * @param sequences How many share it.
   */
  newCache(sequences = 1, capacity = this.shape.context): KvCache {
    const { kv_heads: kvHeads, headWidth } = this.shape;
    const blocks = this.#trunk.length + this.#heads.ofHead1.length;
    return new KvCache({ blocks, kvHeads, headWidth, sequences, capacity }, this.kernels, this.device);
  }

  /** The heads from 2 on, at work on so many sequences of up to `capacity` slots each. */
  newDrafter(sequences = 1, capacity = this.shape.context): Drafter {
    const drafter = this.#heads.newDrafter(sequences, capacity);
    return {
      draft: (...request) =>
        noGrad(() => {
          using _scope = new Scope();
          drafter.draft(...request);
        }),
      reset: (sequence) => drafter.reset(sequence),
      [Symbol.dispose]: () => drafter[Symbol.dispose](),
    };
  }

  /**
   * Runs new rows at their places. The cache takes them in; its lengths are the caller's to advance.
   *
   * @param ids The rows' tokens.
   * @throws {TorchError} when a place is outside the cache or the context.
   */
  step(ids: readonly number[], places: Places, cache: KvCache): Rows {
    return noGrad(() => {
      using scope = new Scope();
      const { rotary, norm, embedding: weight } = this.lent;
      const through = (x_RD: Tensor, blocks: readonly DecodeBlock[]) =>
        blocks.reduce(
          (x_RD, block) => scoped(() => block.step(x_RD, rotary, cache.block(block.index), places)),
          x_RD,
        );
      const trunk = through(embedding(Tensor.ids(ids).to("int64", this.device), weight), this.#trunk);
      const first = rmsNorm(through(trunk, this.#heads.ofHead1), norm, this.shape.norm_eps);
      return { trunk: scope.keep(trunk), first: scope.keep(first) };
    });
  }

  /** {@link step} for new rows of one sequence, one behind the other, which its cache then counts. */
  extend(ids: readonly number[], cache: KvCache, sequence = 0): Rows {
    const counts = Array.from({ length: sequence + 1 }, (_, s) => s === sequence ? ids.length : 0);
    const rows = this.step(ids, cache.next(counts), cache);
    cache.advance(sequence, ids.length);
    return rows;
  }

  /** Logits (R, V) of head 1 for {@link Rows.first}. */
  logits(first_RD: Tensor): Tensor {
    return noGrad(() => decodeLinear(first_RD, this.#heads.unembedding));
  }

  [Symbol.dispose](): void {
    for (const block of this.#trunk) block[Symbol.dispose]();
    this.#heads[Symbol.dispose]();
  }
}

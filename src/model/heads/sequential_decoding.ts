/**
 * `sequential` heads in decoding: drafts through the chain of modules.
 *
 * Module k at position t needs token t + k, so behind the last accepted position p only p + 2 - k of its positions are
 * sure, where token p + 1 is head 1's choice; the others rest on drafts and are run again when their tokens are known.
 * After positions 0 to 5, with K = 4, S sure and d drafted:
 *
 *     token       0 1 2 3 4 5 6 7 8          6 is head 1's choice, 7 and 8 are drafts of modules 1 and 2
 *     module 1    S S S S S S                reads tokens 1 to 6, drafts 7
 *     module 2    S S S S S d                reads tokens 2 to 7, drafts 8
 *     module 3    S S S S d d                reads tokens 3 to 8, drafts 9
 */
import {
  cat,
  decodeLinear,
  type DecodeWeight,
  embedding,
  rmsNorm,
  scoped,
  Tensor,
  unscoped,
} from "../../torch/mod.ts";
import { KvCache } from "../cache.ts";
import type { DecodeBlock } from "../decode_block.ts";
import {
  type Accepted,
  type AcceptedRows,
  type Choose,
  type Drafter,
  type HeadsDecoder,
  pick,
} from "./decoding.ts";
import type { Lent } from "./heads.ts";

/** One module: what joins a state (R, D) with the embedding of a token, and the block behind it. */
export interface DecodeModule {
  readonly stateNorm: Tensor; // (D)
  readonly tokenNorm: Tensor; // (D)
  readonly join: DecodeWeight; // (D, 2D)
  readonly block: DecodeBlock;
}

export class SequentialDecoder implements HeadsDecoder {
  readonly ofHead1 = [];
  readonly draftsFromLastRow = false;

  constructor(
    readonly lent: Lent,
    readonly modules: readonly DecodeModule[],
    readonly unembedding: DecodeWeight,
  ) {}

  newDrafter(sequences: number, capacity: number): Drafter {
    return new SequentialDrafter(this, sequences, capacity);
  }

  [Symbol.dispose](): void {
    for (const { join, block } of this.modules) for (const part of [join, block]) part[Symbol.dispose]();
    this.unembedding[Symbol.dispose]();
  }
}

/** What the chain remembers of one sequence. */
class Chain {
  /** All accepted tokens. */
  readonly tokens: number[] = [];
  /** held[k]: the last sure state (1, D) at depth k, where module k + 1 goes on in the next call; null: there is none. */
  readonly held: (Tensor | null)[];

  constructor(modules: number) {
    this.held = Array.from({ length: modules + 1 }, () => null);
  }

  /** Keeps a copy, which outlives the scope around it. */
  hold(k: number, h_1D: Tensor | null): void {
    this.held[k]?.free();
    this.held[k] = h_1D === null ? null : unscoped(() => h_1D.clone());
  }
}

class SequentialDrafter implements Drafter {
  readonly #caches: readonly KvCache[]; // one for each module, with its sure positions
  readonly #chains: Chain[];

  constructor(readonly heads: SequentialDecoder, readonly sequences: number, capacity: number) {
    const { lent: { shape, device }, modules, unembedding } = heads;
    const { kv_heads: kvHeads, headWidth } = shape;
    const size = { blocks: 1, kvHeads, headWidth, sequences, capacity };
    this.#caches = modules.map(() => new KvCache(size, unembedding.kernels, device));
    this.#chains = Array.from({ length: sequences }, () => new Chain(modules.length));
  }

  draft({ rows, sequences }: Accepted, depth: number, choose: Choose): void {
    const known = sequences.map(({ sequence, ids, next }) => {
      const { tokens } = this.#chains[sequence]!;
      tokens.push(...ids);
      return [...tokens, next];
    });
    // The states that module k reads: of each sequence those in `at`, behind what it holds.
    let states = rows.trunk;
    let at = sequences.map(({ rows }) => rows);
    const holds: (() => void)[] = []; // when all modules have read what was held before
    for (let k = 1; k < depth; k++) {
      const cache = this.#caches[k - 1]!;
      const starts = sequences.map(({ sequence }) => cache.length(sequence));
      states = scoped(() => this.#run(k, this.#inputs(k, states, at, sequences), known, starts, sequences));
      at = rangesOf(starts.map((start, s) => this.#chains[sequences[s]!.sequence]!.tokens.length - start));
      const chosen = choose(this.#logits(pick(states, at.map((rows) => rows.at(-1)!))), [k + 1]);
      sequences.forEach(({ sequence }, s) => {
        known[s]!.push(chosen[s]!);
        const chain = this.#chains[sequence]!;
        const sure = Math.max(0, chain.tokens.length + 1 - k);
        cache.advance(sequence, sure - starts[s]!);
        const last = sure === 0 ? null : pick(states, [at[s]![0]! + sure - 1 - starts[s]!]);
        holds.push(() => chain.hold(k, last));
      });
    }
    for (const hold of holds) hold();
  }

  /** What module k reads, sequence by sequence. */
  #inputs(
    k: number,
    states: Tensor,
    at: readonly (readonly number[])[],
    sequences: readonly AcceptedRows[],
  ): Tensor {
    const pieces = sequences.flatMap(({ sequence }, s) => {
      const held = this.#chains[sequence]!.held[k - 1]!;
      const own = pick(states, at[s]!);
      return held === null ? [own] : [held, own];
    });
    return pieces.length === 1 ? pieces[0]! : cat(pieces, 0);
  }

  /** Module k on its new positions, which begin at `starts`. */
  #run(
    k: number,
    input_RD: Tensor,
    known: readonly (readonly number[])[],
    starts: readonly number[],
    sequences: readonly AcceptedRows[],
  ): Tensor {
    const { lent, modules } = this.heads;
    const { stateNorm, tokenNorm, join, block } = modules[k - 1]!;
    const { rotary, embedding: weight, shape: { norm_eps: eps }, device } = lent;
    const cache = this.#caches[k - 1]!;
    const counts = Array.from({ length: this.sequences }, () => 0);
    const tokens = sequences.flatMap(({ sequence }, s) => {
      const own = known[s]!.slice(starts[s]! + k);
      counts[sequence] = own.length;
      return own;
    });
    const token_RD = embedding(Tensor.ids(tokens).to("int64", device), weight);
    const joined = cat([rmsNorm(input_RD, stateNorm, eps), rmsNorm(token_RD, tokenNorm, eps)], 1);
    return block.step(decodeLinear(joined, join), rotary, cache.block(block.index), cache.next(counts));
  }

  #logits(h_SD: Tensor): Tensor {
    const { lent: { norm, shape: { norm_eps: eps } }, unembedding } = this.heads;
    return decodeLinear(h_SD, unembedding, { norm: { weight: norm, eps } });
  }

  reset(sequence: number): void {
    for (const cache of this.#caches) cache.truncate(sequence, 0);
    const chain = this.#chains[sequence]!;
    chain.held.forEach((_, k) => chain.hold(k, null));
    chain.tokens.length = 0;
  }

  [Symbol.dispose](): void {
    for (const cache of this.#caches) cache[Symbol.dispose]();
    for (const chain of this.#chains) for (const held of chain.held) held?.free();
  }
}

/** Numbers 0, 1, 2, ... in pieces of these sizes. */
function rangesOf(counts: readonly number[]): number[][] {
  let next = 0;
  return counts.map((count) => Array.from({ length: count }, () => next++));
}

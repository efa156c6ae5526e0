/**
 * How many heads pay. A forward pass of n rows gives 1 + a_1 + a_1 a_2 + ... tokens, where a_d is how often the draft at
 * depth d is accepted, and takes a time that depends on n: the number of heads with the most tokens a second wins.
 * Both are measured while decoding, so the number follows the text and the machine.
 *
 * What is decoded does not depend on it where drafts are chosen greedily; where they are drawn, random numbers fall to
 * other tokens: the distribution stays, the text of a seed does not.
 */
import type { Sequence } from "./sequence.ts";

/** Weight of the newest measurement in a running mean. */
const NEWEST = 0.05;
/** Every so many steps all heads draft, whose fate says most, or in turn the number of heads that was longest not tried. */
const EXPLORE = 16;
/** Steps with each number of heads before any is preferred. */
const WARM_UP = 2;
/** Tries after which a number goes without. */
const ATTEMPTS = 4;

export class DraftLength {
  /** Running mean of the acceptance at each depth, from head 2 on. */
  readonly #acceptance: number[];
  /** Running mean of a step's milliseconds, by number of heads, and over how many. */
  readonly #milliseconds = new Map<number, { mean: number; steps: number }>();
  /** When each number was last tried, and how often. */
  readonly #tried = new Map<number, { at: number; times: number }>();
  #steps = 0;

  /** @param most K, or the number that was asked for. */
  constructor(readonly most: number, readonly isAuto: boolean) {
    this.#acceptance = Array.from({ length: most - 1 }, () => 0.7);
  }

  /** Heads for the next draft. */
  next(): number {
    if (!this.isAuto) return this.most;
    const all = Array.from({ length: this.most }, (_, i) => i + 1);
    const unknown = all.find((heads) => this.#isUnknown(heads));
    if (unknown !== undefined) return this.#choose(unknown);
    if (this.#steps % (2 * EXPLORE) === 0) return this.#choose(this.most);
    if (this.#steps % EXPLORE === 0) {
      return this.#choose(all.reduce((a, b) => this.#triedAt(a) <= this.#triedAt(b) ? a : b));
    }
    return this.#choose(all.reduce((a, b) => this.rate(a) >= this.rate(b) ? a : b));
  }

  /** Whether it is to be tried before others are preferred; sequences near their end never make a whole step of many. */
  #isUnknown(heads: number): boolean {
    const { steps } = this.#milliseconds.get(heads) ?? { steps: 0 };
    const { times } = this.#tried.get(heads) ?? { times: 0 };
    return steps < WARM_UP && times < ATTEMPTS;
  }

  /** Expected tokens a millisecond with so many heads; 0 for a number that was not measured. */
  rate(heads: number): number {
    let [reached, tokens] = [1, 1];
    for (const acceptance of this.#acceptance.slice(0, heads - 1)) tokens += reached *= acceptance;
    return tokens / (this.#milliseconds.get(heads)?.mean ?? Infinity);
  }

  /**
   * Takes in a step.
   *
   * @param heads That its drafts were made with.
   * @param rows Of the step; those with a prompt among them are not counted.
   * @param sequences After the verdict on their drafts.
   */
  observe(heads: number, rows: number, milliseconds: number, sequences: readonly Sequence[]): void {
    if (!this.isAuto) return;
    this.#steps++;
    this.#observeAcceptance(sequences);
    if (rows !== sequences.length * heads) return; // a prompt, or the end of a sequence
    const { mean, steps } = this.#milliseconds.get(heads) ?? { mean: 0, steps: 0 };
    const weight = Math.max(NEWEST, 1 / (steps + 1));
    this.#milliseconds.set(heads, { mean: mean + weight * (milliseconds - mean), steps: steps + 1 });
  }

  #observeAcceptance(sequences: readonly Sequence[]): void {
    for (const { lastDraft: { proposed, accepted } } of sequences) {
      for (let depth = 0; depth < proposed && depth <= accepted; depth++) {
        const was = this.#acceptance[depth]!;
        this.#acceptance[depth] = was + NEWEST * (Number(depth < accepted) - was);
      }
    }
  }

  #triedAt(heads: number): number {
    return this.#tried.get(heads)?.at ?? -1;
  }

  #choose(heads: number): number {
    this.#tried.set(heads, { at: this.#steps, times: (this.#tried.get(heads)?.times ?? 0) + 1 });
    return heads;
  }
}

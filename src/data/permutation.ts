/**
 * Seeded permutations that need no table: where a number goes is computed, so that a corpus of any size takes no memory
 * and no time to shuffle.
 */
import { Random, scramble } from "./random.ts";

/** Each one mixes one half of the number into the other; four would do against chance (Luby and Rackoff 1988). */
const ROUNDS = 8;

/**
 * A permutation of the whole numbers below `n`: a Feistel network over pairs (Black and Rogaway 2002, "Ciphers with
 * arbitrary finite domains"). A number is row * columns + column; the rounds add to row and column in turn a hash of the
 * other. The grid is a little larger than `n`: what falls outside goes through again until it is inside.
 */
export class Permutation {
  readonly #rows: number;
  readonly #columns: number;
  readonly #keys: readonly number[];

  /** @param n At least 1, at most 2^53. @param seeds As those of {@link Random}. */
  constructor(readonly n: number, ...seeds: number[]) {
    this.#rows = Math.ceil(Math.sqrt(n));
    this.#columns = Math.ceil(n / this.#rows);
    const random = new Random(...seeds);
    this.#keys = Array.from({ length: ROUNDS }, () => random.next());
  }

  /** The number at a place, both below `n`. */
  at(place: number): number {
    let x = place;
    do x = this.#encrypt(x); while (x >= this.n);
    return x;
  }

  #encrypt(x: number): number {
    let row = Math.floor(x / this.#columns), column = x % this.#columns;
    for (let i = 0; i < ROUNDS; i += 2) {
      row = (row + scramble(column ^ this.#keys[i]!)) % this.#rows;
      column = (column + scramble(row ^ this.#keys[i + 1]!)) % this.#columns;
    }
    return row * this.#columns + column;
  }
}

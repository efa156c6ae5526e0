/**
 * Seeded random numbers, the same on every machine: xoshiro128** (Blackman and Vigna 2018, public domain, 32-bit,
 * https://prng.di.unimi.it/xoshiro128starstar.c), its state filled by splitmix32. Not for secrets.
 */

const TWO_32 = 2 ** 32;

/** A stream of random numbers that depends on its seeds and on nothing else. */
export class Random {
  readonly #state = new Uint32Array(4);

  /** @param seeds Whole numbers of 32 bits: a seed of the user's, then what tells the streams of one seed apart. */
  constructor(...seeds: number[]) {
    let mixed = 0;
    for (const seed of seeds) mixed = scramble(mixed + 0x9e3779b9 + scramble(seed));
    for (let i = 0; i < 4; i++) this.#state[i] = scramble(mixed += 0x9e3779b9);
  }

  /** A stream that goes on from a state: four whole numbers of 32 bits, not all of them 0. */
  static from(state: readonly [number, number, number, number]): Random {
    const random = new Random();
    random.#state.set(state);
    return random;
  }

  /** A whole number of 32 bits. */
  next(): number {
    const s = this.#state as Uint32Array & Record<0 | 1 | 2 | 3, number>;
    const result = Math.imul(rotate(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 11);
    return result;
  }

  /** A number from 0 (included) to 1 (left out). */
  unit(): number {
    return this.next() / TWO_32;
  }

  /** A whole number from 0 to `n` - 1, for `n` up to 2^32; uneven by less than n / 2^32. */
  below(n: number): number {
    return Math.floor(this.unit() * n);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** One of a list that has at least one. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

const rotate = (x: number, by: number) => (x << by) | (x >>> (32 - by));

/** The finalizer of MurmurHash3 (Appleby, public domain): every bit of `x` reaches every bit of the result. */
export function scramble(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

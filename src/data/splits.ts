/**
 * Which documents are held out. What decides is the document's own text and the seed: equal documents always go to the
 * same split, whether they come from two files or from a weight above 1, and a document stays where it is when the
 * corpus grows.
 */

import type { Split } from "./shards.ts";

/** How much is held out: a share of the documents, between 0 and 1, or a number of them, 1 and up. */
export type Amount = number;

/** A document on its way to a split. */
export interface Dealt {
  readonly text: Uint8Array;
  /** Index of the file that it is from. */
  readonly file: number;
}

/** A document that waits, with its {@link keyOf}. */
export interface Waiting extends Dealt {
  readonly key: number;
}

type Put = (document: Dealt, split: Split) => void;

/** Deals documents to splits: first those of `test`, then those of `val` among the rest; train gets what is left. */
export class Dealer {
  readonly #cuts: Cut[] = [];
  readonly #first: Give;

  /** @param put takes each document once it is known where it goes. */
  constructor(amounts: Readonly<Partial<Record<"test" | "val", Amount>>>, readonly seed: number, put: Put) {
    let rest: Give = (document) => put(document, "train");
    for (const split of ["val", "test"] as const) { // built from the end: what test leaves goes to val's
      const amount = amounts[split];
      if (amount === undefined) continue;
      const cut = cutOf(amount, split, (document) => put(document, split), rest);
      this.#cuts.unshift(cut);
      rest = (document) => cut.add(document);
    }
    this.#first = rest;
  }

  /** Takes a document; where it waits, a copy of it does. */
  add(document: Dealt): void {
    this.#first({ ...document, key: keyOf(document.text, this.seed) });
  }

  /** Deals what waits. Afterwards no split has nothing, if there are as many different documents as splits. */
  finish(): void {
    for (const cut of this.#cuts) cut.finish();
  }

  /** What has to be known to go on from here, for {@link resume}: what waits in each cut. */
  get state(): DealerState {
    return this.#cuts.map((cut) => cut.state);
  }

  resume(state: DealerState): void {
    for (const [i, cut] of this.#cuts.entries()) cut.state = state[i]!;
  }
}

export type DealerState = readonly CutState[];

interface CutState {
  readonly waiting: readonly Waiting[];
  /** Which sides have had a document: of a share only. */
  readonly below?: boolean;
  readonly above?: boolean;
}

/** Divides documents by their keys: the low ones are held out. */
interface Cut {
  add(document: Waiting): void;
  finish(): void;
  state: CutState;
}

type Give = (document: Waiting) => void;

const cutOf = (amount: Amount, split: Split, hold: Give, pass: Give): Cut =>
  amount < 1 ? new ShareCut(amount, split === "test" ? 1 : 0, hold, pass) : new CountCut(amount, hold, pass);

/**
 * Keys below the share are held out: so many of many, give or take their root.
 *
 * As long as all documents fall on one side, the one nearest to the border waits, with those equal to it; if the corpus
 * ends so, it goes to the other side. So two different documents are enough for both.
 */
class ShareCut implements Cut {
  #waiting: Waiting[] = [];
  #below = false;
  #above = false;

  /** @param turn Turns the keys around, so that two cuts of one corpus divide it independently. */
  constructor(readonly share: number, readonly turn: number, readonly hold: Give, readonly pass: Give) {}

  get state(): CutState {
    return { waiting: this.#waiting, below: this.#below, above: this.#above };
  }

  set state({ waiting, below = false, above = false }: CutState) {
    [this.#waiting, this.#below, this.#above] = [[...waiting], below, above];
  }

  add(document: Waiting): void {
    const unit = this.#unit(document);
    const isBelow = unit < this.share;
    this.#below ||= isBelow;
    this.#above ||= !isBelow;
    if (this.#below && this.#above) {
      this.#release();
      return isBelow ? this.hold(document) : this.pass(document);
    }
    const nearest = this.#waiting[0];
    const distance = (other: Waiting) => Math.abs(this.#unit(other) - this.share);
    if (nearest && distance(document) > distance(nearest)) return this.#give(document);
    if (nearest && document.key !== nearest.key) this.#release();
    this.#waiting.push(kept(document));
  }

  finish(): void {
    const waiting = this.#waiting.splice(0);
    for (const document of waiting) this.#below ? this.pass(document) : this.hold(document);
  }

  #release(): void {
    for (const document of this.#waiting.splice(0)) this.#give(document);
  }

  #give(document: Waiting): void {
    if (this.#unit(document) < this.share) this.hold(document);
    else this.pass(document);
  }

  #unit({ key }: Waiting): number {
    return this.turn === 0 ? key : scrambleUnit(key);
  }
}

/**
 * The documents with the lowest keys are held out, exactly so many different ones: a sample of the whole corpus. They
 * wait in memory until its end.
 */
class CountCut implements Cut {
  /** Sorted by key, equal ones together. */
  #waiting: Waiting[][] = [];

  constructor(readonly count: number, readonly hold: Give, readonly pass: Give) {}

  get state(): CutState {
    return { waiting: this.#waiting.flat() };
  }

  set state({ waiting }: CutState) {
    this.#waiting = [];
    for (const document of waiting) this.add(document);
  }

  add(document: Waiting): void {
    const at = this.#place(document.key);
    const equal = this.#waiting[at];
    if (equal?.[0]?.key === document.key) return void equal.push(kept(document));
    if (at === this.count) return this.pass(document);
    this.#waiting.splice(at, 0, [kept(document)]);
    if (this.#waiting.length > this.count) { for (const evicted of this.#waiting.pop()!) this.pass(evicted); }
  }

  finish(): void {
    for (const documents of this.#waiting.splice(0)) for (const document of documents) this.hold(document);
  }

  /** Index of the first one whose key is not lower: binary search. */
  #place(key: number): number {
    let [low, high] = [0, this.#waiting.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#waiting[middle]![0]!.key < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A copy: the text is a view of a batch, of which it would keep all. */
const kept = (document: Waiting): Waiting => ({ ...document, text: document.text.slice() });

/** Bytes of a document that its key depends on, evenly spread, besides its length. */
const SAMPLED = 256;

/** A number from 0 (included) to 1 that follows from the text and the seed; equal texts have equal keys. */
export function keyOf(text: Uint8Array, seed: number): number {
  const step = Math.max(1, Math.floor(text.length / SAMPLED));
  let [a, b] = [scramble(seed ^ text.length), scramble(seed + 0x9e3779b9)];
  for (let i = 0; i < text.length; i += step) { // FNV-1a in two lanes (Fowler, Noll and Vo)
    a = Math.imul(a ^ text[i]!, 0x01000193);
    b = Math.imul(b ^ text[i]!, 0x85ebca6b);
  }
  return (scramble(a) * 2 ** 21 + (scramble(b) >>> 11)) / 2 ** 53;
}

/** Another key for the same text. */
function scrambleUnit(key: number): number {
  return scramble(Math.floor(key * 2 ** 32) ^ 0x5bd1e995) / 2 ** 32;
}

/** The finalizer of MurmurHash3 (Appleby, public domain). */
function scramble(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

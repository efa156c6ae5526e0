/**
 * A tree of tokens: sequences with what they have in common at their beginnings once, so that it is computed once. The
 * two sentences of a minimal pair are one example, the answers to one question another.
 *
 *     the cat sat             the - cat - sat        inputs   the cat dog   (a last token is a target only)
 *     the cat ran                     \ - ran        depths   0   1   1
 *     the dog ran                 \ dog - ran        rows     0 1 1 0 2     which input a target follows
 *                                                    targets  cat sat ran dog ran
 */

/** What the model computes; ids in preorder. */
export interface TokenTree {
  /** Input tokens (T). */
  readonly ids: readonly number[];
  /** The depth of each input (T): its parent is the last input before it of one depth less. */
  readonly depths: readonly number[];
  /** For each target (P) the index of the input that it follows. */
  readonly rows: readonly number[];
  /** Tokens whose NLL is wanted (P). */
  readonly targets: readonly number[];
}

/** Gathers sequences, which come in lexicographic order, into a tree. */
export class TreeBuilder implements TokenTree {
  readonly ids: number[] = [];
  readonly depths: number[] = [];
  readonly rows: number[] = [];
  readonly targets: number[] = [];
  /** Of the sequence that came last: its tokens; by depth the index of its inputs, and of the targets that are wanted. */
  #last: ArrayLike<number> = [];
  #path: number[] = [];
  #wanted: (number | undefined)[] = [];

  /** How many inputs a sequence would add. */
  cost(sequence: ArrayLike<number>): number {
    return sequence.length - 1 - this.#shared(sequence);
  }

  /**
   * Adds a sequence; returns the indices among `targets` of its last tokens, as many as `scored`.
   *
   * @param sequence The start token and at least one more.
   * @param scored From 1 to the number of tokens behind the start token.
   */
  add(sequence: ArrayLike<number>, scored: number): Int32Array {
    const common = commonPrefix(this.#last, sequence);
    this.#path.length = this.#shared(sequence);
    this.#wanted.length = Math.min(this.#wanted.length, common);
    for (let depth = this.#path.length; depth < sequence.length - 1; depth++) {
      this.#path.push(this.ids.push(sequence[depth]!) - 1);
      this.depths.push(depth);
    }
    this.#last = sequence;
    const first = sequence.length - scored;
    return Int32Array.from({ length: scored }, (_, i) => this.#target(first + i, sequence[first + i]!));
  }

  /** Inputs that are there already: all but the last of the tokens before may be one. */
  #shared(sequence: ArrayLike<number>): number {
    return Math.min(commonPrefix(this.#last, sequence), this.#path.length, sequence.length - 1);
  }

  #target(depth: number, token: number): number {
    return this.#wanted[depth] ??= (this.rows.push(this.#path[depth - 1]!), this.targets.push(token) - 1);
  }
}

function commonPrefix(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const most = Math.min(a.length, b.length);
  let n = 0;
  while (n < most && a[n] === b[n]) n++;
  return n;
}

/** Orders sequences so that those with a common beginning stand together. */
export function compareSequences(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const n = commonPrefix(a, b);
  return n === a.length || n === b.length ? a.length - b.length : a[n]! - b[n]!;
}

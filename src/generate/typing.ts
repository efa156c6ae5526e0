/**
 * Tokens to text as they come. A piece comes out as soon as it cannot change any more: when its character is whole, and
 * when no stop string can begin in it.
 *
 *     stop string   "\n\n"
 *     tokens        "a"    "b\n"   "c"      "\n"   "\nd"
 *     comes out     "a"    "b"     "\nc"    ""     ""        and the text ends there
 */
import type { Range } from "../decode/text.ts";
import type { Tokenizer } from "../text/tokenizer.ts";

/** A stretch of text. */
export interface Piece {
  readonly text: string;
  /** Whether it came from accepted drafts. A character belongs to the token that completes it. */
  readonly drafted: boolean;
}

export class Typing {
  /** What has come out. */
  text = "";
  /** Of it, what came from accepted drafts; neighbours are joined. */
  readonly ranges: Range[] = [];
  /** Whether a stop string has come: nothing follows. */
  isStopped = false;
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  #held: Piece[] = [];

  constructor(readonly tokenizer: Tokenizer, readonly stops: readonly string[]) {}

  /** Takes in a token; returns the pieces that come out. */
  take(id: number, drafted: boolean): Piece[] {
    if (this.isStopped) return [];
    // An imported model may have more ids than its tokenizer: they stand for no text.
    const bytes = id < this.tokenizer.vocab ? this.tokenizer.decode([id]) : new Uint8Array();
    this.#hold({ text: this.#utf8.decode(bytes, { stream: true }), drafted });
    const held = this.#held.map(({ text }) => text).join("");
    const places = this.stops.map((stop) => held.indexOf(stop)).filter((place) => place !== -1);
    this.isStopped = places.length > 0;
    return this.#release(this.isStopped ? Math.min(...places) : held.length - this.#doubtful(held));
  }

  /** No token follows: returns what was held back. */
  end(): Piece[] {
    if (this.isStopped) return [];
    this.#hold({ text: this.#utf8.decode(), drafted: false }); // what is left of a character
    return this.#release(Infinity);
  }

  #hold(piece: Piece): void {
    if (piece.text !== "") this.#held.push(piece);
  }

  /** Characters at the end that a stop string may begin with. */
  #doubtful(held: string): number {
    const longest = Math.max(0, ...this.stops.map((stop) => stop.length - 1));
    for (let length = Math.min(longest, held.length); length > 0; length--) {
      const tail = held.slice(-length);
      if (this.stops.some((stop) => stop.startsWith(tail))) return length;
    }
    return 0;
  }

  #release(length: number): Piece[] {
    const pieces: Piece[] = [];
    const rest: Piece[] = [];
    for (const { text, drafted } of this.#held) {
      const out = text.slice(0, length);
      if (out !== "") pieces.push({ text: out, drafted });
      if (out.length < text.length) rest.push({ text: text.slice(out.length), drafted });
      length -= out.length;
    }
    this.#held = rest;
    pieces.forEach((piece) => this.#append(piece));
    return pieces;
  }

  #append({ text, drafted }: Piece): void {
    const start = this.text.length;
    this.text += text;
    if (!drafted) return;
    const last = this.ranges.at(-1);
    if (last?.[1] === start) last[1] = this.text.length;
    else this.ranges.push([start, this.text.length]);
  }
}

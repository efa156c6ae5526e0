/**
 * What a reader sees of answers: one after another though they come side by side, drafted tokens in green, and no control
 * characters of a model's on a terminal, which would obey them.
 */
import type { Answer } from "./answer.ts";
import type { Piece } from "./typing.ts";

/** Where text goes, and what that place can do. */
export interface Paper {
  write(text: string): void;
  /** Whether control characters would be obeyed. */
  readonly isTerminal: boolean;
  readonly hasColour: boolean;
}

/** @throws {Deno.errors.BrokenPipe} from `write`, when nobody reads any more. */
export function standardOutput(): Paper {
  const encoder = new TextEncoder();
  const isTerminal = Deno.stdout.isTerminal();
  return {
    write: (text) => {
      const bytes = encoder.encode(text);
      for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
    },
    isTerminal,
    hasColour: isTerminal && !Deno.noColor,
  };
}

/** Control characters but line break and tab, and those that turn the direction of writing. */
const OBEYED = /(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Text that a terminal shows and does not obey. */
export function harmless(text: string): string {
  return text.replaceAll(OBEYED, (character) => {
    const code = character.codePointAt(0)!.toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u{${code}}`;
  });
}

/** A value as JSON in one line, in which nothing is obeyed either. */
export const jsonLine = (value: unknown): string =>
  JSON.stringify(value).replaceAll(
    OBEYED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  ) + "\n";

const GREEN = ["\x1b[32m", "\x1b[39m"] as const;
const DIM = ["\x1b[2m", "\x1b[22m"] as const;

/** Ends the colour in the same piece: a kill leaves a terminal as it was. */
const painted = ([on, off]: readonly [string, string], text: string): string => `${on}${text}${off}`;

/** Prompts and their answers, in their order. */
export class Page {
  /** The answer that is written now. */
  #current = -1;
  readonly #waiting: { pieces: Piece[]; isDone: boolean }[];

  /**
   * @param prompts As they are to stand before their answers; none where that is not wanted.
   * @param begin Called before each answer.
   */
  constructor(
    readonly paper: Paper,
    count: number,
    readonly begin: (index: number) => void,
    readonly prompts: readonly string[] = [],
  ) {
    this.#waiting = Array.from({ length: count }, () => ({ pieces: [], isDone: false }));
    this.#next();
  }

  /** Takes what is new of an answer. */
  add(index: number, pieces: readonly Piece[], { ending }: Pick<Answer, "ending">): void {
    const answer = this.#waiting[index]!;
    answer.isDone = ending !== null;
    if (index !== this.#current) return void answer.pieces.push(...pieces);
    this.#put(pieces);
    if (!answer.isDone) return;
    this.paper.write("\n");
    this.#next();
  }

  /** Begins the next answer, and writes those that have come meanwhile. */
  #next(): void {
    for (;;) {
      const answer = this.#waiting[++this.#current];
      if (answer === undefined) return;
      this.begin(this.#current);
      this.#putPrompt(this.prompts[this.#current] ?? "");
      this.#put(answer.pieces);
      if (!answer.isDone) return;
      this.paper.write("\n");
    }
  }

  #putPrompt(prompt: string): void {
    if (prompt === "") return;
    const { hasColour, write } = this.paper;
    write(hasColour ? painted(DIM, harmless(prompt)) : harmless(prompt));
  }

  #put(pieces: readonly Piece[]): void {
    const { isTerminal, hasColour } = this.paper;
    const text = pieces.map(({ text, drafted }) => {
      const shown = isTerminal ? harmless(text) : text;
      return hasColour && drafted ? painted(GREEN, shown) : shown;
    });
    if (text.length > 0) this.paper.write(text.join(""));
  }
}

/** What comes of one prompt: its text so far, why it ended, and what it took. */
import type { Step } from "../decode/engine.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { Prompt } from "./prompt.ts";
import { type Piece, Typing } from "./typing.ts";

/** `end`: the end token came; `stop`: a stop string; `length`: as many tokens as were asked for. */
export type Ending = "end" | "stop" | "length";

export class Answer {
  readonly tokens: number[] = [];
  /** Tokens among them from accepted drafts. */
  drafted = 0;
  /** Forward passes behind the prompt's own, which gives the first token. */
  forwards = -1;
  /** From the beginning of decoding, all prompts together, to the last token. */
  seconds = 0;
  /** Null as long as more may come. */
  ending: Ending | null = null;
  readonly #typing: Typing;

  constructor(readonly prompt: Prompt, readonly tokenizer: Tokenizer, stops: readonly string[]) {
    this.#typing = new Typing(tokenizer, stops);
  }

  get text(): string {
    return this.#typing.text;
  }

  /** Takes in what a forward pass gave; returns what can be shown now. */
  take({ tokens, drafted }: Pick<Step, "tokens" | "drafted">, seconds: number): Piece[] {
    this.forwards++;
    this.seconds = seconds;
    const pieces: Piece[] = [];
    for (const [i, token] of tokens.entries()) {
      this.tokens.push(token);
      this.drafted += Number(drafted[i]);
      pieces.push(...this.#typing.take(token, drafted[i]!));
      this.ending = this.#endingAt(token);
      if (this.ending !== null) break;
    }
    if (this.ending !== null) pieces.push(...this.#typing.end());
    return pieces;
  }

  #endingAt(token: number): Ending | null {
    if (this.#typing.isStopped) return "stop";
    if (token === this.tokenizer.end) return "end";
    return this.tokens.length === this.prompt.newTokens ? "length" : null;
  }

  /** For scripts. */
  toJSON(): Record<string, unknown> {
    const { prompt, text, tokens, forwards, seconds, ending } = this;
    return {
      prompt: prompt.text,
      text,
      tokens,
      drafted: this.#typing.ranges,
      ending,
      cut: prompt.cut,
      tokens_per_forward: tokensPerForward([this]),
      forwards,
      seconds,
    };
  }
}

/** As the decode stage counts: without the first token of each, which the prompt's own forward pass gives. */
export function tokensPerForward(answers: readonly Answer[]): number {
  const forwards = answers.reduce((sum, answer) => sum + answer.forwards, 0);
  const tokens = answers.reduce((sum, answer) => sum + answer.tokens.length - 1, 0);
  return forwards === 0 ? 1 : tokens / forwards;
}

/** How it went, as a line for a reader. */
export function statistics(answers: readonly Answer[]): string {
  const sum = (key: "drafted" | "seconds") => answers.reduce((total, answer) => total + answer[key], 0);
  const tokens = answers.reduce((total, answer) => total + answer.tokens.length, 0);
  const seconds = Math.max(...answers.map((answer) => answer.seconds));
  return `${tokens} tokens in ${seconds.toFixed(2)} s (${Math.round(tokens / seconds)} tokens/s), ` +
    `${tokensPerForward(answers).toFixed(2)} tokens a forward pass, ` +
    `${Math.round(100 * sum("drafted") / tokens)}% from accepted drafts`;
}

/** Decodes prompts side by side, and tells after each forward pass what it gave. */
import { decodeSteps, type Settings } from "../decode/engine.ts";
import type { Decoder } from "../model/mod.ts";
import { turn } from "../stage/turn.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { Answer } from "./answer.ts";
import type { Prompt } from "./prompt.ts";
import type { Piece } from "./typing.ts";

/** How prompts are continued. */
export interface Continuing extends Settings {
  /** Strings that end a text. */
  readonly stop: readonly string[];
}

/** Called with what is new of a prompt's answer. */
export type OnText = (index: number, pieces: readonly Piece[], answer: Answer) => void;

/**
 * Continues all prompts; returns their answers.
 *
 * @param stop Ends it: its reason is thrown.
 */
export async function generate(
  decoder: Decoder,
  tokenizer: Tokenizer,
  prompts: readonly Prompt[],
  { stop: stops, ...settings }: Continuing,
  onText: OnText,
  stop: AbortSignal,
): Promise<Answer[]> {
  const answers = prompts.map((prompt) => new Answer(prompt, tokenizer, stops));
  const requests = prompts.map(({ ids, newTokens }) => ({
    prompt: ids,
    newTokens,
    stop: new Set([tokenizer.end]),
  }));
  const began = performance.now();
  for (const steps of decodeSteps(decoder, requests, settings)) {
    const seconds = (performance.now() - began) / 1000;
    for (const step of steps) {
      const answer = answers[step.index]!;
      const isNews = answer.ending === null;
      const pieces = answer.take(step, seconds);
      if (isNews) onText(step.index, pieces, answer);
    }
    if (answers.every(({ ending }) => ending !== null)) break;
    await turn(); // signals get theirs
    stop.throwIfAborted();
  }
  return answers;
}

/** Decodes prompts side by side, and tells after each forward pass what it gave. */
import { decodeSteps } from "../decode/engine.ts";
import type { Settings } from "../decode/settings.ts";
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
  using steps = disposable(decodeSteps(decoder, requests, settings));
  let ended: number[] = []; // by a stop string, of which the engine knows nothing
  for (;;) {
    const { done, value } = steps.next(ended);
    if (done) return answers;
    const seconds = (performance.now() - began) / 1000;
    for (const step of value) {
      const answer = answers[step.index]!;
      onText(step.index, answer.take(step, seconds), answer);
    }
    ended = value.map(({ index }) => index).filter((index) => answers[index]!.ending !== null);
    await turn(); // signals get theirs
    stop.throwIfAborted();
  }
}

/** A generator that is ended with the block, however that is left: what it holds goes. */
function disposable<T, R, N>(steps: Generator<T, R, N>) {
  return { next: (value: N) => steps.next(value), [Symbol.dispose]: () => void steps.return(undefined as R) };
}

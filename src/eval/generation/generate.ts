/** Continuations by a model, greedy or sampled. */

import { decode } from "../../decode/engine.ts";
import { PLAIN } from "../../decode/settings.ts";
import { GREEDY, type Sampling } from "../../decode/sampling.ts";
import type { MtpModel } from "../../model/mod.ts";

/** What is generated. */
export interface GenerateOptions {
  /** Most new tokens for each prompt. */
  readonly newTokens: number;
  /** Null: the likeliest token each time. */
  readonly sampling: Sampling | null;
  /** Of what is drawn: the same prompts with the same seed give the same tokens. */
  readonly seed: number;
}

/** New token ids for each prompt; they end with the end token where the model ended the text. */
export type Generate = (prompts: readonly number[][], options: GenerateOptions) => number[][];

/** Prompts that share a forward pass. */
const BATCH = 16;

/** Generation with head 1 alone, whose text is to be judged; drafts would give the same distribution. */
export function generatorOf(model: MtpModel, end: number): Generate {
  return (prompts, { newTokens, sampling, seed }) => {
    using decoder = model.decoder();
    const stop = new Set([end]);
    const requests = prompts.map((prompt) => ({ prompt, newTokens, stop }));
    const settings = { ...PLAIN, sampling: sampling ?? GREEDY, batch: BATCH, seed };
    return decode(decoder, requests, settings).map(({ tokens }) => [...tokens]);
  };
}

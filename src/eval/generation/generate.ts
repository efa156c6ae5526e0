/** Continuations by a model, greedy or sampled. */

import type { Sampling } from "../../config/schema.ts";
import { Random } from "../../data/random.ts";
import { checkRoom, greedy, type GreedyRequest } from "../../decode/greedy.ts";
import type { MtpModel } from "../../model/mod.ts";
import { Scope, Tensor } from "../../torch/mod.ts";

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

/** Generation with head 1 alone, one prompt after another. */
export function generatorOf(model: MtpModel, end: number): Generate {
  return (prompts, { newTokens, sampling, seed }) =>
    prompts.map((prompt, i) => {
      const request: GreedyRequest = { prompt, newTokens, stop: end, kernels: "aten" };
      if (sampling === null) return greedy(model, request).tokens;
      return sample(model, request, sampling, new Random(seed, i));
    });
}

function sample(model: MtpModel, request: GreedyRequest, sampling: Sampling, random: Random): number[] {
  checkRoom(model, request);
  const { prompt, newTokens, stop, kernels } = request;
  using cache = model.newCache(prompt.length + newTokens);
  const tokens: number[] = [];
  let next: readonly number[] = prompt;
  while (tokens.length < newTokens && tokens.at(-1) !== stop) {
    using _scope = new Scope();
    const z_RD = model.extend(Tensor.ids(next), cache, kernels);
    const logits = model.logits(1, z_RD.slice(0, next.length - 1, next.length), kernels).toArray();
    next = [draw(logits, sampling, random)];
    tokens.push(...next);
  }
  return tokens;
}

/** One token, drawn after temperature, top-k, top-p and min-p in this order; at least the likeliest stays. */
export function draw(logits: readonly number[], sampling: Sampling, random: Random): number {
  const { temperature, top_k = Infinity, top_p = 1, min_p = 0 } = sampling;
  const largest = Math.max(...logits);
  let kept = logits.map((logit, id) => ({ id, weight: Math.exp((logit - largest) / temperature) }))
    .sort((a, b) => b.weight - a.weight || a.id - b.id)
    .slice(0, top_k);
  const sum = () => kept.reduce((total, { weight }) => total + weight, 0);
  let before = 0;
  const wanted = top_p * sum();
  kept = kept.filter(({ weight }) => {
    const isKept = before < wanted;
    before += weight;
    return isKept;
  }).filter(({ weight }) => weight >= min_p); // the likeliest one's weight is 1
  let left = random.unit() * sum();
  return (kept.find(({ weight }) => (left -= weight) < 0) ?? kept.at(-1)!).id;
}

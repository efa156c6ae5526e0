/** Plain greedy decoding with a cache: one token a forward pass. The yardstick of self-speculation. */
import type { MtpModel } from "../model/mod.ts";
import { choices, type Kernels, Scope, Tensor, top2Gap } from "../torch/mod.ts";

/** What both decoders take. */
export interface GreedyRequest {
  /** Token ids; at least one. */
  readonly prompt: readonly number[];
  /** Most new tokens; the prompt and they fit the context together. */
  readonly newTokens: number;
  /** Decoding ends with this token, which is part of the output. */
  readonly stop: number;
  readonly kernels: Kernels;
}

/** What both decoders give. */
export interface Decoded {
  /** New token ids. */
  readonly tokens: number[];
  /** Forward passes behind the prompt's own, which gives the first token. */
  readonly forwards: number;
}

/** @throws {RangeError} when prompt and new tokens do not fit the context. */
export function checkRoom(model: MtpModel, { prompt, newTokens }: GreedyRequest): void {
  const { context } = model.shape;
  if (prompt.length === 0) throw new RangeError("A prompt needs at least one token");
  if (prompt.length + newTokens > context) {
    throw new RangeError(`${prompt.length} + ${newTokens} tokens do not fit a context of ${context}`);
  }
}

/** Decodes greedily with head 1 alone. `onGap` is told how far the best logit of each token is ahead of the second. */
export function greedy(model: MtpModel, request: GreedyRequest, onGap?: (gap: number) => void): Decoded {
  checkRoom(model, request);
  const { prompt, newTokens, stop, kernels } = request;
  using cache = model.newCache(prompt.length + newTokens);
  const tokens: number[] = [];
  let forwards = -1; // the prompt's
  let next: readonly number[] = prompt;
  while (tokens.length < newTokens && tokens.at(-1) !== stop) {
    using _scope = new Scope();
    const z_RD = model.extend(Tensor.ids(next), cache, kernels);
    forwards++;
    const logits_1V = model.logits(1, z_RD.slice(0, next.length - 1, next.length), kernels);
    onGap?.(top2Gap(logits_1V).item());
    next = choices(logits_1V);
    tokens.push(...next);
  }
  return { tokens, forwards };
}

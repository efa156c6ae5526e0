/** How close a call the plain decoder's choice of one token was. */
import type { Decoder } from "../model/mod.ts";
import { Scope, top2Gap } from "../torch/mod.ts";
import { forChoices, penalizeRows, type Sampling } from "./sampling.ts";

/** The best logit behind `known`, less the second best. */
export function gapBehind(known: readonly number[], decoder: Decoder, sampling: Sampling): number {
  using _scope = new Scope();
  using cache = decoder.newCache(1, known.length);
  const { first } = decoder.extend(known, cache);
  const logits = forChoices(decoder.logits(first.slice(0, known.length - 1, known.length)), sampling);
  penalizeRows(logits, () => [new Set(known)], sampling);
  return top2Gap(logits).item();
}

/** How close a call the plain decoder's choice of one token was. */
import type { Decoder } from "../model/mod.ts";
import { Scope, top2Gap, unscoped } from "../torch/mod.ts";
import { onCpu, penalizeRows, type Sampling } from "./sampling.ts";

/** The best logit behind `known`, less the second best. */
export function gapBehind(known: readonly number[], decoder: Decoder, sampling: Sampling): number {
  using _scope = new Scope();
  using cache = unscoped(() => decoder.newCache(1, known.length));
  const { first } = decoder.extend(known, cache);
  const logits = onCpu(decoder.logits(first.slice(0, known.length - 1, known.length)), sampling);
  penalizeRows(logits, [new Set(known)], sampling);
  return top2Gap(logits).item();
}

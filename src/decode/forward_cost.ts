/**
 * What a forward pass costs by its number of rows: trunk and head 1 over a cache that is filled to some length. A draft of
 * n - 1 tokens is verified by n rows, so their cost over that of one row is what the tokens of a round are divided by for an
 * ideal speed-up, however the drafts are made. That is an estimate and no bound: it is timed apart from the decoding, and of a
 * full batch, while the rounds of more than one sequence run partly empty once some have ended.
 */
import type { Decoder } from "../model/mod.ts";
import { Scope, synchronize } from "../torch/mod.ts";
import { median } from "./bench.ts";

/** Rounds over the numbers of rows: so many, or fewer where they take long. */
const ROUNDS = 25, FEWEST = 5, MILLISECONDS = 2000;

/**
 * Medians in milliseconds by number of rows.
 *
 * @param batch Sequences that share the pass, each with so many rows.
 * @param length Positions that each has in the cache.
 */
export function forwardCosts(
  decoder: Decoder,
  batch: number,
  length: number,
  rows: readonly number[],
): Map<number, number> {
  using cache = decoder.newCache(batch, length + Math.max(...rows));
  for (let sequence = 0; sequence < batch; sequence++) cache.advance(sequence, length);
  const pass = (n: number): number => {
    using _scope = new Scope();
    const began = performance.now();
    const ids = Array.from({ length: batch * n }, () => 0);
    const places = cache.next(Array.from({ length: batch }, () => n));
    decoder.logits(decoder.step(ids, places, cache).first);
    if (decoder.device !== "cpu") synchronize(decoder.device);
    return performance.now() - began;
  };
  const times = new Map(rows.map((n) => [n, [] as number[]]));
  for (const n of rows) pass(n); // fills the processor's caches
  const began = performance.now();
  for (let round = 0; round < ROUNDS; round++) {
    if (round >= FEWEST && performance.now() - began > MILLISECONDS) break;
    for (const n of round % 2 === 0 ? rows : rows.toReversed()) times.get(n)!.push(pass(n));
  }
  return new Map([...times].map(([n, values]) => [n, median(values)]));
}

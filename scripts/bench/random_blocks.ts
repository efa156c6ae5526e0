/** Blocks of random tokens for benchmarks of training. */
import type { ModelOptions } from "../../src/model/mod.ts";
import { type Blocks, Tensor } from "../../src/torch/mod.ts";

/** One micro-batch in which each head has a target everywhere; it belongs to the scope around the call. */
export function randomBlocks({ vocab, context, heads }: ModelOptions, batch: number): Blocks {
  const positions = batch * context;
  const draw = (count: number): number[] =>
    Array.from({ length: count }, () => Math.floor(Math.random() * vocab));
  return {
    inputs: Tensor.ids(draw(positions), [batch, context]),
    targets: Tensor.ids(draw(heads.count * positions), [heads.count, batch, context]),
    counts: Array.from({ length: heads.count }, () => positions),
    bytes: positions,
  };
}

/** The GPU's meter of energy, where there is a GPU: it only grows, and a second of it is some joules. */
import assert from "node:assert/strict";
import { gpuEnergy, Scope, synchronize, Tensor } from "../../src/torch/mod.ts";
import { metersOf } from "../../src/train/energy.ts";
import { withCuda } from "./cuda.ts";

withCuda("gpuEnergy() grows by some joules in a second of work", () => {
  const before = gpuEnergy("cuda:0")!.joules;
  const until = performance.now() + 1000;
  while (performance.now() < until) {
    using _scope = new Scope();
    Tensor.full([2048, 2048], 1, { dtype: "float32", device: "cuda:0" });
    synchronize("cuda:0");
  }
  const taken = gpuEnergy("cuda:0")!.joules - before;
  assert.ok(taken > 5 && taken < 2000, `${taken} J`);
  assert.match(metersOf("cuda:0")!.source, /GPU \(NVML\)$/);
});

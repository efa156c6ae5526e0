/** Proves the running mean of the weights against its formula, and that it stands in for them and gives them back. */
import assert from "node:assert/strict";
import { Parameters } from "../../src/model/mod.ts";
import { Scope, Tensor } from "../../src/torch/mod.ts";
import { Ema } from "../../src/train/ema.ts";
import { withOneThread } from "../model/tiny.ts";

function parametersOf(...values: number[]): Parameters {
  const parameters = new Parameters("cpu", 1);
  parameters.normal("matrix", [1, values.length], 1);
  set(parameters, values);
  return parameters;
}

function set(parameters: Parameters, values: readonly number[]): void {
  parameters.get("matrix").copyBytes_(new Uint8Array(Float32Array.from(values).buffer));
}

const meanOf = (ema: Ema) => ema.entries()[0]![1].toArray();

withOneThread("the mean follows the weights by its formula, short at first", () => {
  using parameters = parametersOf(1, -2);
  using ema = new Ema(parameters, 0.5);
  assert.deepEqual(meanOf(ema), [1, -2]);
  let expected = [1, -2];
  for (let step = 0; step < 30; step++) {
    const weights = [Math.cos(step), step];
    set(parameters, weights);
    ema.update(step);
    const left = Math.min(0.5, (1 + step) / (10 + step)); // 0.1, 0.18, ... and 0.5 from step 8 on
    expected = expected.map((mean, i) => left * mean + (1 - left) * weights[i]!);
    meanOf(ema).forEach((mean, i) => assert.ok(Math.abs(mean - expected[i]!) < 1e-5, `step ${step}`));
  }
});

withOneThread("weights that stand still have themselves for a mean, to the bit", () => {
  using parameters = parametersOf(0.1, 1 / 3);
  using ema = new Ema(parameters, 0.999);
  for (let step = 0; step < 20; step++) ema.update(step);
  assert.deepEqual(meanOf(ema), parameters.get("matrix").toArray());
});

withOneThread(
  "during() has the means in place of the weights, and gives the weights back even after an error",
  () => {
    using parameters = parametersOf(1, 2);
    using ema = new Ema(parameters, 0.5);
    set(parameters, [5, 6]);
    const seen = ema.during(() => parameters.get("matrix").toArray());
    assert.deepEqual(seen, [1, 2]);
    assert.throws(() => ema.during(() => assert.fail("within")));
    assert.deepEqual([parameters.get("matrix").toArray(), meanOf(ema)], [[5, 6], [1, 2]]);
    using _scope = new Scope();
    parameters.get("matrix").sum().backward();
    assert.deepEqual(parameters.get("matrix").grad.toArray(), [1, 1]);
  },
);

withOneThread("restart() begins a mean anew", () => {
  using parameters = parametersOf(1);
  using ema = new Ema(parameters, 0.999);
  set(parameters, [7]);
  ema.restart("matrix");
  assert.deepEqual(meanOf(ema), [7]);
  assert.ok(ema.entries()[0]![1] instanceof Tensor);
});

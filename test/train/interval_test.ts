/** Proves the means of an interval by their definitions, on steps that are made up. */
import assert from "node:assert/strict";
import { FLOAT32_CPU, Tensor } from "../../src/torch/mod.ts";
import { Interval, type PendingStep } from "../../src/train/interval.ts";
import { withOneThread } from "../model/tiny.ts";

const scalar = (value: number) => Tensor.full([], value, FLOAT32_CPU);

/** A step whose heads have these mean losses, in nats a target. */
function stepOf(
  step: number,
  nll: readonly (number | null)[],
  norm: number,
  weights: readonly number[] = [1, 1],
  divisor = 1,
): PendingStep {
  return {
    step,
    position: 4 * (step - 1),
    blocks: 4,
    weights,
    divisor,
    losses: nll.map((x, i) => x === null ? null : scalar(weights[i]! * x / divisor)),
    norm: scalar(norm),
  };
}

withOneThread("take() gives means over the steps, of each head over those in which it was awake", () => {
  using interval = new Interval(2, 1);
  interval.add(stepOf(1, [4, null], 0.5));
  interval.add(stepOf(2, [2, 8], 3));
  assert.deepEqual(interval.take(), { loss: (4 + 10) / 2, clipped: 0.5, heads: [3, 8] });
  assert.equal(interval.lastNorm, 3);
  interval.add(stepOf(3, [1, null], 1)); // at the limit is not above it
  assert.deepEqual(interval.take(), { loss: 1, clipped: 0, heads: [1, null] });
});

withOneThread(
  "a head's mean is in nats a target, whatever its weight and what the weights are divided by",
  () => {
    for (const [weights, divisor] of [[[1, 0.5], 1], [[1, 0.5], 1.5], [[3, 1], 4]] as const) {
      using interval = new Interval(2, 0);
      interval.add(stepOf(1, [2, 6], 1, weights, divisor));
      const { loss, heads } = interval.take();
      assert.ok(Math.abs(loss - (2 * weights[0] + 6 * weights[1]) / divisor) < 1e-5);
      heads.forEach((mean, i) => assert.ok(Math.abs(mean! - [2, 6][i]!) < 1e-5));
    }
  },
);

withOneThread("steps are observed once, in order, when they are settled", () => {
  const seen: [number, readonly (number | null)[]][] = [];
  using interval = new Interval(2, 0, undefined, (step, heads) => seen.push([step, heads]));
  interval.add(stepOf(1, [4, null], 1));
  interval.add(stepOf(2, [2, 8], 1));
  assert.deepEqual(seen, []);
  interval.settle();
  interval.settle();
  assert.deepEqual(seen, [[1, [4, null]], [2, [2, 8]]]);
});

withOneThread("an interval goes on from a saved one", () => {
  using first = new Interval(1, 1);
  first.add(stepOf(1, [4], 2));
  using second = new Interval(1, 1, structuredClone(first.settle()));
  second.add(stepOf(2, [2], 0.5));
  assert.deepEqual(second.take(), { loss: 3, clipped: 0.5, heads: [3] });
});

withOneThread("a loss or a norm that is not finite names its step, heads and blocks", () => {
  for (const [nll, norm, what] of [[NaN, 1, "loss NaN"], [2, Infinity, "gradient norm Infinity"]] as const) {
    using interval = new Interval(2, 1);
    interval.add(stepOf(3, [nll, null], norm));
    assert.throws(() => interval.settle(), ({ name, message }: Error) => {
      assert.equal(name, "UserError");
      for (const part of ["step 3", what, "head 2: asleep", "blocks 8 to 11"]) {
        assert.ok(message.includes(part), part);
      }
      return true;
    });
  }
});

/** Proves distributions and draws against their formulas: softmax, truncation, penalty, inverse transform, residual. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Distributions, likeliest, penalize, Scope, Tensor, TorchError } from "../../src/torch/mod.ts";
import { withFfi } from "../support.ts";
import { normal } from "./compare.ts";

const ALL = { temperature: 1, top_k: 0, top_p: 1, min_p: 0 };

const rowOf = (values: readonly number[]): Tensor =>
  Tensor.from(Float32Array.from(values), [1, values.length]);

/** Rows of probabilities as they are given. */
const given = (...rows: readonly (readonly number[])[]): Distributions =>
  new Distributions(Tensor.from(Float32Array.from(rows.flat()), [rows.length, rows[0]!.length]));

withFfi("of() is softmax at a temperature", () => {
  fc.assert(
    fc.property(fc.nat(1e6), fc.double({ min: 0.05, max: 5, noNaN: true }), (seed, temperature) => {
      using _scope = new Scope();
      const logits = normal([3, 11], seed);
      const p = Distributions.of(logits, { ...ALL, temperature }).tensor.toArray();
      for (let r = 0; r < 3; r++) {
        const row = logits.toArray().slice(11 * r, 11 * r + 11).map((x) => Math.exp(x / temperature));
        const sum = row.reduce((a, b) => a + b);
        row.forEach((x, v) => assert.ok(Math.abs(p[11 * r + v]! - x / sum) < 1e-6));
      }
    }),
    { numRuns: 50 },
  );
});

withFfi("of() keeps what top-k, top-p and min-p keep, and makes it sum to 1", () => {
  using _scope = new Scope();
  const logits = rowOf([0.4, 0.1, 0.25, 0.05, 0.2].map(Math.log));
  const kept = (truncation: Partial<typeof ALL>) => {
    const p = Distributions.of(logits, { ...ALL, ...truncation }).tensor.toArray();
    assert.ok(Math.abs(p.reduce((a, b) => a + b) - 1) < 1e-6);
    return p.flatMap((x, v) => x > 0 ? [v] : []);
  };
  assert.deepEqual(kept({}), [0, 1, 2, 3, 4]);
  assert.deepEqual(kept({ top_k: 2 }), [0, 2]);
  assert.deepEqual(kept({ top_k: 9 }), [0, 1, 2, 3, 4]);
  assert.deepEqual(kept({ top_p: 0.3 }), [0]);
  assert.deepEqual(kept({ top_p: 0.6 }), [0, 2]);
  assert.deepEqual(kept({ top_p: 0.84 }), [0, 2, 4]);
  assert.deepEqual(kept({ min_p: 0.49 }), [0, 2, 4]);
  assert.deepEqual(kept({ min_p: 1 }), [0]);
  assert.deepEqual(kept({ top_k: 3, top_p: 0.7 }), [0, 2]); // 0.7 of what top-k leaves, 0.85
  assert.deepEqual(kept({ temperature: 0.01, min_p: 0.01 }), [0]);
});

withFfi("of() refuses settings out of range and logits that are not finite", () => {
  using _scope = new Scope();
  for (
    const bad of [{ temperature: 0 }, { top_k: -1 }, { top_p: 0 }, { top_p: 1.1 }, { min_p: -0.1 }, {
      min_p: 2,
    }]
  ) {
    assert.throws(() => Distributions.of(rowOf([1, 2]), { ...ALL, ...bad }), TorchError);
  }
  for (const bad of [NaN, Infinity]) {
    for (const row of [[bad, 1, 2], [1, bad, 2], [1, 2, bad]]) {
      for (const truncation of [{}, { top_k: 1 }, { top_p: 0.5 }]) {
        assert.throws(() => Distributions.of(rowOf(row), { ...ALL, ...truncation }), /not finite/);
      }
    }
  }
});

withFfi("draw() is the inverse of the running sum, and never a token of probability 0", () => {
  using _scope = new Scope();
  const p = given([0, 0.25, 0, 0.5, 0.25, 0]);
  const drawn = [0, 0.1, 0.2499, 0.2501, 0.5, 0.7499, 0.7501, 0.999999999].map((u) => p.draw(0, u));
  assert.deepEqual(drawn, [1, 1, 1, 3, 3, 3, 4, 4]);
  assert.throws(() => given([0, 0]).draw(0, 0.5), /no token has a probability above 0/);
  assert.throws(() => p.draw(1, 0.5), /there is no row 1 of 1/);
});

withFfi("drawResidual() draws from what p has more than q", () => {
  using _scope = new Scope();
  const [p, q] = [given([0.5, 0.2, 0.3]), given([0, 1, 0], [0.7, 0.1, 0.2])];
  // max(0, p - q) = 0, 0.1, 0.1
  assert.deepEqual([0, 0.49, 0.51, 0.99].map((u) => p.drawResidual(0, q, 1, u)), [1, 1, 2, 2]);
  // nothing is left where both are equal: p itself, for only rounding can have led there
  assert.deepEqual([0, 0.49, 0.51, 0.99].map((u) => p.drawResidual(0, p, 0, u)), [0, 0, 1, 2]);
  assert.throws(() => p.drawResidual(0, given([0.5, 0.5]), 0, 0.5), /distributions over 3 and 2 tokens/);
});

withFfi("probability() and entropy() are those of the row", () => {
  using _scope = new Scope();
  const p = given([0.5, 0.5, 0], [1, 0, 0]);
  assert.equal(p.probability(0, 1), 0.5);
  assert.ok(Math.abs(p.entropy(0) - Math.LN2) < 1e-7);
  assert.equal(p.entropy(1), 0);
  assert.throws(() => p.probability(0, 3), /there is no token 3/);
});

withFfi("penalize() divides positive logits and multiplies negative ones, once each, in its row", () => {
  using _scope = new Scope();
  const logits = Tensor.from(Float32Array.of(2, -2, 3, 2, -2, 3), [2, 3]);
  penalize(logits, 1, new Set([0, 1]), 2);
  assert.deepEqual(logits.toArray(), [2, -2, 3, 1, -4, 3]);
  assert.throws(() => penalize(logits, 0, new Set([3]), 2), /there is no token 3/);
});

withFfi("likeliest() gives the largest first, and of equals the first", () => {
  using _scope = new Scope();
  const logits = Tensor.from(Float32Array.of(0, 0, 0, 5, 7, 7, 6, 5, 1), [1, 9]);
  assert.deepEqual(likeliest(logits, 0, 5), [4, 5, 6, 3, 7]);
  assert.throws(() => likeliest(logits, 0, 10), /cannot take the best 10 of 9/);
});

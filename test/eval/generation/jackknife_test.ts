/** Proves the standard errors by the textbook's formula for means, and by examples written out. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { estimate, mean } from "../../../src/eval/generation/jackknife.ts";

Deno.test("estimate() of a mean has the usual standard error", () => {
  const values = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 2, maxLength: 30 });
  fc.assert(fc.property(values, (list) => {
    const centre = mean(list)!;
    const variance = list.reduce((sum, x) => sum + (x - centre) ** 2, 0) / (list.length - 1);
    const { value, standard_error, items } = estimate(list, mean);
    assert.equal(value, centre);
    assert.equal(items, list.length);
    assert.ok(Math.abs(standard_error! - Math.sqrt(variance / list.length)) < 1e-9);
  }));
});

Deno.test("estimate() of a ratio of sums moves with the items that are left out", () => {
  const share = (items: readonly [number, number][]) =>
    items.reduce((sum, [part]) => sum + part, 0) / items.reduce((sum, [, all]) => sum + all, 0);
  const { value, standard_error } = estimate([[1, 2], [0, 2], [2, 4]], share);
  assert.equal(value, 3 / 8);
  const [a, b, c] = [2 / 6, 3 / 6, 1 / 4];
  const centre = (a + b + c) / 3;
  const squares = (a - centre) ** 2 + (b - centre) ** 2 + (c - centre) ** 2;
  assert.ok(Math.abs(standard_error! - Math.sqrt(2 / 3 * squares)) < 1e-15);
});

Deno.test("estimate() of one item has no standard error, of none no value", () => {
  assert.deepEqual(estimate([3], mean), { value: 3, standard_error: null, items: 1 });
  assert.deepEqual(estimate([], mean), { value: null, standard_error: null, items: 0 });
});

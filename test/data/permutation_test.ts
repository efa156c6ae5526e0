/** Proves that a permutation has every number once, is even, and costs nothing for a large corpus. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Permutation } from "../../src/data/permutation.ts";

const all = (permutation: Permutation): number[] =>
  Array.from({ length: permutation.n }, (_, i) => permutation.at(i));

Deno.test("a permutation has every number once, whatever their number", () => {
  const numbers = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 3000 }));
  fc.assert(
    fc.property(numbers, fc.nat(), fc.nat({ max: 5 }), (n, seed, epoch) => {
      const sorted = all(new Permutation(n, seed, epoch)).sort((a, b) => a - b);
      assert.deepEqual(sorted, Array.from({ length: n }, (_, i) => i));
    }),
  );
});

Deno.test("every number is as often in every place", () => {
  for (const n of [2, 3, 7, 30]) {
    const seeds = 400 * n;
    const counts = Array.from({ length: n }, () => Array(n).fill(0));
    for (let seed = 0; seed < seeds; seed++) {
      all(new Permutation(n, seed)).forEach((x, place) => counts[place]![x]++);
    }
    const expected = seeds / n;
    const chiSquare = counts.flat().reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    const freedom = (n - 1) ** 2; // rows and columns have fixed sums
    assert.ok(chiSquare < freedom + 5 * Math.sqrt(2 * freedom), `${n}: ${chiSquare}`);
  }
});

Deno.test("what follows a number says nothing about it", () => {
  const n = 10_000;
  const order = all(new Permutation(n, 5));
  const steps = order.slice(1).map((x, i) => (x - order[i]! + n) % n);
  const buckets = Array(20).fill(0);
  for (const step of steps) buckets[Math.floor(step / n * 20)]++;
  const chiSquare = buckets.reduce((sum, count) => sum + (count - n / 20) ** 2 / (n / 20), 0);
  assert.ok(chiSquare < 19 + 5 * Math.sqrt(2 * 19), `${chiSquare} for ${buckets}`);
});

Deno.test("a permutation of very many numbers is there at once and stays in range", () => {
  const n = 2 ** 53 - 1;
  const permutation = new Permutation(n, 1, 2);
  const some = Array.from({ length: 1000 }, (_, i) => permutation.at(i));
  assert.equal(new Set(some).size, 1000);
  assert.ok(some.every((x) => Number.isInteger(x) && x >= 0 && x < n));
  const mean = some.reduce((sum, x) => sum + x / n, 0) / 1000;
  assert.ok(Math.abs(mean - 0.5) < 5 * Math.sqrt(1 / 12 / 1000), `${mean}`);
});

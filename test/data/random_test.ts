/** Proves that the random numbers are those of the published generator and spread evenly. */

import assert from "node:assert/strict";
import { Random } from "../../src/data/random.ts";

Deno.test("next() gives the numbers of the authors' C program", () => {
  // xoshiro128starstar.c with s = {1, 2, 3, 4}
  const random = Random.from([1, 2, 3, 4]);
  const expected = [11520, 0, 5927040, 70819200, 2031721883, 1637235492];
  assert.deepEqual(expected.map(() => random.next()), expected);
});

Deno.test("Random gives the same numbers for the same seeds and others for others", () => {
  const start = (...seeds: number[]) => {
    const random = new Random(...seeds);
    return [random.next(), random.next()].join();
  };
  assert.equal(start(1, 2), start(1, 2));
  const seeds = [[], [0], [1], [0, 0], [0, 1], [1, 0], [1, 1], [2 ** 32 - 1], [0, 0, 0]];
  assert.equal(new Set(seeds.map((seed) => start(...seed))).size, seeds.length);
});

Deno.test("below() stays below and reaches everything about equally often", () => {
  const counts = Array(7).fill(0);
  const random = new Random(3);
  for (let i = 0; i < 70_000; i++) counts[random.below(7)]++;
  // 4.5 standard deviations of a count: sqrt(70000 * 1/7 * 6/7) = 93
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 420, `${counts}`);
});

Deno.test("the streams of neighboring seeds are independent", () => {
  let equalBits = 0;
  for (let seed = 0; seed < 4000; seed++) {
    let different = new Random(seed).next() ^ new Random(seed + 1).next();
    for (let bit = 0; bit < 32; bit++, different >>>= 1) equalBits += 1 - (different & 1);
  }
  assert.ok(Math.abs(equalBits / (32 * 4000) - 0.5) < 0.006, `${equalBits}`); // 4 standard deviations
});

/** Proves the standard errors: against the textbook's formula for means, and by how often the intervals hold the truth. */
import assert from "node:assert/strict";
import { Random } from "../../src/data/random.ts";
import { exponential, interval, mean, type Part, ratio } from "../../src/eval/estimate.ts";

const close = (a: number, b: number) =>
  assert.ok(Math.abs(a - b) < 1e-12 * Math.max(1, Math.abs(b)), `${a}, not ${b}`);

Deno.test("ratio() of ones is the share, with the standard error of a sample's mean", () => {
  const right = [1, 0, 1, 1, 0, 1, 1];
  const { value, standard_error } = ratio(right.map((x): Part => [x, 1]));
  const p = 5 / 7;
  close(value, p);
  close(standard_error!, Math.sqrt(p * (1 - p) / (right.length - 1)));
});

Deno.test("ratio() of one part has no standard error, and no interval", () => {
  assert.deepEqual(ratio([[3, 2]]), { value: 1.5, standard_error: null });
  assert.equal(interval(ratio([[3, 2]]), 1), null);
});

Deno.test("interval() holds the true bits per byte in about 95 of 100 samples of documents", () => {
  const random = new Random(7);
  // Documents of 20 to 400 bytes; each has a difficulty of its own around 2 bits per byte, long ones are easier.
  const document = (): Part => {
    const bytes = 20 + random.below(381);
    return [bytes * (2.2 - bytes / 1000 + (random.unit() - 0.5)), bytes];
  };
  const population = Array.from({ length: 200_000 }, document);
  const truth = ratio(population).value;
  let held = 0;
  for (let sample = 0; sample < 1000; sample++) {
    const [low, high] = interval(ratio(Array.from({ length: 60 }, () => random.pick(population))), 60)!;
    if (low <= truth && truth <= high) held++;
  }
  assert.ok(held > 925 && held < 970, `${held} of 1000`);
});

Deno.test("interval() of few documents is as wide as Student's t makes it", () => {
  const half = (n: number) => interval({ value: 0, standard_error: 1 }, n)![1];
  assert.deepEqual([2, 3, 11, 29, 30].map(half), [12.706, 4.303, 2.228, 2.048, 1.959964]);
});

Deno.test("mean() counts every group the same, and adds up their errors in squares", () => {
  const found = mean([{ value: 0.5, standard_error: 0.3 }, { value: 0.7, standard_error: 0.4 }]);
  close(found.value, 0.6);
  close(found.standard_error!, 0.25);
  assert.equal(mean([{ value: 1, standard_error: null }]).standard_error, null);
});

Deno.test("exponential() moves the error along: a perplexity's is so much larger as the perplexity is", () => {
  const small = 1e-6;
  const { value, standard_error } = exponential({ value: 2, standard_error: small });
  close(value, Math.exp(2));
  assert.ok(Math.abs(standard_error! - (Math.exp(2 + small) - Math.exp(2))) < 1e-10);
});

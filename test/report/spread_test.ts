/** Proves the statistics over seeds against values that scipy.stats 1.17 gives (t.sf, t.ppf, ttest_rel), and R's p.adjust. */

import assert from "node:assert/strict";
import { differenceOf, holm, spreadOf } from "../../src/report/spread.ts";
import { quantile95, twoSided } from "../../src/report/student.ts";

const near = (actual: number, expected: number, relative = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= relative * Math.abs(expected), `${actual}, expected ${expected}`);

/** Degrees of freedom, p values of t = 0.5, 2 and 4.5, and the 97.5% quantile. */
const SCIPY: readonly (readonly [number, readonly number[], number])[] = [
  [1, [0.704832764699, 0.295167235301, 0.139208974546], 12.70620474],
  [2, [0.666666666667, 0.183503419072, 0.0460019079943], 4.30265273],
  [3, [0.651447964848, 0.139325968559, 0.0204904123445], 3.182446305],
  [4, [0.643329963182, 0.116116523517, 0.0108225504626], 2.776445105],
  [5, [0.638298871641, 0.10193947883, 0.00639953634632], 2.570581836],
  [7, [0.632407135689, 0.085619328563, 0.00279833007784], 2.364624252],
  [10, [0.627893605743, 0.0733880347707, 0.0011431050868], 2.228138852],
  [29, [0.620848084194, 0.054943637183, 0.000101534888065], 2.045229642],
  [100, [0.618173565831, 0.0482121787311, 1.83846115476e-5], 1.983971519],
];

Deno.test("twoSided() and quantile95() give scipy's values", () => {
  for (const [freedom, p, quantile] of SCIPY) {
    [0.5, 2, 4.5].forEach((t, i) => {
      near(twoSided(t, freedom), p[i]!);
      near(twoSided(-t, freedom), p[i]!);
    });
    near(quantile95(freedom), quantile);
  }
  near(twoSided(49.6983807899482, 3), 1.7939543691950767e-5, 1e-8);
  assert.equal(twoSided(0, 2), 1);
  assert.equal(twoSided(Infinity, 2), 0);
});

Deno.test("spreadOf() has a deviation from two values on, and leaves out what is not finite", () => {
  const { n, mean, sd } = spreadOf([0.5947, null, 0.6012, NaN, 0.5899, 0.5971])!;
  assert.equal(n, 4);
  near(mean, 0.595725);
  near(sd!, 0.004720434302053137);
  assert.deepEqual(spreadOf([3, Infinity]), { n: 1, mean: 3, sd: null });
  assert.equal(spreadOf([null, NaN]), null);
});

Deno.test("differenceOf() is scipy's paired t test over the seeds that both have", () => {
  const a = [[1, 1.613], [2, 1.62], [3, 1.607], [5, 9]] as const;
  const b = [[3, 1.61], [1, 1.605], [2, 1.601], [4, 9], [5, null]] as const;
  const { n, mean, interval, p } = differenceOf(a, b)!;
  assert.equal(n, 3);
  near(mean, 0.008);
  near(interval![0], -0.01932551482925392);
  near(interval![1], 0.03532551482925393);
  near(p!, 0.3348712054315718);
});

Deno.test("differenceOf() tells no chance of one seed, nor of differences that are all equal", () => {
  assert.deepEqual(differenceOf([[1, 3]], [[1, 1], [2, 5]]), { n: 1, mean: 2, interval: null, p: null });
  assert.equal(differenceOf([[1, 3]], [[2, 1]]), null);
  assert.equal(differenceOf([[null, 3]], [[null, 1]]), null, "without seeds there are no pairs");
  const equal = differenceOf([[1, 0.7], [2, 0.8]], [[1, 0.6], [2, 0.7]])!;
  assert.equal(equal.p, null);
  near(equal.mean, 0.1);
});

Deno.test("holm() is R's p.adjust(p, 'holm'); what was not tested does not count", () => {
  const adjusted = holm([0.01, null, 0.04, 0.03, 0.005]);
  assert.equal(adjusted[1], null);
  [0.03, null, 0.06, 0.06, 0.02].forEach((p, i) => p !== null && near(adjusted[i]!, p));
  assert.deepEqual(holm([0.6, 0.7]), [1, 1]);
});

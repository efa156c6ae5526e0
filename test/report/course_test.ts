/** Proves the course of curves over several runs: means, lowest and highest, gaps, and columns of long runs. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { courseOf } from "../../src/report/course.ts";
import type { Point } from "../../src/report/charts/thinning.ts";

Deno.test("courseOf() is the mean at each step, with the lowest and the highest run around it", () => {
  const course = courseOf([[[10, 1], [20, 4]], [[10, 3], [20, 4]], [[10, 8], [20, null]]]);
  assert.deepEqual(course.points, [[10, 4], [20, 4]]);
  assert.deepEqual(course.spread, [[1, 8], [4, 4]]);
});

Deno.test("courseOf() has no spread where one run is alone, and a gap where none has a value", () => {
  const course = courseOf([[[1, 5], [2, null], [3, 7], [4, 1]], [[1, null], [2, null], [3, 9]]]);
  assert.deepEqual(course.points, [[1, 5], [2, null], [3, 8], [4, 1]]);
  assert.deepEqual(course.spread, [null, null, [7, 9], null]);
  assert.deepEqual(courseOf([]), { points: [], spread: [] });
});

Deno.test("courseOf() of a long run has few points, whose mean is the curve's own", () => {
  fc.assert(fc.property(
    fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 1, maxLength: 3000 }),
    fc.integer({ min: 1, max: 300 }),
    (values, most) => {
      const { points } = courseOf([values.map((y, x): Point => [x, y])], most);
      assert.equal(points.length, Math.min(values.length, most));
      const mean = values.reduce((sum, y) => sum + y, 0) / values.length;
      if (values.length % points.length === 0) { // all columns count alike
        const drawn = points.reduce((sum, [, y]) => sum + y!, 0) / points.length;
        assert.ok(Math.abs(drawn - mean) < 1e-9);
      }
      points.slice(1).forEach(([x], i) => assert.ok(x > points[i]![0]));
    },
  ));
});

Deno.test("courseOf() averages each run before it compares them: noise inside of a run is no spread", () => {
  const noisy = (offset: number) =>
    Array.from({ length: 4000 }, (_, x): Point => [x, offset + (x % 2 === 0 ? 1 : -1)]);
  for (const [low, high] of courseOf([noisy(0), noisy(0.5)]).spread.map((interval) => interval!)) {
    assert.ok(Math.abs(low) < 1e-9 && Math.abs(high - 0.5) < 1e-9, `${low} to ${high}`);
  }
});

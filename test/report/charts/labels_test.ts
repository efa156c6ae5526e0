/** Proves the places of labels: inside of the plot, apart from each other and from the marks, the same every time. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { placeLabels } from "../../../src/report/charts/labels.ts";
import type { Box } from "../../../src/report/charts/plot.ts";

const PLOT: Box = { left: 40, right: 412, top: 40, bottom: 300 };
const NAMES = [
  "ntp",
  "mtp",
  "forward",
  "reverse",
  "forward-reverse",
  "reverse-refresh",
  "adaptive",
  "custom",
];
const RADIUS = 6;

const around = (x: number, y: number): Box => ({
  left: x - RADIUS,
  right: x + RADIUS,
  top: y - RADIUS,
  bottom: y + RADIUS,
});
const overlap = (a: Box, b: Box) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

const anyPoints = fc.array(
  fc.record({ x: fc.integer({ min: 46, max: 406 }), y: fc.integer({ min: 46, max: 294 }) }),
  { minLength: 1, maxLength: NAMES.length },
);

Deno.test("placeLabels() covers neither labels nor marks, wherever eight points are", () => {
  fc.assert(
    fc.property(anyPoints, (points) => {
      const labelled = points.map((point, i) => ({ ...point, text: NAMES[i]! }));
      const obstacles = points.map(({ x, y }) => ({ box: around(x, y), weight: 3000 }));
      const places = placeLabels(labelled, PLOT, obstacles);
      assert.deepEqual(placeLabels(structuredClone(labelled), PLOT, structuredClone(obstacles)), places);
      places.forEach(({ box }, i) => {
        assert.ok(box.left >= PLOT.left && box.right <= PLOT.right, "inside, from left to right");
        assert.ok(box.top >= PLOT.top && box.bottom <= PLOT.bottom, "inside, from top to bottom");
        assert.ok(places.slice(i + 1).every((other) => !overlap(box, other.box)), `${NAMES[i]} on a label`);
        assert.ok(obstacles.every((obstacle) => !overlap(box, obstacle.box)), `${NAMES[i]} on a mark`);
      });
    }),
    { numRuns: 100 },
  );
});

Deno.test("placeLabels() keeps a label that has room beside its point, and leads to one that has none", () => {
  const [alone] = placeLabels([{ x: 200, y: 150, text: "ntp" }], PLOT, []);
  assert.equal(alone!.leader, null);
  assert.ok(Math.abs(alone!.box.left - 200) < 20 && Math.abs(alone!.box.top - 150) < 30);
  const crowd = [0, 2, 4, 6, 8].map((shift, i) => ({ x: 200 + shift, y: 150, text: NAMES[i]! }));
  const marks = crowd.map(({ x, y }) => ({ box: around(x, y), weight: 3000 }));
  const led = placeLabels(crowd, PLOT, marks).filter(({ leader }) => leader !== null);
  assert.ok(led.length > 0);
  for (const { leader, box } of led) {
    const [x, y] = leader![1];
    assert.ok(
      x >= box.left && x <= box.right && y >= box.top && y <= box.bottom,
      "the line ends at its label",
    );
  }
});

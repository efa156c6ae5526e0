/** Proves scatter plots: the Pareto front against its definition, marks and bars where the numbers are, shapes apart. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { mark } from "../../../src/report/charts/marks.ts";
import { frontOf, type Group, scatterPlot } from "../../../src/report/charts/scatter.ts";
import { STYLES } from "../../../src/report/charts/svg.ts";
import { all, type Element, numeric, parse, textOf } from "../well_formed.ts";

function group(name: string, x: number, y: number, sd: Group["mean"]["sd"] = null): Group {
  const points = sd === null ? [{ name, x, y }] : [-1, 1].map((sign) => ({
    name: `${name}${sign}`,
    x: x + sign * sd.x,
    y: y + sign * sd.y,
  }));
  return { name, style: 0, points, mean: { x, y, sd }, labelled: true };
}

function draw(groups: readonly Group[], reference?: number): Element {
  const chart = {
    id: "s",
    title: "Speed",
    description: "d.",
    x: { label: "bits" },
    y: { label: "times" },
    groups,
    words: { point: "one run", mean: "mean" },
  };
  return parse(scatterPlot(reference === undefined ? chart : { ...chart, reference }).source);
}

const anyGroups = fc.array(
  fc.record({ x: fc.integer({ min: 0, max: 9 }), y: fc.integer({ min: 0, max: 9 }) }),
  { minLength: 1, maxLength: 12 },
).map((means) => means.map(({ x, y }, i) => group(`g${i}`, x, y)));

Deno.test("frontOf() holds those that nothing equals or beats in both, and all equals of them", () => {
  fc.assert(fc.property(anyGroups, (groups) => {
    const front = frontOf(groups);
    const at = ({ mean: { x, y } }: Group) => [x, y] as const;
    for (const one of groups) {
      const [x, y] = at(one);
      const isBeaten = groups.some((other) => {
        const [ox, oy] = at(other);
        return (ox < x && oy >= y) || (ox <= x && oy > y);
      });
      assert.equal(front.includes(one), !isBeaten);
    }
    front.slice(1).forEach((one, i) => assert.ok(at(one)[0] >= at(front[i]!)[0], "from left to right"));
  }));
});

Deno.test("scatterPlot() fills the marks on the front, and leaves those behind it hollow", () => {
  const svg = draw([group("a", 1, 1), group("b", 2, 3), group("behind", 3, 2)]);
  const fills = all(svg, "g", "mean").map((mean) => all(mean, "circle")[0]!.attributes.get("class")!);
  assert.deepEqual(fills, ["edge-0 fill-0", "edge-0 fill-0", "hollow edge-0"]);
  assert.match(textOf(all(svg, "desc")[0]!), /behind: x 3, y 2\. On the Pareto front: a, b\.$/);
  assert.ok(textOf(svg).includes("Pareto front (hollow: behind it)"));
  assert.ok(!textOf(draw([group("a", 1, 1), group("b", 2, 3)])).includes("hollow"));
});

Deno.test("scatterPlot() has a step at each mean of the front, level first and then upright", () => {
  const svg = draw([group("a", 1, 1), group("b", 2, 3)]);
  const [a, b] = all(svg, "g", "mean").map((mean) => all(mean, "circle")[0]!)
    .map((circle) => [numeric(circle, "cx"), numeric(circle, "cy")] as const);
  const path = all(svg, "path", "front")[0]!.attributes.get("d")!;
  const points = path.split(/[ML]/).slice(1).map((pair) => pair.split(" ").map(Number));
  assert.deepEqual(points.slice(1, 4), [a, [b![0], a![1]], b]);
  assert.equal(points[0]![0], a![0]);
  assert.equal(points.at(-1)![1], b![1]);
});

Deno.test("scatterPlot() draws bars of one standard deviation each way, and the runs faint", () => {
  const svg = draw([group("a", 1, 1), group("b", 2, 3, { x: 0.1, y: 0.5 })]);
  const [alone, spread] = all(svg, "g", "mean");
  assert.equal(all(alone!, "path", "error").length, 0);
  const [left, , right, , top, bottom] = all(spread!, "path", "error")[0]!.attributes.get("d")!
    .match(/[\d.]+/g)!.map(Number) as [number, number, number, number, number, number];
  const circle = all(spread!, "circle")[0]!;
  assert.ok(Math.abs((left + right) / 2 - numeric(circle, "cx")) < 0.11);
  assert.ok(Math.abs((top + bottom) / 2 - numeric(circle, "cy")) < 0.11);
  const runs = all(svg, "g", "points").flatMap((points) => all(points, "circle"));
  assert.equal(runs.length, 2 + 1, "the legend has one more");
  assert.ok(
    Math.abs(numeric(runs[0]!, "cx") - left) < 0.11 && Math.abs(numeric(runs[1]!, "cx") - right) < 0.11,
  );
});

Deno.test("scatterPlot() is well formed and the same twice, whatever it draws", () => {
  const value = fc.double({ min: -1e9, max: 1e9, noNaN: true });
  const any = fc.array(fc.record({ name: fc.string({ unit: "binary" }), x: value, y: value }), {
    maxLength: 10,
  });
  fc.assert(
    fc.property(any, (points) => {
      const groups = points.map(({ name, x, y }) => group(name, x, y));
      assert.deepEqual(draw(structuredClone(groups), 1), draw(groups, 1));
    }),
    { numRuns: 30 },
  );
});

Deno.test("mark() has another shape for each style", () => {
  const shapes = Array.from({ length: STYLES }, (_, style) => mark(style, 0, 0, 10, "m").source);
  assert.equal(new Set(shapes).size, STYLES);
});

/** Proves line charts: well formed, deterministic, gaps and single points drawn, nothing outside, nothing covered. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { type LineChart, lineChart } from "../../../src/report/charts/chart.ts";
import type { Series } from "../../../src/report/charts/series.ts";
import type { Point } from "../../../src/report/charts/thinning.ts";
import { textWidth, WIDTH } from "../../../src/report/charts/svg.ts";
import { all, type Element, numeric, parse, textOf } from "../well_formed.ts";

function chartOf(series: readonly Series[], more: Partial<LineChart> = {}): LineChart {
  return {
    id: "c",
    title: "Loss",
    description: "d.",
    x: { label: "step" },
    y: { label: "nats" },
    series,
    ...more,
  };
}

const draw = (chart: LineChart): Element => parse(lineChart(chart).source);
const pathsOf = (svg: Element, style: number): string[] =>
  all(svg, "g", "series").flatMap((g) => all(g, "path", `line-${style}`)).map((path) =>
    path.attributes.get("d")!
  );
const pointsOf = (path: string): [number, number][] =>
  path.split(/[ML]/).slice(1).map((pair) => pair.split(" ").map(Number) as [number, number]);

const points = fc.array(fc.option(fc.double({ min: -1e6, max: 1e6, noNaN: true })), { maxLength: 60 })
  .map((ys) => ys.map((y, x): Point => [x, y]));
const anySeries = fc.array(
  fc.record({ name: fc.string({ unit: "binary", maxLength: 40 }), points }),
  { maxLength: 10 },
);

Deno.test("lineChart() is well formed and the same twice, whatever it draws", () => {
  fc.assert(
    fc.property(anySeries, fc.string(), (series, title) => {
      const chart = chartOf(series, { title });
      const source = lineChart(chart).source;
      assert.equal(lineChart(structuredClone(chart)).source, source);
      const svg = parse(source);
      assert.equal(svg.name, "svg");
      assert.doesNotMatch(source, /NaN|Infinity|undefined/);
    }),
    { numRuns: 60, examples: [[[{ name: "", points: [[0, 5e-324]] }], ""]] },
  );
});

Deno.test("lineChart() keeps every line inside the plot and the legend below it", () => {
  fc.assert(
    fc.property(anySeries, (series) => {
      const svg = draw(chartOf(series));
      const bottom = Math.max(...all(svg, "line", "grid").map((line) => numeric(line, "y1")));
      for (const path of all(svg, "g", "series").flatMap((g) => all(g, "path"))) {
        for (const [x, y] of pointsOf(path.attributes.get("d")!)) {
          assert.ok(x >= 0 && x <= WIDTH && y >= 0 && y <= bottom + 0.1);
        }
      }
      const entries = all(svg, "g").filter((g) => g.attributes.has("transform"));
      assert.equal(entries.length, series.length);
      const height = Number(svg.attributes.get("viewBox")!.split(" ")[3]);
      for (const entry of entries) {
        const [x, y] = entry.attributes.get("transform")!.match(/[\d.]+/g)!.map(Number) as [number, number];
        const text = all(entry, "text")[0]!;
        assert.ok(y > bottom + 30 && y < height);
        assert.ok(x + numeric(text, "x") + textWidth(textOf(text)) <= WIDTH + 1);
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("lineChart() lifts the pen at a gap and shows a point between gaps as a dot", () => {
  const svg = draw(
    chartOf([{ name: "a", points: [[0, 1], [1, 2], [2, null], [3, 3], [4, null], [5, 2], [6, 1]] }]),
  );
  const [path] = pathsOf(svg, 0);
  assert.equal(path!.match(/M/g)!.length, 2);
  assert.equal(pointsOf(path!).length, 4);
  assert.equal(all(svg, "circle").length, 5);
});

Deno.test("lineChart() shows a single point in a long series with gaps", () => {
  const long = Array.from(
    { length: 500 },
    (_, x): Point => [x, x === 250 ? null : x < 249 ? 1 : x === 249 ? null : 2],
  );
  const alone: Point[] = long.map(([x]) => [x, x === 100 ? 5 : null]);
  const svg = draw(chartOf([{ name: "long", points: long }, { name: "alone", points: alone }]));
  assert.equal(pathsOf(svg, 1).length, 0);
  assert.equal(all(svg, "circle", "fill-1").length, 1);
});

Deno.test("lineChart() thins a long series and keeps its ends, its lowest and its highest point", () => {
  const noise = (x: number): number => Math.sin(x * 12.9898) * 43758.5453 % 1;
  const long = Array.from(
    { length: 100_000 },
    (_, x): Point => [x, x === 5_003 ? 9 : x === 70_001 ? -9 : noise(x)],
  );
  const full = draw(chartOf([{ name: "a", points: long }]));
  const drawn = pointsOf(pathsOf(full, 0)[0]!);
  assert.ok(drawn.length < 4_000, `${drawn.length} points`);
  const grid = all(full, "line", "grid").map((line) => numeric(line, "y1"));
  const [bottom, top] = [Math.max(...grid), Math.min(...grid)];
  const at = (y: number): number => Number((bottom - (y + 10) / 20 * (bottom - top)).toFixed(1));
  assert.ok(drawn.some(([, y]) => y === at(9)) && drawn.some(([, y]) => y === at(-9)));
  assert.ok(drawn.every(([x], i) => i === 0 || x >= drawn[i - 1]![0]));
});

Deno.test("lineChart() refuses values that are not above 0 on a logarithmic axis", () => {
  const y = { label: "nats", log: true };
  for (const value of [0, -1]) {
    assert.throws(() => lineChart(chartOf([{ name: "a", points: [[0, 1], [1, value]] }], { y })), {
      name: "RangeError",
      message: `Cannot draw "Loss" on a logarithmic axis: it has the value ${value}`,
    });
  }
  const svg = draw(chartOf([{ name: "a", points: [[0, 0.01], [1, null], [2, 100]] }], { y }));
  assert.equal(all(svg, "circle").length, 2);
});

Deno.test("lineChart() labels phases with the longest text that fits, and never across their edges", () => {
  const bands = [
    { from: 0, to: 50, labels: ["heads 1–4, weights 1, 0.5", "heads 1–4", "1–4"] },
    { from: 50, to: 58, labels: ["heads 1–2", "1–2"] },
    { from: 58, to: 100, labels: ["<all>"] },
  ];
  const svg = draw(chartOf([{ name: "a", points: [[0, 1], [100, 2]] }], { bands }));
  const drawn = all(svg, "g", "band");
  assert.deepEqual(drawn.map((band) => all(band, "text").map(textOf)), [["heads 1–4, weights 1, 0.5"], [
    "1–2",
  ], ["<all>"]]);
  assert.deepEqual(drawn.map((band) => textOf(all(band, "title")[0]!)), bands.map(({ labels }) => labels[0]));
  for (const band of drawn) {
    const rect = all(band, "rect")[0]!;
    assert.ok(textWidth(textOf(all(band, "text")[0]!)) < numeric(rect, "width"));
  }
});

Deno.test("lineChart() tells screen readers its title and the first and last value of each line", () => {
  const svg = draw(
    chartOf([{ name: "a", points: [[10, 5.54321], [20, null], [30, 1.25]] }, { name: "b", points: [] }]),
  );
  assert.equal(svg.attributes.get("role"), "img");
  assert.equal(svg.attributes.get("aria-labelledby"), "c-title c-text");
  assert.equal(textOf(all(svg, "desc")[0]!), "d. a: 5.543 at 10 to 1.25 at 30. b: no values.");
});

Deno.test("lineChart() tells lines apart by dashes, not by colour alone", () => {
  const series = Array.from({ length: 8 }, (_, i) => ({ name: `${i}`, points: [[0, i], [1, i]] as Point[] }));
  const svg = draw(chartOf(series));
  for (let i = 0; i < 8; i++) {
    assert.equal(all(svg, "path", `line-${i}`).length, 2, "a line and its sample in the legend");
  }
});

Deno.test("lineChart() draws values that are all equal, and no values at all", () => {
  for (const points of [[[0, 3], [1, 3]], [[0, 0]], [[5, null]], []] as Point[][]) {
    draw(chartOf([{ name: "a", points }]));
  }
});

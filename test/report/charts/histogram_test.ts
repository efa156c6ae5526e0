/** Proves histograms: well formed, deterministic, columns in proportion and inside the drawing. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { histogram } from "../../../src/report/charts/histogram.ts";
import { WIDTH } from "../../../src/report/charts/svg.ts";
import { all, numeric, parse, textOf } from "../well_formed.ts";

const chartOf = (counts: readonly number[]) => ({
  id: "h",
  title: "Lengths",
  description: "d.",
  axis: "documents",
  bins: counts.map((count, i) => ({ from: 2 ** i, count })),
});

Deno.test("histogram() draws a column for each bin, in proportion, inside the drawing", () => {
  const counts = fc.array(fc.oneof(fc.nat({ max: 50 }), fc.nat({ max: 1e9 })), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(fc.property(counts, (counts) => {
    const source = histogram(chartOf(counts)).source;
    assert.equal(histogram(chartOf(counts)).source, source);
    assert.doesNotMatch(source, /NaN|Infinity|undefined/);
    const columns = all(parse(source), "rect");
    assert.equal(columns.length, counts.length);
    const heights = columns.map((column) => numeric(column, "height"));
    const tallest = Math.max(...heights);
    counts.forEach((count, i) => {
      const expected = count === 0 ? 0 : Math.max(1, count / Math.max(...counts) * tallest);
      assert.ok(Math.abs(heights[i]! - expected) < 0.2, `${heights[i]} for ${count} of ${counts}`);
      const [x, width] = [numeric(columns[i]!, "x"), numeric(columns[i]!, "width")];
      assert.ok(x >= 0 && x + width <= WIDTH + 0.2);
    });
  }));
});

Deno.test("histogram() names the bounds of its bins, as many as fit, and says all in words", () => {
  const svg = parse(histogram(chartOf([3, 0, 1200])).source);
  const labels = all(svg, "text").map(textOf);
  for (const label of ["1", "2", "4"]) assert.ok(labels.includes(label), `${labels}`);
  assert.equal(textOf(all(svg, "desc")[0]!), "d. from 1: 3, from 2: 0, from 4: 1,200.");
  const many = parse(histogram(chartOf(Array.from({ length: 30 }, () => 1))).source);
  const places = all(many, "text").filter((text) => numeric(text, "y") > 200).map((text) =>
    numeric(text, "x")
  );
  assert.ok(places.slice(1).every((x, i) => x - places[i]! > 60), `${places}`);
});

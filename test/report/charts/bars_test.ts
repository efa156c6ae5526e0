/** Proves bar charts: well formed, deterministic, in proportion, missing values said in words. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { type BarChart, barChart } from "../../../src/report/charts/bars.ts";
import { all, numeric, parse, textOf } from "../well_formed.ts";

function chartOf(groups: BarChart["groups"], reference?: number): BarChart {
  const text = { id: "b", title: "Speed", description: "d.", axis: "times", measures: ["x", "y"] };
  return reference === undefined ? { ...text, groups } : { ...text, groups, reference };
}

Deno.test("barChart() is well formed and the same twice, whatever it draws", () => {
  const bar = fc.record({
    value: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true })),
    label: fc.string(),
  });
  const groups = fc.array(
    fc.record({ name: fc.string({ unit: "binary" }), bars: fc.array(bar, { maxLength: 2 }) }),
  );
  fc.assert(fc.property(groups, (groups) => {
    const source = barChart(chartOf(groups)).source;
    assert.equal(barChart(structuredClone(chartOf(groups))).source, source);
    parse(source);
    assert.doesNotMatch(source, /NaN|Infinity|undefined/);
  }));
});

Deno.test("barChart() draws bars from 0 in proportion, inside the axis", () => {
  const bars = [{ value: 2, label: "2.00" }, { value: 1, label: "1.00×" }];
  const svg = parse(barChart(chartOf([{ name: "a", bars }], 1)).source);
  const [first, second] = all(svg, "g", "group").flatMap((g) => all(g, "rect")).map((rect) =>
    numeric(rect, "width")
  );
  assert.ok(Math.abs(first! / second! - 2) < 0.01);
  const reference = all(svg, "line", "reference")[0]!;
  assert.ok(
    Math.abs(numeric(reference, "x1") - 1 - second!) < 0.11,
    "the line at 1 touches the end of the bar of 1",
  );
});

Deno.test("barChart() says in words what was not measured", () => {
  const svg = parse(barChart(chartOf([{ name: "ntp", bars: [{ value: null, label: "no drafts" }] }])).source);
  const [group] = all(svg, "g", "group");
  assert.equal(all(group!, "rect").length, 0);
  assert.deepEqual(all(group!, "text").map(textOf), ["ntp", "no drafts"]);
  assert.match(textOf(all(svg, "desc")[0]!), /ntp: x no drafts\./);
});

Deno.test("barChart() refuses negative bars", () => {
  assert.throws(() => barChart(chartOf([{ name: "a", bars: [{ value: -1, label: "" }] }])), RangeError);
});

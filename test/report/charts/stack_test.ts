/** Proves stacked bars: well formed, deterministic, parts end to end and in proportion. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { type StackChart, stackChart } from "../../../src/report/charts/stack.ts";
import { all, numeric, parse, textOf } from "../well_formed.ts";

const chartOf = (stacks: StackChart["stacks"]): StackChart => ({
  id: "s",
  title: "Time",
  description: "d.",
  axis: "ms",
  parts: ["trunk", "heads", "rest"],
  stacks,
});

Deno.test("stackChart() is well formed and the same twice, whatever it draws", () => {
  const length = fc.double({ min: 0, max: 1e9, noNaN: true });
  const stacks = fc.array(fc.record({
    name: fc.string({ unit: "binary" }),
    lengths: fc.array(length, { maxLength: 3 }),
    label: fc.string(),
  }));
  fc.assert(fc.property(stacks, (stacks) => {
    const source = stackChart(chartOf(stacks)).source;
    assert.equal(stackChart(structuredClone(chartOf(stacks))).source, source);
    parse(source);
    assert.doesNotMatch(source, /NaN|Infinity|undefined/);
  }));
});

Deno.test("stackChart() draws parts end to end, in proportion, and none of length 0", () => {
  const stacks = [{ name: "a", lengths: [4, 2, 1], label: "7 ms" }, {
    name: "b",
    lengths: [4, 0, 1],
    label: "5 ms",
  }];
  const svg = parse(stackChart(chartOf(stacks)).source);
  const [a, b] = all(svg, "g", "group").map((g) =>
    all(g, "rect").map((rect) => [numeric(rect, "x"), numeric(rect, "width")] as const)
  );
  assert.deepEqual([a!.length, b!.length], [3, 2]);
  const unit = a![0]![1] / 4;
  for (const [i, length] of [4, 2, 1].entries()) assert.ok(Math.abs(a![i]![1] - length * unit) < 0.2);
  for (const bars of [a!, b!]) {
    assert.equal(bars[0]![0], 1, "bars begin at 0");
    bars.slice(1).forEach(([x], i) => assert.ok(Math.abs(x - bars[i]![0] - bars[i]![1]) < 0.2));
  }
  assert.match(textOf(all(svg, "desc")[0]!), /a: 7 ms \(trunk 4, heads 2, rest 1\)\. b: 5 ms/);
});

Deno.test("stackChart() refuses negative parts", () => {
  assert.throws(() => stackChart(chartOf([{ name: "a", lengths: [1, -1], label: "" }])), RangeError);
});

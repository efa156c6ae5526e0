/** Proves the rules of ticks: round, evenly spaced, inside the range, labels apart. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { enclosingTicks, linearTicks, logTicks } from "../../../src/report/charts/ticks.ts";

/** Ranges of any position and width that a chart may meet. */
const ranges = fc.tuple(
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.double({ min: 1e-6, max: 1e9, noNaN: true }),
).filter(([low, width]) => width > Math.abs(low) * 1e-8).map(([low, width]) => [low, low + width] as const);

Deno.test("linearTicks() places round, evenly spaced ticks inside the range", () => {
  fc.assert(fc.property(ranges, fc.integer({ min: 3, max: 10 }), ([low, high], wanted) => {
    const { values } = linearTicks(low, high, wanted);
    assert.ok(values.length >= Math.floor(wanted / 2) && values.length <= wanted * 2 + 1, `${values}`);
    const step = values[1]! - values[0]!;
    const slack = (high - low) * 1e-5;
    values.forEach((value, i) => {
      assert.ok(value >= low - slack && value <= high + slack);
      assert.ok(Math.abs(value - (values[0]! + i * step)) < slack);
    });
    assert.match(step.toExponential(0), /^[125]e/);
  }));
});

Deno.test("linearTicks() gives every tick a label of its own that reads as its value", () => {
  fc.assert(fc.property(ranges, ([low, high]) => {
    const { values, labels } = linearTicks(low, high, 6);
    assert.equal(new Set(labels).size, values.length);
    const units: Record<string, number> = { k: 1e3, M: 1e6, G: 1e9, T: 1e12 };
    labels.forEach((label, i) => {
      const read = Number(label.replace(/[kMGT]$/, "")) * (units[label.at(-1)!] ?? 1);
      assert.ok(Math.abs(read - values[i]!) <= Math.abs(values[i]!) * 1e-9, `${label} for ${values[i]}`);
    });
  }));
});

Deno.test("linearTicks() writes what a reader expects", () => {
  assert.deepEqual(linearTicks(0, 1, 5).labels, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
  assert.deepEqual(linearTicks(0, 400, 4).labels, ["0", "100", "200", "300", "400"]);
  assert.deepEqual(linearTicks(0, 20000, 4).labels, ["0", "5k", "10k", "15k", "20k"]);
  assert.deepEqual(linearTicks(0, 4e-5, 4).labels, ["0", "1e-5", "2e-5", "3e-5", "4e-5"]);
});

Deno.test("linearTicks() refuses ranges that are empty, not finite or too narrow", () => {
  for (const [low, high] of [[1, 1], [2, 1], [NaN, 1], [0, Infinity], [1, 1 + 1e-12]] as const) {
    assert.throws(() => linearTicks(low, high, 5), RangeError);
  }
});

Deno.test("enclosingTicks() covers the range with less than a step at each end", () => {
  fc.assert(fc.property(ranges, ([low, high]) => {
    const { values } = enclosingTicks(low, high, 5);
    const [from, to] = [values[0]!, values.at(-1)!];
    const [slack, step] = [(high - low) * 1e-5, values[1]! - from];
    assert.ok(from <= low + slack && to >= high - slack);
    assert.ok(low - from < step + slack && to - high < step + slack);
  }));
});

Deno.test("logTicks() places increasing ticks with distinct labels inside the range", () => {
  const positive = fc.tuple(
    fc.double({ min: -8, max: 8, noNaN: true }),
    fc.double({ min: 0.01, max: 12, noNaN: true }),
  );
  fc.assert(fc.property(positive, ([exponent, decades]) => {
    const [low, high] = [10 ** exponent, 10 ** (exponent + decades)];
    const { values, labels } = logTicks(low, high);
    assert.ok(values.length >= 2 && values.length <= 12, `${values}`);
    assert.equal(new Set(labels).size, values.length);
    values.forEach((value, i) => {
      assert.ok(value >= low * 0.99 && value <= high * 1.01 && (i === 0 || value > values[i - 1]!));
    });
  }));
});

Deno.test("logTicks() refuses a range that reaches 0", () => {
  assert.throws(() => logTicks(0, 1), RangeError);
  assert.throws(() => logTicks(-1, 1), RangeError);
});

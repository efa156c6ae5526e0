/** Proves how numbers are printed. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { count, decimal, duration, percent, plural, size } from "../../src/report/numbers.ts";

const spaced = (text: string): string => text.replaceAll("\u00a0", " ");

Deno.test("count() and decimal() put commas between thousands and nowhere else", () => {
  assert.equal(count(999), "999");
  assert.equal(count(1_048_576), "1,048,576");
  assert.equal(decimal(-12345.6789, 3), "-12,345.679");
  fc.assert(fc.property(fc.maxSafeInteger(), (n) => assert.equal(Number(count(n).replaceAll(",", "")), n)));
});

Deno.test("duration() does not part numbers from their units", () => {
  assert.equal(duration(59.6), "1\u00a0min\u00a000\u00a0s");
});

Deno.test("size(), percent() and plural() say their units", () => {
  assert.equal(spaced(size(999)), "999 bytes");
  assert.equal(spaced(size(4_000_000)), "4.00 MB");
  assert.equal(spaced(percent(0.7128)), "71.3 %");
  assert.equal(plural(1, "prompt"), "1 prompt");
  assert.equal(plural(1600, "prompt"), "1,600 prompts");
});

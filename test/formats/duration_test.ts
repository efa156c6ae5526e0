/** Lengths of time, from parts of a second to days. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { duration } from "../../src/formats/duration.ts";

Deno.test("duration() changes its unit with the length and never says 60 seconds or minutes", () => {
  assert.equal(duration(0.844), "0.84 s");
  assert.equal(duration(59.4), "59 s");
  assert.equal(duration(59.6), "1 min 00 s");
  assert.equal(duration(3599.6), "1 h 00 min");
  assert.equal(duration(7650), "2 h 08 min");
  fc.assert(fc.property(fc.double({ min: 0, max: 1e7, noNaN: true }), (seconds) => {
    assert.doesNotMatch(duration(seconds), /\b60 (s|min)/);
  }));
});

/** Proves that two configurations are compared path by path. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { differences } from "../../src/formats/differences.ts";

Deno.test("differences() names every path at which two configurations differ, and nothing else", () => {
  const earlier = { a: 1, b: { c: [1, 2], d: "x" }, gone: 0 };
  const now = { a: 1, b: { c: [1, 3], d: "x" }, added: null };
  assert.deepEqual(differences(earlier, now, "in the checkpoint"), [
    "b.c: [1,2] in the checkpoint, [1,3] now",
    "gone: 0 in the checkpoint, absent now",
    "added: absent in the checkpoint, null now",
  ]);
  assert.deepEqual(differences({ a: { b: 1 } }, { a: 2 }), ['a: {"b":1} before, 2 now']);
});

Deno.test("differences() of equal values is none", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const copy = () => JSON.parse(JSON.stringify(value));
    assert.deepEqual(differences(copy(), copy()), []);
  }));
});

/** The hint after a mistyped word. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { didYouMean, nearest } from "../../src/config/nearest.ts";

Deno.test("nearest() finds a word with a letter swapped, missing, added or wrong", () => {
  const known = ["width", "layers", "context"];
  for (const word of ["wdith", "widt", "widthh", "wirth", "WIDTH"]) {
    assert.equal(nearest(word, known), "width");
  }
});

Deno.test("nearest() finds nothing when no word is near", () => {
  assert.equal(nearest("heads", ["width", "context"]), undefined);
  assert.equal(nearest("xx", ["id"]), undefined);
  assert.equal(didYouMean("heads", []), "");
});

Deno.test("nearest() finds the word itself", () => {
  fc.assert(fc.property(fc.string({ minLength: 1 }), (word) => {
    assert.equal(nearest(word, ["something else", word]), word);
  }));
});

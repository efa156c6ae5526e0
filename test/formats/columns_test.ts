/** Proves that text stays within its columns on a terminal, whatever its script. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { aligned, fitted, pieces, widthOf } from "../../src/formats/columns.ts";

const text = fc.string({ unit: fc.constantFrom("a", " ", "é", "語", "🦊", "e\u0301", "·") });

Deno.test("widthOf() gives wide characters two columns and combining marks none", () => {
  assert.deepEqual(["abc", "語", "🦊!", "e\u0301", "한글", ""].map(widthOf), [3, 2, 3, 1, 4, 0]);
});

Deno.test("fitted() leaves what fits and cuts what does not", () => {
  assert.equal(fitted("abc", 3), "abc");
  assert.equal(fitted("abcd", 3), "ab…");
  assert.equal(fitted("語語", 3), "語…");
  fc.assert(fc.property(text, fc.integer({ min: 3, max: 12 }), (text, width) => {
    const cut = fitted(text, width);
    assert.ok(widthOf(cut) <= width);
    assert.ok(
      cut === text || (cut.endsWith("…") && text.startsWith(cut.slice(0, -1)) && widthOf(cut) >= width - 1),
    );
  }));
});

Deno.test("pieces() are the whole text, each as full as it can be", () => {
  fc.assert(fc.property(text, fc.integer({ min: 2, max: 12 }), (text, width) => {
    const lines = [...pieces(text, width)];
    assert.equal(lines.join(""), text);
    assert.ok(lines.every((line) => widthOf(line) <= width));
    assert.ok(lines.slice(0, -1).every((line) => widthOf(line) >= width - 1));
  }));
});

Deno.test("aligned() puts the first column to the left and the others to the right", () => {
  assert.deepEqual(aligned([["name", "n"], ["語", "1,000"], ["x", ""]]), ["name      n", "語    1,000", "x"]);
});

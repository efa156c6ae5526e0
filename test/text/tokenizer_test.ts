/** Proves the byte tokenizer, and labels. Needs no native code. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { byteTokenizer, printable } from "../../src/text/tokenizer.ts";

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

Deno.test("byteTokenizer() gives byte + 64, and any bytes back", () => {
  using tokenizer = byteTokenizer();
  assert.deepEqual(Array.from(tokenizer.encode(utf8("aé"))), [161, 259, 233]);
  fc.assert(fc.property(fc.uint8Array(), (bytes) => {
    assert.deepEqual(tokenizer.decode(tokenizer.encode(bytes)), Uint8Array.from(bytes));
  }));
  assert.deepEqual([tokenizer.kind, tokenizer.vocab, tokenizer.end], ["bytes", 320, 0]);
});

Deno.test("byteTokenizer() decodes special ids to nothing and refuses ids that are none", () => {
  using tokenizer = byteTokenizer();
  assert.deepEqual(tokenizer.decode([0, 161, 63, 0]), utf8("a"));
  assert.deepEqual(Array.from(tokenizer.byteLengths.subarray(62, 66)), [0, 0, 1, 1]);
  for (const id of [-1, 320, 1.5, NaN]) {
    assert.throws(() => tokenizer.decode([161, id]), {
      name: "RangeError",
      message: `There is no token ${id}: ids go from 0 to 319`,
    });
  }
});

Deno.test("byteTokenizer() labels", () => {
  using tokenizer = byteTokenizer();
  assert.deepEqual([0, 5, 97 + 64, 10 + 64, 0xe9 + 64].map(tokenizer.label), [
    "<end>",
    "<special 5>",
    "a",
    "\\n",
    "\\xe9",
  ]);
});

Deno.test("printable() escapes what a terminal would not show as itself", () => {
  assert.equal(printable(utf8(" the")), "·the");
  assert.equal(printable(utf8("\t\r\n\\\x1b[0m")), "\\t\\r\\n\\\\\\x1b[0m");
  assert.equal(printable(utf8("e\u0301\u200d\u00a0\ufeff")), "e\\u{301}\\u{200d}\\u{a0}\\u{feff}");
  assert.equal(printable(Uint8Array.of(0x20, 0xf0, 0x9f)), "·\\xf0\\x9f");
  assert.equal(printable(utf8("語👍")), "語👍");
});

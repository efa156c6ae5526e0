/** Proves the way back from tokens to text, and which stretches of it the marked tokens cover. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { markedText as markedBy, textOf as textBy } from "../../src/decode/text.ts";
import { byteTokenizer, type Tokenizer } from "../../src/text/tokenizer.ts";

const bytes = byteTokenizer();
const textOf = (ids: readonly number[]) => textBy(ids, bytes);
const markedText = (ids: readonly number[], marked: readonly boolean[]) => markedBy(ids, marked, bytes);

const idsOf = (bytes: Iterable<number>): number[] => Array.from(bytes, (byte) => byte + 64);
const utf8 = (text: string): number[] => idsOf(new TextEncoder().encode(text));

Deno.test("textOf() gives text back, and drops special tokens", () => {
  assert.equal(textOf(utf8("a naïve café, 🦊")), "a naïve café, 🦊");
  assert.equal(textOf([0, ...utf8("ab"), 0, 5, ...utf8("c"), 63]), "abc");
  assert.equal(textOf([]), "");
});

Deno.test("textOf() of any bytes is what a decoder makes of them at once", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      assert.equal(textOf(idsOf(bytes)), new TextDecoder().decode(bytes));
    }),
  );
});

Deno.test("markedText() marks the characters whose last byte is marked, and joins neighbours", () => {
  const marked = (text: string, marks: string) =>
    markedText(utf8(text), Array.from(marks, (mark) => mark === "x"));
  assert.deepEqual(marked("hello", ".xx.x"), { text: "hello", ranges: [[1, 3], [4, 5]] });
  assert.deepEqual(marked("é!", "x.."), { text: "é!", ranges: [] }); // two bytes, of which the first is marked
  assert.deepEqual(marked("é!", ".x."), { text: "é!", ranges: [[0, 1]] });
  assert.deepEqual(marked("a🦊b", ".....x"), { text: "a🦊b", ranges: [[3, 4]] }); // a fox is two UTF-16 units
  assert.deepEqual(marked("a🦊b", "....x."), { text: "a🦊b", ranges: [[1, 3]] });
});

Deno.test("markedText() leaves special tokens out, whether marked or not", () => {
  assert.deepEqual(markedText([...utf8("ab"), 0], [false, true, true]), { text: "ab", ranges: [[1, 2]] });
  assert.deepEqual(markedText([0], [true]), { text: "", ranges: [] });
});

Deno.test("markedText() does not mark what is left of a character that was cut off", () => {
  assert.deepEqual(markedText(idsOf([0x61, 0xc3]), [true, true]), { text: "a\ufffd", ranges: [[0, 1]] });
});

Deno.test("markedText() marks, for any text and marks, exactly the units that end with a marked byte", () => {
  const character = fc.constantFrom("a", " ", "é", "語", "🦊");
  const texts = fc.array(fc.tuple(character, fc.boolean(), fc.boolean()), { maxLength: 12 });
  fc.assert(
    fc.property(texts, (characters) => {
      const text = characters.map(([c]) => c).join("");
      // Each character's last byte has its own mark, the bytes before it another.
      const marks = characters.flatMap(([c, last, before]) => [...utf8(c).slice(1).map(() => before), last]);
      const { text: found, ranges } = markedText(utf8(text), marks);
      assert.equal(found, text);
      const expected = characters.flatMap(([c, last]) => Array.from({ length: c.length }, () => last));
      const covered = Array.from(
        text.split(""),
        (_, at) => ranges.some(([from, to]) => from <= at && at < to),
      );
      assert.deepEqual(covered, expected);
      ranges.forEach(([from, to], i) => assert.ok(from < to && (i === 0 || ranges[i - 1]![1] < from)));
    }),
  );
});

Deno.test("markedText() marks what a token of several bytes completes, a character begun before it included", () => {
  const fox = new TextEncoder().encode("🦊");
  const pieces = [[], [...new TextEncoder().encode("the ")], [...fox.slice(0, 3)], [fox[3]!, 0x73]]; // 0x73: s
  const decode = (ids: ArrayLike<number>) => Uint8Array.from(Array.from(ids).flatMap((id) => pieces[id]!));
  const subwords = { ...bytes, kind: "bpe", decode } as Tokenizer;
  assert.deepEqual(markedBy([0, 1, 2, 3, 1], [true, false, true, false, true], subwords), {
    text: "the 🦊sthe ",
    ranges: [[7, 11]],
  });
  assert.deepEqual(markedBy([1, 2, 3], [false, false, true], subwords).ranges, [[4, 7]]);
});

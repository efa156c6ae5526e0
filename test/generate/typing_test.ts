/** Proves that text comes as soon as it is certain, whole characters only, and ends before a stop string. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { markedText } from "../../src/decode/text.ts";
import { Typing } from "../../src/generate/typing.ts";
import { byteTokenizer, type Tokenizer } from "../../src/text/tokenizer.ts";

const bytes = byteTokenizer();
const idsOf = (text: string): number[] => [...bytes.encode(new TextEncoder().encode(text))];
const characters = fc.array(fc.constantFrom("a", "b", "\n", "é", "語", "🦊"), { maxLength: 12 });

/** A tokenizer with these tokens. */
const subwords = (...tokens: string[]): Tokenizer => ({
  ...bytes,
  kind: "bpe",
  vocab: tokens.length,
  decode: (ids) => new TextEncoder().encode(Array.from(ids, (id) => tokens[id]!).join("")),
});

/** Types all tokens; what came out after each, and at the end. */
function typed(typing: Typing, ids: readonly number[], marks: readonly boolean[] = []): string[] {
  const text = (pieces: readonly { text: string }[]) => pieces.map(({ text }) => text).join("");
  return [...ids.map((id, i) => text(typing.take(id, marks[i] ?? false))), text(typing.end())];
}

Deno.test("a character comes out with its last byte, and never as a replacement before", () => {
  assert.deepEqual(typed(new Typing(bytes, []), idsOf("é🦊!")), ["", "é", "", "", "", "🦊", "!", ""]);
});

Deno.test("what is left of a character at the end is one replacement character", () => {
  assert.deepEqual(typed(new Typing(bytes, []), idsOf("a🦊").slice(0, 3)), ["a", "", "", "\ufffd"]);
});

Deno.test("text and drafted stretches are those that the tokens have when they are decoded at once", () => {
  fc.assert(
    fc.property(characters, fc.infiniteStream(fc.boolean()), (text, marked) => {
      const ids = idsOf(text.join(""));
      const marks = ids.map(() => marked.next().value);
      const typing = new Typing(bytes, []);
      typed(typing, ids, marks);
      assert.deepEqual({ text: typing.text, ranges: typing.ranges }, markedText(ids, marks, bytes));
    }),
  );
});

Deno.test("special tokens, and ids that an imported model has beyond its tokenizer's, give no text", () => {
  assert.deepEqual(typed(new Typing(bytes, ["x"]), [0, ...idsOf("a"), 5, 320, 400]), [
    "",
    "a",
    "",
    "",
    "",
    "",
  ]);
});

Deno.test("a stop string ends the text before it, also where it spans tokens or ends within one", () => {
  const text = (stop: string, ...tokens: string[]) => {
    const typing = new Typing(subwords(...tokens), [stop]);
    typed(typing, tokens.map((_, id) => id));
    return [typing.text, typing.isStopped];
  };
  assert.deepEqual(text("\n\n", "a", "b\n", "c", "\n", "\nd", "e"), ["ab\nc", true]);
  assert.deepEqual(text("END", "x E", "N", "D!"), ["x ", true]);
  assert.deepEqual(text("END", "x E", "N", "E", "ND"), ["x EN", true]);
  assert.deepEqual(text("END", "x E", "N"), ["x EN", false]); // held back, and out at the end
  assert.deepEqual(text("🦊", "a", "🦉", "🦊"), ["a🦉", true]);
  assert.deepEqual(text("abc", "abcabc"), ["", true]);
});

Deno.test("any text with any stop strings ends where the first of them is complete, and holds back no more", () => {
  const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "\n"), minLength: 1, maxLength: 4 }));
  fc.assert(
    fc.property(characters, stops, (characters, stops) => {
      const text = characters.join("");
      const typing = new Typing(bytes, stops);
      let shown = "";
      let before = "";
      for (const character of characters) {
        for (const id of idsOf(character)) shown += typing.take(id, false).map(({ text }) => text).join("");
        before += character;
        if (typing.isStopped) break;
        const held = before.slice(shown.length);
        assert.ok(held === "" || stops.some((stop) => stop.startsWith(held) && stop !== held), held);
      }
      shown += typing.end().map(({ text }) => text).join("");
      const ends = Array.from({ length: text.length + 1 }, (_, end) => text.slice(0, end));
      const complete = ends.find((start) => stops.some((stop) => start.includes(stop)));
      const places = stops.map((stop) => complete?.indexOf(stop) ?? -1).filter((place) => place !== -1);
      assert.equal(shown, complete === undefined ? text : text.slice(0, Math.min(...places)));
      assert.equal(typing.text, shown);
      assert.equal(typing.isStopped, complete !== undefined);
    }),
  );
});

Deno.test("nothing comes behind a stop string", () => {
  const typing = new Typing(bytes, ["b"]);
  assert.deepEqual(typed(typing, idsOf("abab")), ["a", "", "", "", ""]);
});

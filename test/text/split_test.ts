/** Proves that text is cut as by JavaScript's own regular expressions, for random patterns of the known form. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { openTokenizerText } from "../../src/text/bpe.ts";
import { BYTE_CHARACTERS } from "../../src/text/byte_level.ts";
import { tokenizerJson } from "./small_tokenizer.ts";
import { withText } from "./text_library.ts";

const LETTERS = ["a", "b", "é"];
const MAX_LENGTH = 6;

/** Every string of up to `length` letters. */
function strings(length: number): string[] {
  if (length === 0) return [""];
  const shorter = strings(length - 1);
  return [...new Set([...shorter, ...shorter.flatMap((text) => LETTERS.map((letter) => text + letter))])];
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A vocabulary in which, with ignore_merges, every piece is one token: its tokens are the pieces. */
const vocab = Object.fromEntries([
  ...new Set([
    ...BYTE_CHARACTERS,
    ...strings(MAX_LENGTH).filter((text) => text !== "")
      .map((text) => Array.from(utf8(text), (byte) => BYTE_CHARACTERS[byte]!).join("")),
  ]),
].map((spelling, id) => [spelling, id]));

function pieces(
  pattern: string,
  texts: readonly string[],
  how: { behavior: string; invert: boolean },
): string[][] {
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, use_regex: false };
  const split = { type: "Split", pattern: { Regex: pattern }, ...how };
  using tokenizer = openTokenizerText(
    tokenizerJson({
      vocab,
      merges: [],
      model: { ignore_merges: true },
      added: [{ id: 100_000, content: "</s>", special: true }],
      pre_tokenizer: { type: "Sequence", pretokenizers: [split, byteLevel] },
    }),
    "pieces",
  );
  const decode = (id: number) => new TextDecoder().decode(tokenizer.decode([id]));
  return texts.map((text) => Array.from(tokenizer.encode(utf8(text)), decode));
}

/** Matches of a pattern and what lies between them. */
function piecesByEngine(pattern: string, text: string, keepGaps: boolean): string[] {
  const found: string[] = [];
  let start = 0;
  for (const { 0: match, index } of text.matchAll(new RegExp(pattern, "gu"))) {
    if (keepGaps && index > start) found.push(text.slice(start, index));
    found.push(match);
    start = index + match.length;
  }
  if (keepGaps && start < text.length) found.push(text.slice(start));
  return found;
}

const set = fc.constantFrom("a", "b", "é", "[ab]", "[^a]", "[bé]", "\\p{L}", "[a-bé]");
const quantifier = fc.constantFrom("", "", "?", "*", "+", "{1,2}", "{2}", "{2,}", "{0,2}");
const { branches } = fc.letrec<{ branches: string; branch: string; part: string }>((tie) => ({
  branches: fc.array(tie("branch"), { minLength: 1, maxLength: 3 }).map((parts) => parts.join("|")),
  branch: fc.array(tie("part"), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("")),
  part: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.tuple(set, quantifier).map((parts) => parts.join("")),
    set.map((set) => `(?!${set})`),
    fc.tuple(tie("branches"), fc.constantFrom("", "?")).map(([inside, optional]) =>
      `(?:${inside})${optional}`
    ),
  ),
}));

withText("text is cut as by JavaScript's regular expressions", () => {
  const text = fc.array(fc.constantFrom(...LETTERS), { maxLength: MAX_LENGTH }).map((letters) =>
    letters.join("")
  );
  const texts = fc.array(text, { minLength: 20, maxLength: 20 });
  fc.assert(
    fc.property(branches, texts, fc.boolean(), (pattern, texts, keepGaps) => {
      fc.pre(
        texts.every((text) =>
          !Array.from(text.matchAll(new RegExp(pattern, "gu"))).some(([found]) => found === "")
        ),
      );
      let cut: string[][];
      try {
        cut = pieces(
          pattern,
          texts,
          keepGaps ? { behavior: "Isolated", invert: false } : { behavior: "Removed", invert: true },
        );
      } catch (error) {
        // What can match nothing is refused, though it does not do so in these texts.
        assert.match(String(error), /a match of no characters/);
        return;
      }
      assert.deepEqual(cut, texts.map((text) => piecesByEngine(pattern, text, keepGaps)));
    }),
    { numRuns: 100 },
  );
});

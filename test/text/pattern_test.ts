/** Proves what patterns are refused, and that the instructions made of known ones are sound. Needs no native code. */
import assert from "node:assert/strict";
import { CharSet, CODE_POINTS, WHITE_SPACE } from "../../src/text/char_set.ts";
import { parsePattern } from "../../src/text/pattern.ts";
import { GPT2_PATTERN, GPT4_PATTERN } from "../../src/text/pre_tokenizer.ts";
import { compile } from "../../src/text/program.ts";

const program = (source: string) =>
  compile([{ kind: "pattern", branches: parsePattern(source), keepGaps: true }]);

Deno.test("parsePattern() refuses what it does not know, by name", () => {
  const refused: Record<string, string> = {
    "a(?=b)": `a look around at "(?=b)"`,
    "(?<!a)b": `a look around at "(?<!a)b"`,
    "(a)b": `a plain group at "(a)b"`,
    "(?:ab)+": `a repeated group at "+"`,
    "a+?": `a quantifier after a quantifier at "?"`,
    "a{2}+": `a quantifier after a quantifier at "+"`,
    "a{3,1}": "the quantifier {3,1}",
    "^a": `^ at "^a"`,
    "a.": `. at "."`,
    "a$": `$ at "$"`,
    "\\w+": "\\w",
    "\\bx": "\\b",
    "\\p{Han}": "\\p{Han}",
    "[[:alpha:]]": `a class in a class at "[:alpha:]]"`,
    "[a&&b]": `a class in a class at "&&b]"`,
    "[z-a]": "the range z-a",
    "[a": "a [ without a ]",
    "(?:a": "a ( without a )",
    "a)": "a ) without a (",
    "(?i:é)": `"é" in (?i:`,
    "(?!ab)": `(?! before more than one character at "b)"`,
    "\\": "an end in the middle",
  };
  for (const [source, message] of Object.entries(refused)) {
    assert.throws(() => parsePattern(source), { name: "PatternError", message }, source);
  }
});

Deno.test("parsePattern() refuses a pattern that can match nothing, in whole or in a group", () => {
  for (const source of ["a*", "a|b?", "(?:a|b*)c", "(?!a)", ""]) {
    assert.throws(
      () => program(source),
      { name: "PatternError", message: "a match of no characters" },
      source,
    );
  }
});

Deno.test("compile() tells apart just the characters that the pattern tells apart", () => {
  const classOf = (source: string) => {
    const { classes } = program(source);
    return (character: string): number => classes[character.codePointAt(0)!]!;
  };
  const gpt2 = classOf(GPT2_PATTERN);
  assert.equal(gpt2("b"), gpt2("語"));
  assert.equal(gpt2("1"), gpt2("Ⅷ"));
  assert.equal(gpt2("!"), gpt2("\u0301"));
  assert.equal(new Set(Array.from("bstrvmld 1!'\n", gpt2)).size, 13);
  const gpt4 = classOf(GPT4_PATTERN);
  assert.notEqual(gpt4("\n"), gpt4("\t"));
  assert.equal(gpt4("s"), gpt4("ſ"));
  assert.equal(gpt4("s"), gpt4("S"));
});

Deno.test("compile() refuses what the instructions have no room for, saying what it is", () => {
  const letters = (count: number) =>
    Array.from({ length: count }, (_, i) => String.fromCodePoint(0x4e00 + 2 * i));
  const refuses = (source: string, what: string) =>
    assert.throws(() => program(source), {
      name: "UserError",
      message: `Cannot use the tokenizer: its pre-tokenizer's patterns have more ${what} than any known ones`,
    });
  // A class for each letter and one for all others; 62 and 63 are taken.
  assert.equal(new Set(program(letters(61).join("|")).classes).size, 62);
  refuses(letters(62).join("|"), "kinds of characters");
  refuses("ab".repeat(130), "parts");
});

Deno.test("\\s is White_Space as the JavaScript engine has it", () => {
  const found = Array.from({ length: CODE_POINTS }, (_, code) => code)
    .filter((code) => WHITE_SPACE.meets(CharSet.range(code, code)));
  const expected = Array.from({ length: CODE_POINTS }, (_, code) => code)
    .filter((code) => /\p{White_Space}/u.test(String.fromCodePoint(code)));
  assert.deepEqual(found, expected);
});

Deno.test("CharSet has the set operations", () => {
  const range = (first: number, last: number) => CharSet.range(first, last);
  assert.deepEqual(CharSet.union([range(5, 9), range(1, 2), range(3, 4), range(7, 12)]).ranges, [1, 13]);
  assert.deepEqual(range(1, 2).complement().ranges, [0, 1, 3, CODE_POINTS]);
  assert.deepEqual(range(0, 2).complement().complement().ranges, [0, 3]);
  assert.deepEqual(CharSet.ALL.complement().ranges, []);
  assert.ok(range(1, 5).meets(range(5, 6)));
  assert.ok(!range(1, 5).meets(CharSet.union([range(0, 0), range(6, 9)])));
  assert.ok(!WHITE_SPACE.meets(CharSet.of("\u200b\ufeff")));
});

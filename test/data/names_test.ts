/** Proves that the names are two random tokens which the story alone tells, and that the rest is the story. */

import assert from "node:assert/strict";
import { isHeldOut } from "../../src/data/held_out.ts";
import { CAPITALS, DIGITS, namedStory } from "../../src/data/names.ts";
import { NAME, story } from "../../src/data/stories.ts";
import { openTokenizerText } from "../../src/text/bpe.ts";
import { byteTokenizer, type Tokenizer } from "../../src/text/tokenizer.ts";
import { trainBpe } from "../../src/text/train.ts";
import { withText } from "../text/text_library.ts";

const SAMPLE = Array.from({ length: 400 }, (_, index) => namedStory(1337, index));
const namesIn = (text: string) => text.match(/[A-Z]\d/g) ?? [];

Deno.test("namedStory() is the story but for the names, the same person's always alike", () => {
  for (const [index, text] of SAMPLE.entries()) {
    const original = story(1337, index);
    assert.equal(text.replaceAll(/\b[A-Z]\d\b/g, "?"), original.replaceAll(NAME, "?"));
    const renamed = new Map<string, string>();
    const people = [...original.matchAll(NAME)].map(([, person]) => person!);
    for (const [i, name] of namesIn(text).entries()) {
      assert.equal(renamed.get(people[i]!) ?? name, name);
      renamed.set(people[i]!, name);
    }
    assert.equal(new Set(renamed.values()).size, renamed.size);
  }
});

Deno.test("namedStory() gives nobody in a story the capital of another", () => {
  for (const text of SAMPLE) {
    const names = [...new Set(namesIn(text))];
    assert.ok(names.length >= 2 && names.length <= CAPITALS.length);
    assert.equal(new Set(names.map((name) => name[0])).size, names.length, text);
  }
});

Deno.test("namedStory() has its capitals and digits in names only, but for capitals in titles", () => {
  for (const text of SAMPLE) {
    const rest = text.slice(text.indexOf("\n")).replaceAll(/\b[A-Z]\d\b/g, "");
    assert.doesNotMatch(rest, new RegExp(`[${CAPITALS.join("")}${DIGITS.join("")}]`));
  }
});

Deno.test("namedStory() has each name about as often as another", () => {
  const counts = new Map<string, number>();
  for (let index = 0; index < 7000; index++) {
    const [hero] = namesIn(namedStory(3, index).slice(0, 2));
    counts.set(hero!, (counts.get(hero!) ?? 0) + 1);
  }
  assert.equal(counts.size, CAPITALS.length * DIGITS.length);
  for (const [name, count] of counts) assert.ok(Math.abs(count - 100) < 50, `${name}: ${count}`);
});

Deno.test("namedStory() gives a test a title that no training text of any seed has", () => {
  const titleOf = (text: string) => text.split("\n")[0]!;
  for (const [index, text] of SAMPLE.entries()) {
    assert.ok(!isHeldOut(titleOf(text)));
    assert.ok(isHeldOut(titleOf(namedStory(1337, index, true))));
  }
});

/** Asserts of every name that a token ends between its capital and its digit, and one behind the digit. */
function assertTwoTokens(tokenizer: Tokenizer, text: string): void {
  const ends = new Set<number>();
  let at = 0;
  for (const id of tokenizer.encode(new TextEncoder().encode(text))) {
    ends.add(at += tokenizer.byteLengths[id]!);
  }
  for (const { index, 0: name } of text.matchAll(/[A-Z]\d/g)) {
    assert.ok(ends.has(index + 1) && ends.has(index + 2), name);
    assert.ok(ends.has(index) || ends.has(index - 1) || index === 0, name); // with the space or quotation mark before it
  }
}

Deno.test("a name is two tokens of bytes", () => {
  assertTwoTokens(byteTokenizer(), SAMPLE[0]!);
});

withText("a name is two tokens of subwords, however many there are", () => {
  const documents = SAMPLE.map((text) => new TextEncoder().encode(text));
  for (const pattern of ["gpt4", "gpt2"] as const) {
    using tokenizer = openTokenizerText(trainBpe(documents, { vocab: 4096, pattern }), "t.json");
    for (const text of SAMPLE.slice(0, 20)) assertTwoTokens(tokenizer, text);
  }
});

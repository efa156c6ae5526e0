/** Proves where prompts are cut: from the openings of documents, or from beginnings of words where documents are few. */
import assert from "node:assert/strict";
import { cutPrompts } from "../../src/decode/prompts.ts";
import { openShardSet } from "../../src/data/shards.ts";
import { textOf as textBy } from "../../src/decode/text.ts";
import { byteTokenizer } from "../../src/text/tokenizer.ts";
import { tokenizerOf } from "../../src/data/tokenizer_of.ts";
import { writeByteSet } from "../data/byte_set.ts";
import { tinyTokenizer, writeSubwordSet } from "../data/subword_set.ts";
import { inFolder, withFfi, withFiles } from "../support.ts";

const END = 0;

/** Makes a shard set whose held-out part are these documents. */
const makeSet = (folder: string, val: readonly (string | Uint8Array)[]) =>
  writeByteSet(folder, { val }, { shardBytes: 100 });

const cut = (folder: string, count: number, bytes: number) =>
  cutPrompts(openShardSet(folder), "val", byteTokenizer(), count, bytes);
const textOf = (ids: readonly number[]) => textBy(ids, byteTokenizer());

withFiles("prompts are the openings of documents, evenly chosen, after the end token", (folder) => {
  makeSet(folder, Array.from({ length: 12 }, (_, i) => `document ${String.fromCharCode(97 + i)} goes on`));
  const prompts = cut(folder, 4, 12);
  assert.deepEqual(prompts.map(textOf), ["document a g", "document d g", "document g g", "document j g"]);
  for (const prompt of prompts) {
    assert.equal(prompt[0], END);
    assert.equal(prompt.length, 13);
  }
  assert.equal(new Set(cut(folder, 12, 12).map(textOf)).size, 12);
});

withFiles("documents that are too short give no prompts", (folder) => {
  makeSet(folder, ["short", "long enough", "tiny", "as long too"]);
  assert.deepEqual(cut(folder, 2, 11).map(textOf), ["long enough", "as long too"]);
  assert.throws(() => cut(folder, 2, 12), {
    name: "UserError",
    message: "No document of the val split has 12 bytes: lower prompt_bytes",
  });
});

withFiles(
  "few documents give prompts spread over their text, each from the beginning of a word",
  (folder) => {
    const words = Array.from({ length: 80 }, (_, i) => `w${i}`);
    makeSet(folder, [words.join(" "), words.join("\n").toUpperCase()]);
    const prompts = cut(folder, 10, 20);
    const texts = prompts.map(textOf);
    assert.equal(new Set(texts).size, 10);
    for (const [i, text] of texts.entries()) {
      assert.match(text, /^w\d+\s/i);
      assert.equal(new TextEncoder().encode(text).length, 20);
      const isOpening = /^w0\s/i.test(text);
      assert.equal(prompts[i]!.length, isOpening ? 21 : 20);
      assert.equal(prompts[i]![0] === END, isOpening);
    }
    const firstWords = texts.map((text) => Number(/\d+/.exec(text)![0]));
    for (const half of [firstWords.slice(0, 5), firstWords.slice(5)]) {
      assert.equal(half[0], 0);
      half.slice(1).forEach((word, i) => assert.ok(Math.abs(word - half[i]! - 15) <= 2, `words ${half}`)); // a fifth of 75
    }
  },
);

withFiles("text without white space, or exactly as long as the prompt, still gives all prompts", (folder) => {
  makeSet(folder, ["x".repeat(50)]);
  const prompts = cut(folder, 3, 30);
  assert.deepEqual(prompts.map(textOf), Array.from({ length: 3 }, () => "x".repeat(30)));
  assert.deepEqual(cut(folder, 3, 50).map((prompt) => prompt.length), [51, 51, 51]);
});

withFiles("the same set gives the same prompts", (folder) => {
  makeSet(folder, ["one two three four five six", "seven eight nine ten eleven"]);
  assert.deepEqual(cut(folder, 7, 9), cut(folder, 7, 9));
});

withFiles("a prompt ends with a whole character, and begins with one", (folder) => {
  makeSet(folder, ["ab語cd", "語".repeat(20)]);
  assert.deepEqual(cut(folder, 2, 4).map(textOf), ["ab", "語"]);
  for (const prompt of cut(folder, 9, 7)) assert.match(textOf(prompt), /^ab語cd$|^ab語$|^語語$/);
});

withFiles("text that is not UTF-8 is cut where it is", (folder) => {
  makeSet(folder, [new Uint8Array(12).fill(0x80)]);
  assert.deepEqual(cut(folder, 2, 5).map((prompt) => prompt.length), [6, 5]);
});

withFfi("a prompt of subwords ends with a whole word, where it has several", () =>
  inFolder((folder) => {
    const texts = { train: [["the cat"]], val: [["the cat sat", "a caterpillar", "caterpillars"]] };
    writeSubwordSet(folder, texts, tinyTokenizer("the cat sat on the mat. ".repeat(9)));
    const set = openShardSet(folder);
    using tokenizer = tokenizerOf(set);
    const prompts = (count: number, bytes: number) =>
      cutPrompts(set, "val", tokenizer, count, bytes).map((ids) => textBy(ids, tokenizer));
    assert.deepEqual(prompts(3, 9), ["the cat", "a", "caterpill"]);
    assert.deepEqual(prompts(3, 11), ["the cat sat", "a", "caterpillar"]);
    assert.deepEqual(prompts(2, 12), ["a", "caterpillars"]); // "the cat sat" has 11 bytes
  }));

withFiles("a split without text is refused", (folder) => {
  makeSet(folder, ["some text"]);
  assert.throws(() => cutPrompts(openShardSet(folder), "test", byteTokenizer(), 1, 4), {
    name: "UserError",
    message: "The text has no test part: name another split, or hold some out in the prepare stage",
  });
});

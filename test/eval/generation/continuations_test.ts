/** Proves where prompts end and references begin, and that both end with whole characters. */
import assert from "node:assert/strict";
import { openShardSet } from "../../../src/data/shards.ts";
import { tokenizerOf } from "../../../src/data/tokenizer_of.ts";
import { textOf } from "../../../src/decode/text.ts";
import { cutExcerpts, textWithin, tokensFor } from "../../../src/eval/generation/continuations.ts";
import { byteTokenizer } from "../../../src/text/tokenizer.ts";
import { writeByteSet } from "../../data/byte_set.ts";
import { tinyTokenizer, writeSubwordSet } from "../../data/subword_set.ts";
import { inFolder, withFfi, withFiles } from "../../support.ts";

const END = 0;

withFiles("a prompt opens a document, and its reference goes on where the prompt ends", (folder) => {
  const texts = Array.from({ length: 5 }, (_, i) => `story ${i} of a cat that sat on a mat`);
  writeByteSet(folder, { val: texts }, { shardBytes: 100 });
  const set = openShardSet(folder);
  const excerpts = cutExcerpts(set, "val", byteTokenizer(), { prompts: 5, prompt_bytes: 14, new_bytes: 10 });
  excerpts.forEach(({ prompt, promptText, reference }, i) => {
    assert.equal(promptText, `story ${i} of a`); // 14 bytes end after a space: the word ends before it
    assert.equal(reference, " cat that ");
    assert.equal(prompt[0], END);
    assert.equal(textOf(prompt, byteTokenizer()), promptText);
    assert.ok(texts[i]!.startsWith(promptText + reference));
  });
  assert.equal(tokensFor(10, set, "val", byteTokenizer()), 10);
});

withFiles("prompt and reference end with whole characters", (folder) => {
  writeByteSet(folder, { val: ["語".repeat(20), "a 語語語 語語語 語語"] }, { shardBytes: 100 });
  const excerpts = cutExcerpts(openShardSet(folder), "val", byteTokenizer(), {
    prompts: 2,
    prompt_bytes: 10,
    new_bytes: 7,
  });
  assert.deepEqual(excerpts.map(({ promptText, reference }) => [promptText, reference]), [
    ["語語語", "語語"],
    ["a", " 語語"],
  ]);
});

withFiles("documents without so much text give no excerpts, and none at all is refused", (folder) => {
  writeByteSet(folder, { val: ["too short", "just as long as it need be", "xxxxxxxxxxxxxxxxxxxxxxxxxxxx"] });
  const cut = (prompts: number, bytes: number) =>
    cutExcerpts(openShardSet(folder), "val", byteTokenizer(), {
      prompts,
      prompt_bytes: bytes,
      new_bytes: bytes,
    });
  assert.deepEqual(cut(2, 13).map(({ promptText }) => promptText), ["just as long", "xxxxxxxxxxxxx"]);
  assert.throws(() => cut(1, 20), {
    name: "UserError",
    message: /^No document of the val split has 40 bytes: /,
  });
});

Deno.test("textWithin() takes at most so many bytes and no part of a character", () => {
  const bytes = new TextEncoder().encode("aé🦊b");
  assert.deepEqual([0, 1, 2, 3, 4, 6, 7, 8, 9].map((most) => textWithin(bytes, most)), [
    "",
    "a",
    "a",
    "aé",
    "aé",
    "aé",
    "aé🦊",
    "aé🦊b",
    "aé🦊b",
  ]);
  assert.equal(textWithin(new Uint8Array([0x61, 0x80, 0xff]), 9), "a\ufffd\ufffd");
});

withFfi("excerpts of subwords are cut in bytes, and get tokens enough for them", () =>
  inFolder((folder) => {
    const story = "the cat sat on the mat. ";
    writeSubwordSet(
      folder,
      { train: [[story]], val: [[story.repeat(5)]] },
      tinyTokenizer(story.repeat(9), 300),
    );
    const set = openShardSet(folder);
    using tokenizer = tokenizerOf(set);
    const [excerpt] = cutExcerpts(set, "val", tokenizer, { prompts: 1, prompt_bytes: 12, new_bytes: 20 });
    assert.equal(excerpt!.promptText, "the cat sat");
    assert.equal(excerpt!.reference, " on the mat. the cat");
    assert.equal(textOf(excerpt!.prompt, tokenizer), "the cat sat");
    const { bytes, tokens } = set.meta.splits.val;
    assert.equal(tokensFor(20, set, "val", tokenizer), Math.min(20, Math.ceil(1.25 * 20 * tokens / bytes)));
    assert.equal(tokensFor(1, set, "val", tokenizer), 1);
  }));

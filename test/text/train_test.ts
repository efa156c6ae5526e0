/** Proves training against the rule written out, its independence of order and threads, and what it refuses. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { openTokenizerText } from "../../src/text/bpe.ts";
import { BYTE_CHARACTERS, spell } from "../../src/text/byte_level.ts";
import { BpeTrainer, trainBpe } from "../../src/text/train.ts";
import { anyText, HARD_DOCUMENTS } from "./samples.ts";
import { withText } from "./text_library.ts";

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const mergesOf = (json: string): string[] => JSON.parse(json).model.merges;

/** Ids of bytes without special tokens: the order of their characters. */
const ALPHABET = [...BYTE_CHARACTERS].sort();

/** Merges of words by the rule: count all pairs anew, take the most frequent, of equals the one of smaller ids. */
function trainByDefinition(words: readonly string[], count: number): string[] {
  const names = [...ALPHABET];
  let texts = words.map((word) => Array.from(spell(utf8(word)), (character) => names.indexOf(character)));
  const merges: string[] = [];
  while (merges.length < count) {
    const counts = new Map<string, { pair: [number, number]; count: number }>();
    for (const text of texts) {
      for (let i = 0; i + 1 < text.length; i++) {
        const key = `${text[i]} ${text[i + 1]}`;
        const entry = counts.get(key) ?? { pair: [text[i]!, text[i + 1]!], count: 0 };
        counts.set(key, { ...entry, count: entry.count + 1 });
      }
    }
    const [best] = [...counts.values()].sort((a, b) =>
      b.count - a.count || a.pair[0] - b.pair[0] || a.pair[1] - b.pair[1]
    );
    if (!best) break;
    const [left, right] = best.pair;
    merges.push(`${names[left]} ${names[right]}`);
    const id = names.push(names[left]! + names[right]!) - 1;
    texts = texts.map((text) => {
      const merged: number[] = [];
      for (let i = 0; i < text.length; i++) {
        const here = text[i] === left && text[i + 1] === right;
        merged.push(here ? id : text[i]!);
        if (here) i++;
      }
      return merged;
    });
  }
  return merges;
}

withText("trainBpe() makes the merges of the rule", () => {
  const word = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 12 });
  const words = fc.array(word.map((letters) => ` ${letters.join("")}`), { maxLength: 30 });
  fc.assert(
    fc.property(words, (words) => {
      const expected = trainByDefinition(words, 40);
      const json = trainBpe([utf8(words.join(""))], { vocab: 257 + 40, threads: 1 });
      assert.deepEqual(mergesOf(json), expected);
    }),
    { numRuns: 50 },
  );
});

withText("trainBpe() depends neither on the order of documents nor on threads", () => {
  const documents = [...HARD_DOCUMENTS, ...fc.sample(anyText, { numRuns: 300, seed: 5 })].map(utf8);
  const one = trainBpe(documents, { vocab: 900, threads: 1 });
  assert.equal(trainBpe(documents.toReversed(), { vocab: 900, threads: 3 }), one);
  assert.equal(Object.keys(JSON.parse(one).model.vocab).length, 900);
});

withText("BpeTrainer counts what is added bit by bit, and replaces malformed UTF-8", () => {
  using trainer = new BpeTrainer({ vocab: 259, special: ["<end>", "<pad>"], pattern: "gpt2" });
  for (const part of ["ab ab", " ab", "\xff"]) trainer.add(Uint8Array.from(part, (c) => c.charCodeAt(0)));
  assert.equal(trainer.bytes, 9);
  const json = trainer.train();
  assert.deepEqual(mergesOf(json), ["a b"]);
  using tokenizer = openTokenizerText(json, "trained", { end: "<end>" });
  assert.deepEqual([tokenizer.end, tokenizer.vocab], [0, 259]);
  assert.deepEqual(tokenizer.decode(tokenizer.encode(utf8("ab\n語 <end>"))), utf8("ab\n語 <end>"));
});

withText("BpeTrainer counts each document once, however much there is", () => {
  using trainer = new BpeTrainer({ vocab: 258, threads: 1 });
  for (const [word, times] of [["ab ", 1.5e6], ["cd ", 2e6]] as const) trainer.add(utf8(word.repeat(times)));
  assert.deepEqual(mergesOf(trainer.train()), ["c d"]);
});

withText("trainBpe() of too little text makes fewer tokens", () => {
  assert.equal(mergesOf(trainBpe([], { vocab: 5000 })).length, 0);
  assert.deepEqual(mergesOf(trainBpe([utf8("aaaa")], { vocab: 5000 })), ["a a", "aa aa"]);
});

withText("trainBpe() refuses what cannot be", () => {
  const refuses = (options: Parameters<typeof trainBpe>[1], message: RegExp, text = "") =>
    assert.throws(() => trainBpe([utf8(text)], options), { name: "UserError", message });
  refuses({ vocab: 256 }, /A vocabulary of 256 cannot be: it is at least 257 \(1 special and 256 bytes\)/);
  refuses({ vocab: 1e12 }, /at most 16777216/);
  refuses({ vocab: 300.5 }, /A vocabulary of 300.5 cannot be/);
  refuses({ vocab: 300, special: [] }, /needs special tokens/);
  refuses({ vocab: 300, special: ["<a>", "<a>"] }, /special tokens that differ/);
  refuses(
    { vocab: 300, special: ["end"] },
    /The special token "end" is also a word of the text/,
    "end end end",
  );
});

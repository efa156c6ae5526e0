/** Proves encoding and decoding without the public library: golden ids, written-out merging, bad UTF-8, threads. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { openTokenizerFile, openTokenizerText } from "../../src/text/bpe.ts";
import { BYTE_CHARACTERS } from "../../src/text/byte_level.ts";
import golden from "../golden/bpe.json" with { type: "json" };
import { withFiles } from "../support.ts";
import { anyText, HARD_DOCUMENTS } from "./samples.ts";
import { type Parts, tokenizerJson } from "./small_tokenizer.ts";
import { withText } from "./text_library.ts";

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
const open = (parts: Parts = {}) => openTokenizerText(tokenizerJson(parts), "t.json");

for (const { name, tokenizer: json, ids } of golden.cases) {
  withText(`encode() gives the golden ids of the kind ${name}`, () => {
    using tokenizer = openTokenizerText(JSON.stringify(json), name);
    golden.documents.forEach((document, i) => {
      assert.deepEqual(Array.from(tokenizer.encode(utf8(document))), ids[i]);
    });
  });
}

/** Merges a piece as BPE is defined: the pair of lowest rank, the leftmost of equals, until there is none. */
function mergeByDefinition(piece: readonly number[], merges: readonly [number, number][]): number[] {
  const ids = [...piece];
  while (true) {
    const ranks = ids.slice(1).map((right, i) => merges.findIndex(([a, b]) => a === ids[i] && b === right));
    const least = Math.min(...ranks.filter((rank) => rank >= 0));
    if (least === Infinity) return ids;
    ids.splice(ranks.indexOf(least), 2, 256 + least);
  }
}

withText("encode() merges short and long pieces as BPE is defined", () => {
  // Token 256 + i is made by merge i, of any two tokens before it: many ways lead to overlapping merges.
  const merges = fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 12 });
  const letter = fc.constantFrom(0x61, 0x62, 0x63);
  const letters = fc.oneof(
    fc.array(letter, { minLength: 1, maxLength: 48 }),
    fc.array(letter, { minLength: 49, maxLength: 120 }), // these with a queue
  );
  fc.assert(
    fc.property(merges, letters, (drawn, piece) => {
      const spellings = [...BYTE_CHARACTERS];
      const pairs: [number, number][] = [];
      for (const [a, b] of drawn) {
        const choices = [0x61, 0x62, 0x63, ...pairs.map((_, i) => 256 + i)];
        const [left, right] = [choices[a % choices.length]!, choices[b % choices.length]!];
        const spelling = spellings[left]! + spellings[right]!;
        if (spellings.includes(spelling)) continue;
        spellings.push(spelling);
        pairs.push([left, right]);
      }
      using tokenizer = open({
        vocab: Object.fromEntries(spellings.map((spelling, id) => [spelling, id])),
        merges: pairs.map(([left, right]) => [spellings[left]!, spellings[right]!]),
        added: [{ id: spellings.length, content: "<|endoftext|>" }],
      });
      assert.deepEqual(Array.from(tokenizer.encode(Uint8Array.from(piece))), mergeByDefinition(piece, pairs));
    }),
    { numRuns: 60 },
  );
});

withText("of a merge that is there twice the later one counts", () => {
  // By ranks 1 and 2 the text is a, bc; by rank 0 of the first it would be ab, c.
  const vocab = Object.fromEntries([...BYTE_CHARACTERS, "ab", "bc"].map((spelling, id) => [spelling, id]));
  const added = [{ id: 258, content: "<|endoftext|>" }];
  using tokenizer = open({ vocab, merges: [["a", "b"], ["b", "c"], ["a", "b"]], added });
  assert.deepEqual(Array.from(tokenizer.encode(utf8("abc"))), [0x61, 257]);
});

withText("with ignore_merges a token that is not spelled in the byte alphabet is no piece", () => {
  const vocab = Object.fromEntries([...BYTE_CHARACTERS, "語"].map((spelling, id) => [spelling, id]));
  const added = [{ id: 257, content: "<|endoftext|>" }];
  using tokenizer = open({ vocab, merges: [], model: { ignore_merges: true }, added });
  assert.deepEqual(tokenizer.encode(utf8("語")), Uint32Array.from(utf8("語")));
});

withText("pieces that share their first bytes, or a place in the cache, keep their own ids", () => {
  const [two, four, eight] = ["aa", "aaaa", "aaaaaaaa"];
  const vocab = Object.fromEntries(
    [...BYTE_CHARACTERS, two, four, eight].map((spelling, id) => [spelling, id]),
  );
  const merges = [["a", "a"], [two!, two!], [four!, four!]];
  using tokenizer = open({ vocab, merges, added: [{ id: 259, content: "<|endoftext|>" }] });
  // More pieces than the cache has places: " aaaaaaaa" and four letters of the other 25.
  const letter = (n: number) => 0x62 + n % 25;
  const words = Array.from(
    { length: 1e5 },
    (_, n) => [n, n / 25, n / 625, n / 15625].map(Math.floor).map(letter),
  );
  const text = words.map((word) => ` ${eight}${String.fromCharCode(...word)}`).join("");
  const once = words.flatMap((word) => [0x20, 258, ...word]);
  const found = tokenizer.encode(utf8(text + text));
  assert.equal(found.length, 2 * once.length);
  assert.equal(found.findIndex((id, i) => id !== once[i % once.length]), -1);
});

withText("pieces of every length up to a few words of the machine keep their bytes", () => {
  using tokenizer = open({ merges: [] });
  const text = utf8(Array.from({ length: 80 }, (_, n) => ` ${"q".repeat(n)}z`).join(""));
  assert.deepEqual(tokenizer.encode(text), Uint32Array.from(text));
});

withText("decode() gives the text back, and nothing for special tokens", () => {
  using tokenizer = open();
  fc.assert(fc.property(anyText, (text) => {
    const ids = tokenizer.encode(utf8(text));
    assert.equal(textOf(tokenizer.decode(ids)), text.toWellFormed());
    assert.equal(ids.reduce((sum, id) => sum + tokenizer.byteLengths[id]!, 0), utf8(text).length);
  }));
  assert.deepEqual(tokenizer.decode([tokenizer.end, 0x61, tokenizer.end]), utf8("a"));
  assert.throws(() => tokenizer.decode([tokenizer.vocab]), /There is no token 258: ids go from 0 to 257/);
});

withText("encode() replaces malformed UTF-8 as decoders do, and counts the documents", () => {
  using tokenizer = open();
  const malformed = [
    [0xff],
    [0xc3],
    [0xe2, 0x82],
    [0xf0, 0x9f, 0x92, 0x61],
    [0xed, 0xa0, 0x80],
    [0xc0, 0xaf],
    [0x80, 0x80],
  ]
    .map((bytes) => Uint8Array.from(bytes));
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...malformed), fc.uint8Array({ maxLength: 30 })), (bytes) => {
      assert.deepEqual(tokenizer.encode(bytes), tokenizer.encode(utf8(textOf(bytes))));
    }),
  );
  const { bytes, repaired } = tokenizer.encodeBatch([utf8("é"), ...malformed, utf8("")]);
  assert.equal(repaired, malformed.length);
  assert.deepEqual(Array.from(bytes), [2, 3, 3, 3, 4, 9, 6, 6, 0]);
});

withText("encodeBatch() gives what encode() gives, with any number of threads", () => {
  using tokenizer = open({
    normalizer: { type: "NFC" },
    added: [{ id: 257, content: "<|endoftext|>", special: true }],
  });
  using plain = open();
  const documents = [...HARD_DOCUMENTS, ...fc.sample(anyText, { numRuns: 200, seed: 1 })].map(utf8);
  for (const each of [plain, tokenizer]) {
    const one = documents.map((document) => Array.from(each.encode(document)));
    for (const threads of [1, 2, 5]) {
      const { ids, ends, bytes, repaired } = each.encodeBatch(documents, threads);
      const found = documents.map((_, i) => Array.from(ids.subarray(ends[i - 1] ?? 0, ends[i])));
      assert.deepEqual(found, one);
      assert.deepEqual(Array.from(bytes), documents.map(({ length }) => length));
      assert.equal(repaired, 0);
    }
  }
  assert.deepEqual(plain.encodeBatch([]).ids, new Uint32Array());
  assert.deepEqual(plain.encodeBatch([utf8(""), utf8("")]).ends, new Float64Array(2));
});

withText("a tokenizer that was disposed of says so", () => {
  const tokenizer = open();
  tokenizer.encode(utf8("a"));
  tokenizer[Symbol.dispose]();
  tokenizer[Symbol.dispose]();
  assert.throws(() => tokenizer.encode(utf8("a")), /after it was disposed of/);
});

Deno.test("label() shows what a reader can see, without the library", () => {
  using tokenizer = open();
  assert.equal(tokenizer.label(256), "·t");
  assert.equal(tokenizer.label(0x0a), "\\n");
  assert.equal(tokenizer.label(0xe2), "\\xe2");
  assert.equal(tokenizer.label(tokenizer.end), "<|endoftext|>");
});

withFiles("openTokenizerFile() says which file it cannot read", (folder) => {
  assert.throws(() => openTokenizerFile(`${folder}/none.json`), { name: "UserError", message: /none\.json/ });
});

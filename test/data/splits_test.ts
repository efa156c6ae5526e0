/** Proves which documents are held out: equal ones together, the share or number that was asked for, no split empty. */

import assert from "node:assert/strict";
import fc from "fast-check";
import type { Split } from "../../src/data/shards.ts";
import { Dealer, keyOf } from "../../src/data/splits.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** The split of each document, by its text; the same text in two splits fails. */
function deal(
  texts: readonly string[],
  amounts: { val?: number; test?: number },
  seed = 1,
  stopAt = -1,
): Map<string, Split> {
  const splits = new Map<string, Split>();
  let count = 0;
  const make = () =>
    new Dealer(amounts, seed, ({ text }, split) => {
      const name = new TextDecoder().decode(text);
      assert.ok((splits.get(name) ?? split) === split, `"${name}" is in ${splits.get(name)} and in ${split}`);
      splits.set(name, split);
      count++;
    });
  let dealer = make();
  for (const [i, text] of texts.entries()) {
    if (i === stopAt) {
      const { state } = dealer;
      dealer = make();
      dealer.resume(structuredClone(state));
    }
    dealer.add({ text: encode(text), file: 0 });
  }
  dealer.finish();
  assert.equal(count, texts.length);
  return splits;
}

const numbered = (n: number) => Array.from({ length: n }, (_, i) => `document ${i}`);
const count = (splits: Map<string, Split>, split: Split) =>
  [...splits.values()].filter((one) => one === split).length;

const texts = fc.array(fc.nat({ max: 30 }).map((n) => `document ${n}`), { minLength: 1, maxLength: 60 });
const amounts = fc.record({
  val: fc.oneof(fc.double({ min: 0.01, max: 0.99, noNaN: true }), fc.integer({ min: 1, max: 8 })),
  test: fc.option(
    fc.oneof(fc.double({ min: 0.01, max: 0.99, noNaN: true }), fc.integer({ min: 1, max: 8 })),
    { nil: undefined },
  ),
}).map(({ val, test }) => test === undefined ? { val } : { val, test });

Deno.test("equal documents go to the same split, wherever they stand", () => {
  fc.assert(fc.property(texts, amounts, fc.nat(), (texts, amounts, seed) => void deal(texts, amounts, seed)));
});

Deno.test("a dealer that goes on from a state deals as the one that was there before", () => {
  fc.assert(
    fc.property(texts, amounts, fc.nat(), fc.nat({ max: 60 }), (texts, amounts, seed, at) => {
      assert.deepEqual(deal(texts, amounts, seed, at % texts.length), deal(texts, amounts, seed));
    }),
  );
});

Deno.test("a share is met within the chance of a draw, by val and test independently", () => {
  const n = 20_000;
  const near = (found: number, expected: number) =>
    assert.ok(Math.abs(found - expected) < 5 * Math.sqrt(expected), `${found}, expected about ${expected}`);
  const splits = deal(numbered(n), { val: 0.1, test: 0.2 });
  near(count(splits, "test"), 0.2 * n);
  near(count(splits, "val"), 0.1 * 0.8 * n);
  const other = deal(numbered(n), { val: 0.1, test: 0.2 }, 2);
  near(
    [...splits].filter(([text, split]) => split === "test" && other.get(text) === "test").length,
    0.04 * n,
  );
});

Deno.test("a number is met exactly, of different documents from all over", () => {
  const twice = numbered(5000).flatMap((text) => [text, text]);
  const splits = deal(twice, { val: 300, test: 200 });
  assert.deepEqual([count(splits, "val"), count(splits, "test"), count(splits, "train")], [300, 200, 4500]);
  const half = [...splits].slice(0); // in the order in which they were written: by number
  const late = half.filter(([text, split]) => split === "val" && Number(text.slice(9)) >= 2500).length;
  assert.ok(Math.abs(late - 150) < 45, `${late} of 300 from the second half`);
});

Deno.test("two different documents are enough for two splits, three for three", () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    for (const val of [0.001, 0.5, 0.999, 1]) {
      assert.equal(count(deal(["a", "b"], { val }, seed), "val"), 1);
      assert.equal(count(deal(["a", "b", "b", "a"], { val }, seed), "train"), 1);
    }
    const three = deal(["a", "b", "c"], { val: 0.01, test: 0.01 }, seed);
    assert.deepEqual([...three.values()].sort(), ["test", "train", "val"]);
  }
});

Deno.test("a document stays where it is when the corpus grows", () => {
  const small = deal(numbered(1000), { val: 0.1 });
  const large = deal(numbered(3000), { val: 0.1 });
  for (const [text, split] of small) assert.equal(large.get(text), split);
});

Deno.test("keyOf() follows from the text and the seed, and spreads evenly", () => {
  const keys = numbered(4000).map((text) => keyOf(encode(text), 7));
  assert.equal(new Set(keys).size, keys.length);
  for (let tenth = 0; tenth < 10; tenth++) {
    const n = keys.filter((key) => Math.floor(key * 10) === tenth).length;
    assert.ok(Math.abs(n - 400) < 100, `${n} keys in tenth ${tenth}`);
  }
  assert.equal(keyOf(encode("a"), 7), keyOf(encode("a"), 7));
  assert.notEqual(keyOf(encode("a"), 7), keyOf(encode("a"), 8));
  assert.notEqual(keyOf(encode("a"), 7), keyOf(encode("aa"), 7));
});

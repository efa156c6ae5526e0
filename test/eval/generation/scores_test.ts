/** Proves that BLEU and ROUGE-L are those of the public packages: by values that these gave, and by asking them. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { bleu, BLEU_SIGNATURE, bleuCounts, tokenize13a } from "../../../src/eval/generation/bleu.ts";
import { rougeL } from "../../../src/eval/generation/rouge.ts";
import golden from "../../golden/generation.json" with { type: "json" };
import { withPeers } from "../../peers.ts";

type Pair = readonly [text: string, reference: string];
const PAIRS = golden.pairs as unknown as Pair[];

/** Sums of logarithms in another order. */
const near = (own: number, theirs: number, what: unknown, tolerance = 1e-10) =>
  assert.ok(
    Math.abs(own - theirs) <= tolerance * Math.max(1, theirs),
    `${own}, expected ${theirs}: ${JSON.stringify(what)}`,
  );

const corpusOf = (pairs: readonly Pair[]) =>
  bleu(pairs.map(([text, reference]) => bleuCounts(text, reference)));
const sentenceOf = ([text, reference]: Pair) => bleu([bleuCounts(text, reference)], { effectiveOrder: true });

Deno.test("tokens are those of sacrebleu's 13a", () => {
  PAIRS.forEach(([text], i) => assert.deepEqual(tokenize13a(text), golden.tokens[i]));
});

Deno.test("BLEU of a corpus and of sentences is what sacrebleu gave", () => {
  near(corpusOf(PAIRS), golden.corpus_bleu, "corpus");
  PAIRS.forEach((pair, i) => near(sentenceOf(pair), golden.sentence_bleu[i]!, pair));
});

Deno.test("ROUGE-L is what rouge-score's code gave", () => {
  PAIRS.forEach(([text, reference], i) => near(rougeL(text, reference), golden.rouge_l[i]!, text));
});

Deno.test("a text against itself has 100 and 1, one that shares nothing with its reference 0", () => {
  const text = "the cat sat on the mat";
  near(corpusOf([[text, text]]), 100, text);
  assert.equal(rougeL(text, text), 1);
  assert.equal(corpusOf([[text, "dogs run far"]]), 0);
  assert.equal(rougeL(text, "dogs run far"), 0);
  assert.equal(corpusOf([]), 0);
});

Deno.test("a corpus without 4-grams has no BLEU but by its effective order", () => {
  assert.equal(corpusOf([["a b c", "a b c"]]), 0);
  near(sentenceOf(["a b c", "a b c"]), 100, "a b c");
});

interface Answer {
  readonly corpus_bleu: number;
  readonly signature: string;
  readonly sentence_bleu: number[];
  readonly tokens: string[][];
  /** Null where rouge-score is not installed. */
  readonly rouge_l: number[] | null;
}

/** Text that is alike in parts, with much punctuation, digits and other scripts. */
const words = fc.array(
  fc.oneof(
    fc.constantFrom(
      "the",
      "cat",
      "The",
      "1,000.5",
      "10-12",
      "-",
      ".",
      ",",
      "e.g.",
      "“",
      "é",
      "語",
      "🦊",
      "&amp;",
    ),
    fc.string({ unit: "grapheme-ascii", maxLength: 4 }),
    fc.string({ unit: "grapheme", maxLength: 3 }),
  ),
  { maxLength: 24 },
).map((list) => list.join(" "));

withPeers("BLEU and ROUGE-L are those of the public packages on random and real text", async (python) => {
  const random = fc.sample(fc.tuple(words, words), { numRuns: 300, seed: 7 });
  const lines = Deno.readTextFileSync("README.md").split("\n").filter((line) => line !== "");
  const real = lines.slice(1).map((line, i): Pair => [line, lines[i]!]);
  const pairs = [...PAIRS, ...random, ...real];
  const answer: Answer = JSON.parse(
    await python(["test/eval/generation/peer_scores.py"], JSON.stringify(pairs)),
  );
  assert.ok(answer.signature.startsWith(`${BLEU_SIGNATURE}|version:`), answer.signature);
  near(corpusOf(pairs), answer.corpus_bleu, "corpus");
  pairs.forEach((pair, i) => {
    const [text, reference] = pair;
    assert.deepEqual(tokenize13a(text), answer.tokens[i], JSON.stringify(text));
    near(sentenceOf(pair), answer.sentence_bleu[i]!, pair);
    if (answer.rouge_l) near(rougeL(text, reference), answer.rouge_l[i]!, pair);
  });
});

/** Proves the measures of repetition by examples that can be counted by hand. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { distinct, repeated, repetition } from "../../src/decode/repetition.ts";

Deno.test("repetition() counts the 4-grams that occurred before and the bigrams that are unique", () => {
  // 4-grams: abcd bcda cdab dabc abcd; bigrams: ab bc cd da ab bc cd
  assert.deepEqual(repetition(["a b c d a b c d"]), { rep_4: 1 - 4 / 5, distinct_2: 4 / 7 });
  assert.deepEqual(repetition(["one two three four five"]), { rep_4: 0, distinct_2: 1 });
  assert.deepEqual(repetition(["no no no no no no no"]), { rep_4: 1 - 1 / 4, distinct_2: 1 / 6 });
});

Deno.test("repetition() counts within each text: texts that are alike do not repeat themselves", () => {
  const text = "the cat sat on the mat";
  assert.deepEqual(repetition([text, text]), repetition([text]));
  // bigrams: 2 of 2 unique, and 1 of 3
  assert.equal(repetition(["a b c", "x x x x"]).distinct_2, 3 / 5);
});

Deno.test("repetition() takes any white space between words, and words with their punctuation", () => {
  assert.deepEqual(repetition(["  a\tb\n\nc  d a b c d "]), repetition(["a b c d a b c d"]));
  assert.equal(repetition(["a. a a. a"]).distinct_2, 2 / 3);
});

Deno.test("repetition() of texts without n-grams is none at all", () => {
  for (const texts of [[""], ["word"], ["", " \n"]]) {
    assert.deepEqual(repetition(texts), { rep_4: 0, distinct_2: 1 });
  }
});

Deno.test("repetition() stays between 0 and 1", () => {
  const texts = fc.array(fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 20 }), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(texts, (lists) => {
      const { rep_4, distinct_2 } = repetition(lists.map((words) => words.join(" ")));
      assert.ok(rep_4 >= 0 && rep_4 < 1);
      assert.ok(distinct_2 > 0 && distinct_2 <= 1);
    }),
  );
});

Deno.test("repeated() is the share of n-grams that occurred before in their text, for any n", () => {
  // 1-grams: a b a b a (2 of 5 unique); 2-grams: ab ba ab ba (2 of 4); 3-grams: aba bab aba (2 of 3)
  assert.equal(repeated(["a b a b a"], 1), 1 - 2 / 5);
  assert.equal(repeated(["a b a b a"], 2), 1 - 2 / 4);
  assert.equal(repeated(["a b a b a"], 3), 1 - 2 / 3);
  assert.equal(repeated(["a b a b a", "a b c d"], 3), 1 - 4 / 5);
  assert.equal(repeated(["a b"], 3), null);
});

Deno.test("distinct() counts n-grams over all texts, and divides by the words", () => {
  const texts = ["a b c", "a b d", "a b"];
  assert.equal(distinct(texts, 1), 4 / 8); // a b c d
  assert.equal(distinct(texts, 2), 3 / 8); // ab bc bd
  assert.equal(distinct(texts, 3), 2 / 8); // abc abd
  assert.equal(distinct([" ", ""], 1), null);
});

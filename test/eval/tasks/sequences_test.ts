/** Proves which tokens count: the start token first, a target never cut, spaces on the side of the target. */
import assert from "node:assert/strict";
import type { Item } from "../../../src/eval/tasks/items.ts";
import { alternativesOf } from "../../../src/eval/tasks/sequences.ts";
import { byteTokenizer } from "../../../src/text/tokenizer.ts";

const decoder = new TextDecoder();
/** What each sequence reads as (`^` is the start token), with a bar before what counts. */
function shown(item: Item, context = 100): string[][] {
  const tokenizer = byteTokenizer();
  return alternativesOf(item, tokenizer, context).map(({ sequences }) =>
    sequences.map(({ ids, scored }) => {
      const text = (from: number, to: number) =>
        [...ids.slice(from, to)].map((id) =>
          id === tokenizer.end ? "^" : decoder.decode(tokenizer.decode([id]))
        ).join("");
      return `${text(0, ids.length - scored)}|${text(ids.length - scored, ids.length)}`;
    })
  );
}

Deno.test("a whole sentence counts, behind the start token", () => {
  assert.deepEqual(shown({ form: "pair", good: "A cat.", bad: "A cats." }), [["^|A cat."], ["^|A cats."]]);
});

Deno.test("of a cloze the target counts, and white space between the two is the target's", () => {
  assert.deepEqual(shown({ form: "cloze", context: "A big", target: " cat" }), [["^A big| cat"]]);
  assert.deepEqual(shown({ form: "cloze", context: "A big ", target: "cat" }), [["^A big| cat"]]);
});

Deno.test("each choice counts behind the question, or one ending behind each beginning", () => {
  assert.deepEqual(
    shown({ form: "choice", context: "Q:", choices: [" yes", " no"], answer: 0 }),
    [["^Q:| yes"], ["^Q:| no"]],
  );
  assert.deepEqual(
    shown({ form: "choice", context: "", contexts: ["A", "B"], choices: [" end"], answer: 0 }),
    [["^A| end"], ["^B| end"]],
  );
});

Deno.test("what counts of a choice in bytes is without the space before it", () => {
  const item = { form: "choice", context: "Q:", choices: [" \u00e9a", " b"], answer: 0 } as const;
  assert.deepEqual(alternativesOf(item, byteTokenizer(), 100).map(({ bytes }) => bytes), [3, 1]);
});

Deno.test("what is too long for the context loses its beginning, and this is known", () => {
  const item = { form: "cloze", context: "abcdefgh", target: "ij" } as const;
  assert.deepEqual(shown(item, 10), [["^abcdefgh|ij"]]);
  assert.deepEqual(shown(item, 9), [["abcdefgh|ij"]]);
  assert.deepEqual(shown(item, 4), [["fgh|ij"]]);
  const cut = (context: number) => alternativesOf(item, byteTokenizer(), context)[0]!.isCut;
  assert.deepEqual([10, 9, 4].map(cut), [false, true, true]);
});

Deno.test("a target that does not fit is scored in windows, each token of it once", () => {
  const [windows] = shown({ form: "pair", good: "abcdefghij", bad: "x" }, 4);
  assert.deepEqual(windows, ["^|abcd", "bcd|ef", "def|gh", "fgh|ij"]);
  const [half] = shown({ form: "cloze", context: "abcd", target: "efghij" }, 4);
  assert.deepEqual(half!.map((window) => window.split("|")[1]).join(""), "efghij");
});

/** Proves what is measured on judged items: which counts as right, what a tie is, and the figures of likelihoods. */
import assert from "node:assert/strict";
import type { Choice, Cloze, Pair } from "../../../src/eval/tasks/items.ts";
import { type Judged, measure, overall } from "../../../src/eval/tasks/measures.ts";

const pair: Pair = { form: "pair", good: "a", bad: "b" };
const cloze: Cloze = { form: "cloze", context: "a", target: " b" };
const choice: Choice = { form: "choice", context: "a", choices: [" b", " c", " d"], answer: 1 };
const judged = (nats: number, bytes = 1, isGreedy = false): Judged => ({ nats, bytes, isGreedy });

Deno.test("a pair is right where the good text has fewer nats; a tie prefers neither", () => {
  const of = (good: number, bad: number) =>
    measure(["accuracy"], [pair], [[judged(good), judged(bad)]]).accuracy!.value;
  assert.deepEqual([of(1, 2), of(2, 1), of(1, 1)], [1, 0, 0]);
  const all = [[1, 2], [2, 1], [1, 1], [3, 4]].map(([good, bad]) => [judged(good!), judged(bad!)]);
  assert.equal(measure(["accuracy"], [pair, pair, pair, pair], all).accuracy!.value, 0.5);
});

Deno.test("a choice is right where the answer alone has the fewest nats; norm: the fewest a byte", () => {
  const of = (...alternatives: Judged[]) => {
    const { accuracy, accuracy_norm } = measure(["accuracy", "accuracy_norm"], [choice], [alternatives]);
    return [accuracy!.value, accuracy_norm!.value];
  };
  assert.deepEqual(of(judged(3), judged(2), judged(4)), [1, 1]);
  assert.deepEqual(of(judged(2), judged(3), judged(4)), [0, 0]);
  assert.deepEqual(of(judged(3), judged(2), judged(2)), [0, 0], "a tie with the answer");
  assert.deepEqual(of(judged(4), judged(2), judged(4)), [1, 1], "a tie of others");
  assert.deepEqual(of(judged(3, 1), judged(4, 4), judged(5, 1)), [0, 1], "a long answer");
  assert.deepEqual(of(judged(3, 6), judged(2, 2), judged(5, 1)), [1, 0], "a long wrong choice");
});

Deno.test("a cloze is right where the target is what the model would write, however unlikely", () => {
  const found = measure(["accuracy"], [cloze, cloze], [[judged(9, 1, true)], [judged(0.1)]]);
  assert.equal(found.accuracy!.value, 0.5);
});

Deno.test("perplexity is e to the mean nats of a target, bits per byte all bits over all bytes", () => {
  const { perplexity, bits_per_byte } = measure(
    ["perplexity", "bits_per_byte"],
    [cloze, cloze],
    [[judged(Math.log(2), 1)], [judged(Math.log(32), 5)]],
  );
  assert.ok(Math.abs(perplexity!.value - 8) < 1e-12, `${perplexity!.value}`);
  assert.ok(Math.abs(bits_per_byte!.value - 1) < 1e-12, `${bits_per_byte!.value}`);
});

Deno.test("overall() counts each group the same", () => {
  const group = (value: number) => ({ accuracy: { value, standard_error: 0.3 } });
  assert.equal(overall(["accuracy"], [group(0.25), group(0.75)]).accuracy!.value, 0.5);
});

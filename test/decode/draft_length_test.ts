/** Proves the choice of how many heads draft: the number with the most tokens a millisecond, found and followed. */
import assert from "node:assert/strict";
import { DraftLength } from "../../src/decode/draft_length.ts";
import { Random } from "../../src/data/random.ts";
import type { Sequence } from "../../src/decode/sequence.ts";

/** Runs steps in which each draft is right with `acceptance` and a step of n rows takes `cost(n)`; how often each number was chosen. */
function run(
  length: DraftLength,
  acceptance: number,
  cost: (rows: number) => number,
  steps: number,
): number[] {
  const random = new Random(1);
  const chosen = [0, 0, 0, 0, 0];
  let heads = 1;
  for (let step = 0; step < steps; step++) {
    let accepted = 0;
    while (accepted < heads - 1 && random.chance(acceptance)) accepted++;
    const sequence = { lastDraft: { proposed: heads - 1, accepted } } as Sequence;
    length.observe(heads, heads, cost(heads), [sequence]);
    heads = length.next();
    chosen[heads]!++;
  }
  return chosen;
}

const most = (counts: readonly number[]) => counts.indexOf(Math.max(...counts));

Deno.test("rows that cost nothing are all used, rows that cost too much are not", () => {
  assert.equal(most(run(new DraftLength(4, true), 0.8, () => 1, 500)), 4);
  assert.equal(most(run(new DraftLength(4, true), 0.3, (rows) => rows, 500)), 1);
});

Deno.test("between them the number with the most tokens a millisecond wins", () => {
  // 1, 1.7, 2.19 and 2.53 tokens in 1.1, 1.2, 1.3 and 2 ms
  const cost = (rows: number) => rows < 4 ? 1 + 0.1 * rows : 2;
  assert.equal(most(run(new DraftLength(4, true), 0.7, cost, 1000)), 3);
});

Deno.test("the number follows a text that becomes easy", () => {
  const length = new DraftLength(4, true);
  const cost = (rows: number) => 0.4 + 0.6 * rows;
  assert.equal(most(run(length, 0.1, cost, 400)), 1);
  run(length, 0.98, cost, 1000);
  assert.equal(most(run(length, 0.98, cost, 300)), 4);
});

Deno.test("a number that was asked for stays, whatever is measured", () => {
  const length = new DraftLength(3, false);
  assert.deepEqual(run(length, 0, (rows) => rows, 50), [0, 0, 0, 50, 0]);
});

Deno.test("steps with a prompt among their rows are not taken for steps of drafts", () => {
  const length = new DraftLength(2, true);
  const sequence = { lastDraft: { proposed: 0, accepted: 0 } } as Sequence;
  length.observe(1, 200, 1e6, [sequence]);
  for (let i = 0; i < 2; i++) length.observe(1, 1, 1, [sequence]);
  assert.equal(length.rate(1), 1);
});

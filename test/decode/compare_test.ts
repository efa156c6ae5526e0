/** Proves the verdicts on two decoders' outputs: where they part, and what counts as a tie. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { compareOutputs, firstDifference } from "../../src/decode/compare.ts";

Deno.test("firstDifference() is the first place where two outputs differ, the end of the shorter one included", () => {
  assert.equal(firstDifference([], []), null);
  assert.equal(firstDifference([1, 2, 3], [1, 2, 3]), null);
  assert.equal(firstDifference([1, 2, 3], [1, 9, 3]), 1);
  assert.equal(firstDifference([1, 2], [1, 2, 3]), 2);
  assert.equal(firstDifference([1, 2, 3], [1, 2]), 2);
  assert.equal(firstDifference([], [0]), 0);
});

Deno.test("firstDifference() of outputs that share a beginning lies behind it", () => {
  const ids = fc.array(fc.nat({ max: 2 }), { maxLength: 6 });
  fc.assert(
    fc.property(ids, ids, ids, (shared, a, b) => {
      const at = firstDifference([...shared, ...a], [...shared, ...b]);
      if (at === null) return assert.deepEqual(a, b);
      assert.ok(at >= shared.length);
      assert.notEqual(a[at - shared.length], b[at - shared.length]);
      assert.deepEqual(a.slice(0, at - shared.length), b.slice(0, at - shared.length));
    }),
  );
});

const PAIRS = [
  { plain: [1, 2, 3], speculative: [1, 2, 3] },
  { plain: [1, 2, 3], speculative: [1, 7, 3] }, // differs where the gap is 0.5
  { plain: [4, 5], speculative: [4, 6] }, // 0.00005
  { plain: [9], speculative: [9] },
  { plain: [1, 2], speculative: [3, 2] }, // 0.0001
];
const GAPS = new Map([[1, 0.5], [2, 5e-5], [4, 1e-4]]);

Deno.test("compareOutputs() calls a difference a tie where the gap is below the tolerance", () => {
  const asked: [number, number][] = [];
  const verdict = compareOutputs(PAIRS, 1e-4, (prompt, at) => {
    asked.push([prompt, at]);
    return GAPS.get(prompt)!;
  });
  assert.deepEqual(verdict, {
    identical: 2,
    ties: 1,
    different: 2,
    first_differences: [
      { prompt: 1, at: 1, gap: 0.5 },
      { prompt: 2, at: 1, gap: 5e-5 },
      { prompt: 4, at: 0, gap: 1e-4 },
    ],
  });
  assert.deepEqual(asked, [[1, 1], [2, 1], [4, 0]], "asked about prompts that do not differ");
});

Deno.test("compareOutputs() with a tolerance of 0 knows no ties, not even where both logits are equal", () => {
  const { identical, ties, different } = compareOutputs(PAIRS, 0, () => 0);
  assert.deepEqual([identical, ties, different], [2, 0, 3]);
});

/** Proves that the curricula, which are data, say at every step what the paper's formulas say (Aynetdinov & Akbik 2025). */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { CurriculumConfig } from "../../src/config/schema.ts";
import { curriculumName, type Phase, phasesOf, weightsAt } from "../../src/train/curriculum.ts";

/** How many heads are awake at step s of S. */
const AWAKE: Record<Extract<CurriculumConfig, string>, (s: number, S: number, K: number) => number> = {
  ntp: () => 1,
  mtp: (_s, _S, K) => K,
  forward: (s, S, K) => Math.min(K, Math.floor(s * K / S) + 1),
  reverse: (s, S, K) => Math.max(1, K - Math.floor(s * K / S)),
};

/** Phases follow one another from 0 to S without a gap, and none is empty. */
function assertCovers(phases: readonly Phase[], S: number): void {
  assert.deepEqual(phases.map(({ from }) => from), [0, ...phases.slice(0, -1).map(({ to }) => to)]);
  assert.equal(phases.at(-1)!.to, S);
  assert.ok(phases.every(({ from, to }) => from < to));
}

const sizes = fc.record({ K: fc.integer({ min: 1, max: 9 }), S: fc.integer({ min: 1, max: 300 }) });

for (const name of ["ntp", "mtp", "forward", "reverse"] as const) {
  Deno.test(`${name} has the first k(s) heads awake at every step, whatever heads and steps`, () => {
    fc.assert(
      fc.property(sizes, ({ K, S }) => {
        const phases = phasesOf(name, K, S);
        assertCovers(phases, S);
        for (let s = 0; s < S; s++) {
          const k = AWAKE[name](s, S, K);
          assert.deepEqual(
            weightsAt(phases, s),
            Array.from({ length: K }, (_, i) => i < k ? 1 : 0),
            `step ${s}`,
          );
        }
      }),
      {
        examples: [[{ K: 4, S: 400 }], [{ K: 4, S: 2 }], [{ K: 9, S: 1 }], [{ K: 1, S: 1 }], [{
          K: 3,
          S: 100,
        }]],
      },
    );
  });
}

Deno.test("forward wakes heads at equal shares of the run, and reverse puts them to sleep", () => {
  const phases = (name: "forward" | "reverse") =>
    phasesOf(name, 4, 400).map(({ from, to, weights }) => [from, to, ...weights]);
  assert.deepEqual(phases("forward"), [
    [0, 100, 1, 0, 0, 0],
    [100, 200, 1, 1, 0, 0],
    [200, 300, 1, 1, 1, 0],
    [300, 400, 1, 1, 1, 1],
  ]);
  assert.deepEqual(phases("reverse"), [
    [0, 100, 1, 1, 1, 1],
    [100, 200, 1, 1, 1, 0],
    [200, 300, 1, 1, 0, 0],
    [300, 400, 1, 0, 0, 0],
  ]);
});

Deno.test("a run with fewer steps than heads leaves phases out and keeps to the formula", () => {
  const awake = (name: "forward" | "reverse") =>
    phasesOf(name, 4, 2).map(({ from, weights }) => [from, weights.filter((w) => w > 0).length]);
  assert.deepEqual(awake("forward"), [[0, 1], [1, 3]]);
  assert.deepEqual(awake("reverse"), [[0, 4], [1, 2]]);
});

/** Phases by ascending shares in hundredths, the last of which is the whole. */
const written = fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 6 }).map((hundredths) =>
  [...hundredths.sort((a, b) => a - b), 100].map((n, i) => ({ until: n / 100, weights: [1, i] }))
);

Deno.test("a phase that is written out begins with the first step at or past its share of the run", () => {
  fc.assert(
    fc.property(written, fc.integer({ min: 1, max: 500 }), (phases, S) => {
      const expanded = phasesOf({ phases }, 2, S);
      assertCovers(expanded, S);
      for (let s = 0; s < S; s++) {
        const hundredths = (share: number) => Math.round(share * 100);
        const expected = phases.find(({ until }) => 100 * s < hundredths(until) * S)!; // in whole numbers: exact
        assert.deepEqual(weightsAt(expanded, s), expected.weights, `step ${s} of ${S}`);
      }
    }),
  );
});

Deno.test("shares that are no binary fractions end where they should", () => {
  const ends = (shares: number[], S: number) =>
    phasesOf({ phases: shares.map((until) => ({ until, weights: [1] })) }, 1, S).map(({ to }) => to);
  assert.deepEqual(ends([0.29, 0.55, 1], 100), [29, 55, 100]); // products 28.999999999999996 and 55.00000000000001
  assert.deepEqual(ends([0.1, 1], 3), [1, 3]); // 0.1 * 3 is above 0.3, and step 0 alone is below it
  assert.deepEqual(ends([1 / 3, 2 / 3, 1], 100), [34, 67, 100]);
  assert.deepEqual(ends([0.001, 0.002, 1], 100), [1, 100]); // the second phase has no step
});

Deno.test("weightsAt() refuses a step outside the run", () => {
  const phases = phasesOf("forward", 2, 10);
  for (const step of [-1, 10]) {
    assert.throws(() => weightsAt(phases, step), {
      name: "RangeError",
      message: `No phase of the curriculum covers step ${step}`,
    });
  }
});

Deno.test("curriculumName() is the preset's, or custom", () => {
  assert.equal(curriculumName("forward"), "forward");
  assert.equal(curriculumName({ phases: [{ until: 1, weights: [1] }] }), "custom");
});

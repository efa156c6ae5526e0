/** Proves that the curricula, which are data, say at every step what the paper's formulas say (Aynetdinov & Akbik 2025). */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  curriculumName,
  type Phase,
  phasesOf,
  rateAt,
  weightsAt,
  woken,
} from "../../src/train/curriculum.ts";
import { learningRate, type Schedule } from "../../src/train/schedule.ts";

/** How many heads are awake at step s of S. */
const AWAKE: Record<string, (s: number, S: number, K: number) => number> = {
  ntp: () => 1,
  mtp: (_s, _S, K) => K,
  forward: (s, S, K) => Math.min(K, Math.floor(s * K / S) + 1),
  reverse: (s, S, K) => Math.max(1, K - Math.floor(s * K / S)),
  "forward-reverse": (s, S, K) => {
    const stair = Math.floor(s * (2 * K - 1) / S);
    return Math.min(stair, 2 * K - 2 - stair) + 1;
  },
};

/** Phases follow one another from 0 to S without a gap, and none is empty. */
function assertCovers(phases: readonly Phase[], S: number): void {
  assert.deepEqual(phases.map(({ from }) => from), [0, ...phases.slice(0, -1).map(({ to }) => to)]);
  assert.equal(phases.at(-1)!.to, S);
  assert.ok(phases.every(({ from, to }) => from < to));
}

const sizes = fc.record({ K: fc.integer({ min: 1, max: 9 }), S: fc.integer({ min: 1, max: 300 }) });

for (const name of ["ntp", "mtp", "forward", "reverse", "forward-reverse"] as const) {
  Deno.test(`${name} has the first k(s) heads awake at every step, whatever heads and steps`, () => {
    fc.assert(
      fc.property(sizes, ({ K, S }) => {
        const phases = phasesOf(name, K, S);
        assertCovers(phases, S);
        for (let s = 0; s < S; s++) {
          const k = AWAKE[name]!(s, S, K);
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

Deno.test("reverse-refresh is reverse, then heads 2 to K on all that stands still, inside the run", () => {
  fc.assert(fc.property(sizes, fc.integer({ min: 1, max: 99 }), ({ K, S }, hundredths) => {
    const refresh = hundredths / 100;
    const phases = phasesOf({ preset: "reverse-refresh", refresh }, K, S);
    assertCovers(phases, S);
    const main = Math.ceil((100 - hundredths) * S / 100); // steps s with s / S < 1 - refresh, in whole numbers
    for (let s = 0; s < S; s++) {
      const k = AWAKE.reverse!(s, main, K);
      const expected = Array.from({ length: K }, (_, i) => s < main ? (i < k ? 1 : 0) : (i === 0 ? 0 : 1));
      assert.deepEqual(weightsAt(phases, s), expected, `step ${s}`);
    }
    const last = phases.at(-1)!;
    assert.deepEqual(last.freeze, main < S ? ["trunk", "embedding", "head1"] : undefined);
    assert.equal(last.lr !== undefined, main < S);
  }));
});

/** The weight of head i (from 1) at the middle of step s, when the first k heads of `forward` climb on a line. */
function ramp(s: number, S: number, K: number, i: number): number {
  const [from, to] = [Math.ceil((i - 1) * S / K), Math.ceil(i * S / K)];
  return i === 1 ? 1 : Math.min(1, Math.max(0, (s + 0.5 - from) / (to - from)));
}

Deno.test("linear forward climbs over each phase; reverse is the same backwards in time", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 30 }), (K, n) => {
    const S = K * n;
    const forward = phasesOf({ preset: "forward", interpolate: "linear" }, K, S);
    const reverse = phasesOf({ preset: "reverse", interpolate: "linear" }, K, S);
    for (let s = 0; s < S; s++) {
      const expected = Array.from({ length: K }, (_, i) => ramp(s, S, K, i + 1));
      for (const [i, weight] of weightsAt(forward, s).entries()) {
        assert.ok(Math.abs(weight - expected[i]!) < 1e-12, `step ${s}, head ${i + 1}`);
        assert.ok(Math.abs(weightsAt(reverse, S - 1 - s)[i]! - weight) < 1e-12);
      }
    }
  }));
});

Deno.test("a phase that is written out moves from its weights to others in a straight line", () => {
  const phases = phasesOf(
    { phases: [{ until: 0.5, weights: [1, 0], to: [0, 2] }, { until: 1, weights: [1, 1] }] },
    2,
    8,
  );
  assert.deepEqual(Array.from({ length: 8 }, (_, s) => weightsAt(phases, s)), [
    ...[[7 / 8, 1 / 4], [5 / 8, 3 / 4], [3 / 8, 5 / 4], [1 / 8, 7 / 4]],
    ...Array.from({ length: 4 }, () => [1, 1]),
  ]);
});

Deno.test("woken() names the heads that a phase wakes, and wake says what they start from", () => {
  const wakes = (phases: readonly Phase[]) => phases.map((phase) => woken(phases, phase));
  assert.deepEqual(wakes(phasesOf("forward", 3, 9)), [[], [1], [2]]);
  assert.deepEqual(wakes(phasesOf({ preset: "forward", interpolate: "linear" }, 3, 9)), [[], [1], [2]]);
  assert.deepEqual(wakes(phasesOf("mtp", 3, 9)), [[]]);
  assert.deepEqual(wakes(phasesOf("reverse-refresh", 3, 100)), [[], [], [], [1, 2]]);
  const copies = (phases: readonly Phase[]) => phases.map(({ copies }) => copies ?? false);
  assert.deepEqual(copies(phasesOf({ preset: "forward", wake: "copy" }, 2, 4)), [true, true]);
  const phase = { until: 0.5, weights: [1] };
  const written = { wake: "copy", phases: [phase, { ...phase, until: 1, wake: "fresh" }] } as const;
  assert.deepEqual(copies(phasesOf({ ...written, phases: [...written.phases] }, 1, 4)), [true, false]);
});

Deno.test("freeze: heads stands for all of them", () => {
  const [phase] = phasesOf({ phases: [{ until: 1, weights: [1, 1], freeze: ["heads", "embedding"] }] }, 2, 4);
  assert.deepEqual(phase!.freeze, ["head1", "head2", "embedding"]);
});

const RUN: Schedule = {
  steps: 100,
  warmup: 10,
  lr: 1,
  min_lr: 0.1,
  schedule: "cosine",
  decay: 0.2,
  decay_shape: "sqrt",
};

Deno.test("rateAt() is the run's schedule where no phase has its own", () => {
  const phases = phasesOf("forward", 4, 100);
  for (let s = 0; s < 100; s++) assert.equal(rateAt(phases, RUN, s), learningRate(RUN, s));
});

Deno.test("rateAt() ends the run's schedule before the refresh, which has its own", () => {
  const refresh_lr = { lr: 0.5, schedule: "linear", warmup: 0.2, min_lr: 0 } as const;
  const phases = phasesOf({ preset: "reverse-refresh", refresh: 0.2, refresh_lr }, 4, 100);
  for (let s = 0; s < 80; s++) assert.equal(rateAt(phases, RUN, s), learningRate({ ...RUN, steps: 80 }, s));
  const own: Schedule = { ...RUN, steps: 20, warmup: 4, lr: 0.5, schedule: "linear", min_lr: 0 };
  for (let s = 80; s < 100; s++) assert.equal(rateAt(phases, RUN, s), learningRate(own, s - 80));
});

Deno.test("rateAt() goes on after a phase with a schedule of its own where it stood before", () => {
  const phases = phasesOf(
    {
      phases: [{ until: 0.4, weights: [1] }, { until: 0.6, weights: [1], lr: {} }, {
        until: 1,
        weights: [1],
      }],
    },
    1,
    100,
  );
  const run = { ...RUN, steps: 80 };
  assert.equal(rateAt(phases, RUN, 39), learningRate(run, 39));
  assert.equal(rateAt(phases, RUN, 60), learningRate(run, 40));
  assert.equal(rateAt(phases, RUN, 99), learningRate(run, 79));
  assert.equal(rateAt(phases, RUN, 40), learningRate({ ...RUN, steps: 20, warmup: 0 }, 0));
});

Deno.test("curriculumName() is the preset's, or custom", () => {
  assert.equal(curriculumName("forward"), "forward");
  assert.equal(curriculumName({ preset: "adaptive", window: 5 }), "adaptive");
  assert.equal(curriculumName({ phases: [{ until: 1, weights: [1] }] }), "custom");
});

/** Proves the learning rate against its formulas: linear warm-up, then each schedule down to its share. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { learningRate, type Schedule } from "../../src/train/schedule.ts";

const SCHEDULE: Schedule = {
  steps: 101,
  warmup: 20,
  lr: 3e-3,
  min_lr: 0.1,
  schedule: "cosine",
  decay: 0.2,
  decay_shape: "sqrt",
};
const at = (step: number, changes: Partial<Schedule> = {}) => learningRate({ ...SCHEDULE, ...changes }, step);

function assertNear(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-15, `${actual}, expected ${expected}`);
}

const SCHEDULES = ["cosine", "linear", "wsd", "constant"] as const;

Deno.test("every schedule climbs in equal steps, the first above 0, to the full rate", () => {
  for (const schedule of SCHEDULES) {
    assertNear(at(0, { schedule }), 3e-3 / 20);
    assertNear(at(9, { schedule }), 3e-3 / 2);
    assertNear(at(19, { schedule }), 3e-3);
  }
});

Deno.test("cosine: full, a quarter, middle, end", () => {
  assertNear(at(20), 3e-3);
  assertNear(at(40), 3e-3 * (0.1 + 0.9 * (1 + Math.SQRT1_2) / 2)); // a quarter of the 80 steps
  assertNear(at(60), 3e-3 * (0.1 + 0.9 / 2));
  assertNear(at(80), 3e-3 * (0.1 + 0.9 * (1 - Math.SQRT1_2) / 2));
  assertNear(at(100), 3e-4);
});

Deno.test("linear: full, a quarter, middle, end", () => {
  for (const [step, left] of [[20, 1], [40, 0.75], [60, 0.5], [80, 0.25], [100, 0]] as const) {
    assertNear(at(step, { schedule: "linear" }), 3e-3 * (0.1 + 0.9 * left));
  }
});

Deno.test("wsd stays full until its last share of the steps, then falls in its shape", () => {
  const wsd = { schedule: "wsd", steps: 100, decay: 0.2 } as const; // the last 20 of them: 80 to 99
  for (const step of [20, 50, 79]) assertNear(at(step, wsd), 3e-3);
  const left = { linear: 1 - 0.25, cosine: (1 + Math.SQRT1_2) / 2, sqrt: 1 - Math.sqrt(0.25) };
  for (const decay_shape of ["linear", "cosine", "sqrt"] as const) {
    assertNear(at(84, { ...wsd, decay_shape }), 3e-3 * (0.1 + 0.9 * left[decay_shape])); // the 5th of 20
    assertNear(at(99, { ...wsd, decay_shape }), 3e-4);
  }
  assertNear(at(98, { ...wsd, decay: 0.001 }), 3e-3); // one step at least
  assertNear(at(99, { ...wsd, decay: 0.001 }), 3e-4);
});

Deno.test("constant stays full, whatever its share", () => {
  for (const step of [20, 60, 100]) assertNear(at(step, { schedule: "constant", min_lr: 0 }), 3e-3);
});

Deno.test("learningRate() ends at 0 or stays where it is when its share says so", () => {
  for (const schedule of ["cosine", "linear", "wsd"] as const) {
    assertNear(at(100, { schedule, min_lr: 0 }), 0);
    for (const step of [20, 60, 100]) assertNear(at(step, { schedule, min_lr: 1 }), 3e-3);
  }
});

Deno.test("learningRate() without warm-up starts at the full rate", () => {
  assertNear(at(0, { warmup: 0 }), 3e-3);
  assertNear(at(50, { warmup: 0 }), 3e-3 * (0.1 + 0.9 / 2));
  for (const schedule of SCHEDULES) {
    assert.ok(Number.isFinite(at(0, { schedule, warmup: 0, steps: 1 })));
    assertNear(at(0, { schedule, warmup: 1, steps: 1 }), 3e-3);
    assertNear(at(1, { schedule, warmup: 2, steps: 2 }), 3e-3);
  }
});

Deno.test("learningRate() rises to its peak, falls from there, and stays within its bounds", () => {
  const settings = fc.record({
    steps: fc.integer({ min: 1, max: 500 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    lr: fc.double({ min: 1e-6, max: 1, noNaN: true }),
    min_lr: fc.double({ min: 0, max: 1, noNaN: true }),
    schedule: fc.constantFrom(...SCHEDULES),
    decay: fc.double({ min: 0.01, max: 1, noNaN: true }),
    decay_shape: fc.constantFrom("linear", "cosine", "sqrt"),
  }).map(({ share, ...rest }): Schedule => {
    const room = rest.schedule === "wsd"
      ? rest.steps - Math.max(1, Math.round(rest.decay * rest.steps))
      : rest.steps;
    return { ...rest, warmup: Math.floor(share * room) };
  });
  fc.assert(fc.property(settings, (schedule) => {
    const rates = Array.from({ length: schedule.steps }, (_, step) => learningRate(schedule, step));
    const { warmup, lr, min_lr } = schedule;
    const least = warmup > 0 ? Math.min(lr / warmup, lr * min_lr) : lr * min_lr;
    for (const [step, rate] of rates.entries()) {
      assert.ok(rate > 0 || min_lr < 1e-300);
      assert.ok(rate <= lr * (1 + 1e-12) && rate >= least * (1 - 1e-12), `step ${step}: ${rate}`);
      if (step === 0) continue;
      const before = rates[step - 1]!;
      assert.ok(step < warmup ? rate >= before : rate <= before * (1 + 1e-12), `step ${step} of ${warmup}`);
    }
  }));
});

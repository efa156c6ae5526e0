/** Proves the learning rate against its formula: linear warm-up, then half a cosine down to its share. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { learningRate, type Schedule } from "../../src/train/schedule.ts";

const SCHEDULE: Schedule = { steps: 101, warmup: 20, lr: 3e-3, min_lr: 0.1 };
const at = (step: number, changes: Partial<Schedule> = {}) => learningRate({ ...SCHEDULE, ...changes }, step);

function assertNear(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-15, `${actual}, expected ${expected}`);
}

Deno.test("learningRate() climbs in equal steps, the first above 0, to the full rate", () => {
  assertNear(at(0), 3e-3 / 20);
  assertNear(at(9), 3e-3 / 2);
  assertNear(at(19), 3e-3);
});

Deno.test("learningRate() follows half a cosine: full, middle, end", () => {
  assertNear(at(20), 3e-3);
  assertNear(at(40), 3e-3 * (0.1 + 0.9 * (1 + Math.SQRT1_2) / 2)); // a quarter of the 80 steps
  assertNear(at(60), 3e-3 * (0.1 + 0.9 / 2));
  assertNear(at(80), 3e-3 * (0.1 + 0.9 * (1 - Math.SQRT1_2) / 2));
  assertNear(at(100), 3e-4);
});

Deno.test("learningRate() ends at 0 or stays where it is when its share says so", () => {
  assertNear(at(100, { min_lr: 0 }), 0);
  for (const step of [20, 60, 100]) assertNear(at(step, { min_lr: 1 }), 3e-3);
});

Deno.test("learningRate() without warm-up starts at the full rate", () => {
  assertNear(at(0, { warmup: 0 }), 3e-3);
  assertNear(at(0, { warmup: 0, steps: 1 }), 3e-3);
});

Deno.test("learningRate() that only warms up ends at the full rate", () => {
  assertNear(at(100, { warmup: 101 }), 3e-3);
});

Deno.test("learningRate() rises to its peak, falls from there, and stays within its bounds", () => {
  const schedules = fc.record({
    steps: fc.integer({ min: 1, max: 200 }),
    lr: fc.double({ min: 1e-6, max: 1, noNaN: true }),
    min_lr: fc.double({ min: 0, max: 1, noNaN: true }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  }).map(({ share, ...rest }): Schedule => ({ ...rest, warmup: Math.floor(share * rest.steps) }));
  fc.assert(
    fc.property(schedules, (schedule) => {
      const { steps, warmup, lr, min_lr } = schedule;
      const rates = Array.from({ length: steps }, (_, step) => learningRate(schedule, step));
      const slack = 1e-12 * lr;
      rates.forEach((rate, step) => {
        assert.ok(rate >= 0 && rate <= lr + slack);
        if (step >= warmup) assert.ok(rate >= lr * min_lr - slack);
        if (step === 0) return;
        const rise = rate - rates[step - 1]!;
        assert.ok(step < warmup ? rise > 0 : rise <= slack, `step ${step} changes the rate by ${rise}`);
      });
    }),
  );
});

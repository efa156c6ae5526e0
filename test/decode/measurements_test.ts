/** Proves the arithmetic of what is measured: acceptance by depth, times of full forwards, medians. */
import assert from "node:assert/strict";
import { acceptanceOf, sumOfDrafts } from "../../src/decode/acceptance.ts";
import { median } from "../../src/decode/bench.ts";
import { Parts, type PartTimes } from "../../src/decode/parts.ts";
import { StepMeter } from "../../src/decode/step_meter.ts";

Deno.test("acceptanceOf() is conditional on the drafts before, and null where none was proposed", () => {
  const counts = sumOfDrafts([
    { drafts: [{ proposed: 6, accepted: 3 }, { proposed: 3, accepted: 0 }, { proposed: 0, accepted: 0 }] },
    { drafts: [{ proposed: 4, accepted: 2 }, { proposed: 2, accepted: 2 }, { proposed: 0, accepted: 0 }] },
  ]);
  assert.deepEqual(acceptanceOf(counts), [
    { depth: 2, proposed: 10, accepted: 5, conditional: 0.5, cumulative: 0.5 },
    { depth: 3, proposed: 5, accepted: 2, conditional: 0.4, cumulative: 0.2 },
    { depth: 4, proposed: 0, accepted: 0, conditional: null, cumulative: null },
  ]);
  assert.deepEqual(acceptanceOf(sumOfDrafts([{ drafts: [] }])), []);
});

Deno.test("StepMeter counts steps of a whole batch behind its prompts, each part by itself", () => {
  const meter = new StepMeter();
  const parts = { spent: { trunk: 0, heads: 0, sampling: 0, bookkeeping: 0 } as PartTimes };
  const watch = meter.watch(2, parts);
  const step = (indices: number[], trunk: number, heads: number, sampling: number, total: number) => {
    const { spent } = parts;
    parts.spent = {
      trunk: spent.trunk + trunk,
      heads: spent.heads + heads,
      sampling: spent.sampling + sampling,
      bookkeeping: spent.bookkeeping + total - trunk - heads - sampling,
    };
    watch(indices.map((index) => ({ index, tokens: [1], drafted: [false] })));
  };
  assert.equal(meter.mean(), null);
  step([0, 1], 100, 10, 10, 130); // the prompts of 0 and 1
  step([0, 1], 4, 2, 1, 8);
  step([0, 1], 6, 4, 1, 14);
  step([0, 2], 50, 1, 1, 55); // 1 is done, and the prompt of 2 goes in
  step([0, 2], 5, 3, 4, 14);
  step([2], 1, 1, 1, 4); // half of the batch is empty
  assert.deepEqual(meter.mean(), {
    steps: 3,
    milliseconds: { trunk: 5, heads: 3, sampling: 2, bookkeeping: 2 },
  });
});

Deno.test("median() is the middle value, or the mean of the two", () => {
  assert.deepEqual([median([3]), median([9, 1, 5]), median([4, 1, 3, 2])], [3, 5, 2.5]);
});

Deno.test("Parts counts each lap for its part, and the laps of a step from its beginning", () => {
  const busy = (milliseconds: number) => {
    const until = performance.now() + milliseconds;
    while (performance.now() < until);
  };
  const parts = new Parts();
  const cpu = { device: "cpu" } as const;
  const began = performance.now();
  for (let step = 0; step < 2; step++) {
    parts.begin();
    busy(2);
    parts.lap("trunk", cpu);
    busy(1);
    parts.lap("heads", cpu);
    busy(3);
    parts.lap("trunk", cpu);
    assert.ok(parts.untilLap >= 6);
  }
  const took = performance.now() - began;
  const { trunk, heads, sampling, bookkeeping } = parts.spent;
  assert.ok(trunk >= 10 && heads >= 2 && trunk + heads <= took);
  assert.deepEqual([sampling, bookkeeping], [0, 0]);
  assert.equal(parts.total, trunk + heads);
});

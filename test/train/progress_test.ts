/** The progress line says everything where there is room, and what matters most in 80 columns and in 40. */
import assert from "node:assert/strict";
import type { StepLine } from "../../src/train/metrics.ts";
import { progressLine } from "../../src/train/progress.ts";

const LINE: StepLine = {
  kind: "step",
  step: 1200,
  tokens: 1,
  bytes: 1,
  loss: 8.2143,
  heads: [1.8412, 2.4131, null, null],
  weights: [1, 1, 0, 0],
  active_heads: 2,
  lr: 3e-4,
  grad_norm: 1,
  clipped: 0,
  tokens_per_s: 12_345.6,
  mfu: 0.413,
  rss_bytes: 9e9,
  memory_bytes: 3.21e9,
};
const OUTLOOK = { steps: 4000, left: 725 };

Deno.test("progressLine() says everything where there is room", () => {
  assert.equal(
    progressLine(LINE, OUTLOOK, Infinity),
    "step 1200/4000  loss 8.214  heads 1.84 2.41 – –, 2 awake  lr 3.0e-4  12,346 tokens/s  MFU 41%  3.2 GB  12 min 05 s left",
  );
  const single = { ...LINE, heads: [1.84], active_heads: 1, loss: 1.84, mfu: null };
  assert.equal(
    progressLine(single, { steps: 4000, left: -1 }, Infinity),
    "step 1200/4000  loss 1.840  lr 3.0e-4  12,346 tokens/s  3.2 GB  0 s left",
  );
});

Deno.test("progressLine() fits the columns by leaving out what matters least", () => {
  const at = (columns: number) => progressLine(LINE, OUTLOOK, columns);
  assert.equal(at(79), "step 1200/4000  heads 1.84 2.41 – –, 2 awake  12,346 tokens/s  12 min 05 s left");
  assert.equal(at(62), "step 1200/4000  heads 1.84 2.41 – –, 2 awake  12 min 05 s left");
  assert.equal(at(5), "step 1200/4000");
  for (let columns = 14; columns < 130; columns++) assert.ok(at(columns).length <= columns);
});

/** Each warning comes for the series that it is meant for, once, and for none that is merely noisy. */
import assert from "node:assert/strict";
import { Random } from "../../src/data/random.ts";
import type { MetricsLine, StepLine, ValidationLine } from "../../src/train/metrics.ts";
import { Watcher } from "../../src/train/warnings.ts";

const RUN = { vocab: 320, steps: 10_000, warmup: 100, clip: 1 };

const stepLine = (step: number, changes: Partial<StepLine>): StepLine => ({
  kind: "step",
  step,
  tokens: step * 100,
  bytes: step * 100,
  loss: 2,
  heads: [2],
  weights: (changes.heads ?? [2]).map((loss) => loss === null ? 0 : 1),
  active_heads: 1,
  lr: 1e-3,
  grad_norm: 0.5,
  clipped: 0,
  tokens_per_s: 1000,
  mfu: null,
  rss_bytes: 0,
  memory_bytes: 0,
  ...changes,
});

const validationLine = (step: number, bits: number, loss: number): ValidationLine => ({
  kind: "validation",
  step,
  bits_per_byte: bits,
  heads: [{ loss, accuracy: 0.5 }],
  acceptance: [],
  expected_tokens_per_forward: 1,
});

/** Step and name of each warning. */
function warned(lines: readonly MetricsLine[], run = RUN): [number, string][] {
  const watcher = new Watcher(run);
  return lines.flatMap((line) => watcher.see(line)).map(({ step, name }) => [step, name]);
}

/** `count` lines, ten steps apart. */
const series = (count: number, of: (i: number) => Partial<StepLine>): StepLine[] =>
  Array.from({ length: count }, (_, i) => stepLine(10 * (i + 1), of(i)));

/** A loss that falls from ln 320 to 1.2 nats, with the noise of small batches. */
function learning(count: number, noise: number): (i: number) => number {
  const random = new Random(7);
  const draws = Array.from({ length: count }, () => random.unit() + random.unit() + random.unit() - 1.5);
  return (i) => 1.2 + 4.5 * Math.exp(-i / 30) + noise * draws[i]!;
}

Deno.test("a noisy run that learns gets no warning", () => {
  for (const noise of [0, 0.02, 0.3]) {
    const loss = learning(400, noise);
    const lines = series(400, (i) => ({
      heads: [loss(i), i < 150 ? null : loss(i - 150) + 0.7],
      grad_norm: 0.9 + noise,
      clipped: i % 20 === 0 ? 1 : 0.9,
      tokens_per_s: 1000 + 400 * Math.sin(i),
    }));
    const validations = [1000, 2000, 3000, 4000].map((step, i) => validationLine(step, 2 - 0.01 * i, 1.5));
    assert.deepEqual(warned([...lines, ...validations]), [], `noise ${noise}`);
  }
});

Deno.test("a loss that jumps is named at its step, once", () => {
  const loss = learning(300, 0.05);
  const lines = series(300, (i) => ({ heads: [loss(i) + (i === 200 || i === 250 ? 1.5 : 0), 3] }));
  assert.deepEqual(warned(lines).filter(([, name]) => name === "loss_spike"), [[2010, "loss_spike"]]);
  const watcher = new Watcher(RUN);
  const [warning] = lines.flatMap((line) => watcher.see(line)).filter(({ name }) => name === "loss_spike");
  assert.match(
    warning!.message,
    /^The loss of head 1 jumped to 2\.\d{3} nats at step 2010, from about 1\.2\d{2}\. If it/,
  );
});

Deno.test("a head that wakes up is no jump", () => {
  const loss = learning(300, 0.05);
  assert.deepEqual(
    warned(series(300, (i) => ({ heads: [1.5 + i % 7 / 100, i % 100 < 50 ? null : loss(i)] }))),
    [],
  );
});

Deno.test("a head that stays at a guess, or does not move, is dead; one that is asleep or warms up is not", () => {
  const loss = learning(60, 0.05);
  const guess = Math.log(320);
  const dead = warned(series(60, (i) => ({ heads: [loss(i), guess - 0.01 * (i % 3), 3.25, null] })));
  assert.deepEqual(dead, [[260, "dead_head_2"], [260, "dead_head_3"]]);
  const warming = series(60, (i) => ({ heads: [guess - 0.001 * i] }));
  assert.deepEqual(warned(warming, { ...RUN, warmup: 600 }), []);
});

Deno.test("clipping on every step after the warm-up is said, on nearly every step is not", () => {
  const lines = (share: number) =>
    series(60, (i) => ({ heads: [3 - i / 100], clipped: share, grad_norm: 5 + i % 2 }));
  assert.deepEqual(warned(lines(1)), [[300, "clipping"]]);
  assert.deepEqual(warned(lines(0.95)), []);
});

Deno.test("a warm-up that never ends is said at the first line", () => {
  assert.deepEqual(warned(series(3, (i) => ({ heads: [5 - i] })), { ...RUN, warmup: 10_000 }), [[
    10,
    "warmup",
  ]]);
});

Deno.test("held-out text that gets worse far above the training loss is overfitting; a gap alone is not", () => {
  const training = series(40, (i) => ({ heads: [2 - i / 40] }));
  const validations = (bits: number[]) => bits.map((b, i) => validationLine(500 + i, b, b * Math.LN2));
  assert.deepEqual(warned([...training, ...validations([3, 2.9, 2.8])]), []);
  assert.deepEqual(warned([...training, ...validations([3, 2.8, 2.82, 2.9, 3])]), [[503, "overfit"]]);
  const even = training.map((line) => ({ ...line, heads: [2 + line.step % 3 / 100] }));
  assert.deepEqual(warned([...even, ...validations([3, 2.8, 2.9])]), []); // 2 nats trained, 2.01 held out
});

Deno.test("a run that slows down to less than half is said, one whose heads change is not", () => {
  const speed = (i: number) => ({ heads: [3 - i / 100], tokens_per_s: i < 40 ? 1000 : 400 });
  assert.deepEqual(warned(series(60, speed)), [[430, "throughput"]]);
  const phases = series(60, (i) => ({ ...speed(i), weights: i < 40 ? [1] : [1, 1] }));
  assert.deepEqual(warned(phases), []);
  assert.deepEqual(
    warned(series(60, (i) => ({ heads: [3 - i / 100], tokens_per_s: i % 30 === 29 ? 100 : 1000 }))),
    [],
  );
});

Deno.test("what was said before a run was resumed is not said again", () => {
  const lines = series(60, (i) => ({ heads: [3 - i / 100], clipped: 1 }));
  const watcher = new Watcher(RUN);
  const before = lines.slice(0, 40).flatMap((line) => watcher.see(line));
  const resumed = new Watcher(RUN);
  for (const line of [...lines.slice(0, 40), ...before]) resumed.see(line);
  assert.equal(before.length, 1);
  assert.deepEqual(lines.slice(40).flatMap((line) => resumed.see(line)), []);
});

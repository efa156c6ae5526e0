/** Proves when `adaptive` goes on: on losses that are made up, and to the same steps after it was saved and restored. */
import assert from "node:assert/strict";
import { type Curriculum, openCurriculum, phasesOf } from "../../src/train/curriculum.ts";
import type { WrittenCurriculum } from "../../src/config/schema/curriculum.ts";

const K = 3;
const S = 200;

/** Runs steps `from` to `to`, the newest head's loss being `loss(step in the phase)`; returns the phases' first steps. */
function play(curriculum: Curriculum, loss: (n: number) => number, from = 0, to = S): number[] {
  for (let step = from; step < to; step++) {
    const phase = curriculum.enter(step);
    const newest = phase.weights.lastIndexOf(1);
    const heads = phase.weights.map((weight, i) =>
      weight === 0 ? null : i === newest ? loss(step - phase.from) : 9
    );
    curriculum.observe(step, heads);
  }
  return curriculum.phases.map((phase) => phase.from);
}

const open = (given: Omit<WrittenCurriculum, "preset"> = {}) =>
  openCurriculum({ preset: "adaptive", window: 10, threshold: 0.05, max_steps: 90, ...given }, K, S);

/** Falls by a tenth in each window of 10, for 40 steps; then it is flat. */
const untilForty = (n: number) => 0.9 ** Math.min(4, Math.floor(n / 10));

Deno.test("adaptive goes on after the first window that is hardly better than the one before", () => {
  // Means of windows: 1, 0.9, 0.81, 0.729, 0.6561, 0.6561: the sixth shows no improvement.
  assert.deepEqual(play(open(), untilForty), [0, 60, 120]);
});

Deno.test("adaptive waits for its fewest steps, and not beyond its most", () => {
  assert.deepEqual(play(open(), () => 1), [0, 20, 40], "a flat loss: two windows by default");
  assert.deepEqual(play(open({ min_steps: 33 }), () => 1), [0, 33, 66]);
  assert.deepEqual(play(open(), (n) => 0.9 ** (n / 10)), [0, 90, 180], "a loss that goes on falling");
  assert.deepEqual(play(open({ max_steps: 15 }), () => 1), [0, 15, 30], "before there are two windows");
  const byDefault = openCurriculum("adaptive", K, S); // at most 67 steps, in windows of 7
  assert.deepEqual(play(byDefault, () => 1), [0, 14, 28]);
  assert.deepEqual(play(openCurriculum({ preset: "adaptive", min_steps: 80 }, K, S), () => 1), [0, 80, 160]);
});

Deno.test("adaptive takes a loss that rises for flat", () => {
  assert.deepEqual(play(open(), (n) => 1 + n), [0, 20, 40]);
});

Deno.test("adaptive stays in the last phase, and its phases cover the run", () => {
  for (const order of ["forward", "reverse"] as const) {
    const curriculum = open({ order });
    play(curriculum, () => 1);
    assert.deepEqual(curriculum.phases.map(({ from, to }) => [from, to]), [[0, 20], [20, 40], [40, 200]]);
    const awake = curriculum.phases.map(({ weights }) => weights);
    const stairs = [[1, 0, 0], [1, 1, 0], [1, 1, 1]];
    assert.deepEqual(awake, order === "forward" ? stairs : stairs.toReversed());
  }
});

Deno.test("adaptive judges by the last head that is awake alone", () => {
  const curriculum = open();
  for (let step = 0; step < 60; step++) {
    const { weights } = curriculum.enter(step);
    // Head 1 is flat from the start, the newer ones fall.
    curriculum.observe(step, weights.map((weight, i) => weight === 0 ? null : i === 0 ? 1 : 0.9 ** step));
  }
  assert.deepEqual(curriculum.phases.map(({ from }) => from), [0, 20]);

  const reverse = open({ order: "reverse" });
  for (let step = 0; step < 60; step++) {
    reverse.enter(step);
    reverse.observe(step, [1, 1, 0.9 ** step]); // all but the last one are flat
  }
  assert.deepEqual(reverse.phases.map(({ from }) => from), [0]);
});

Deno.test("adaptive goes on to the same steps after it was saved and restored, at any step", () => {
  const expected = play(open(), untilForty);
  for (let at = 0; at <= 130; at++) {
    const first = open();
    play(first, untilForty, 0, at);
    const saved = JSON.parse(JSON.stringify(first.state()));
    play(first, () => 5, at, at + 15); // what goes on after the save does not reach it
    const second = open();
    second.restore(saved);
    assert.deepEqual(play(second, untilForty, at), expected, `saved after ${at} steps`);
  }
});

Deno.test("adaptive reads losses only where a window or the phase ends", () => {
  const curriculum = open({ min_steps: 33 });
  const due: number[] = [];
  for (let step = 0; step < 60; step++) {
    curriculum.enter(step);
    if (curriculum.decidesAfter(step)) due.push(step);
    curriculum.observe(step, [1, 1, 1]);
  }
  assert.deepEqual(due, [9, 19, 29, 32, 42, 52]);
});

Deno.test("adaptive decides the same when losses are read no earlier than it asks, as on a GPU", () => {
  for (const order of ["forward", "reverse"] as const) {
    const given = { order, min_steps: 33, max_steps: 37 };
    const [prompt, late] = [open(given), open(given)];
    const flatAt = ({ weights }: { weights: readonly number[] }) =>
      weights.map((weight, i) => weight === 0 ? null : 1 + i);
    let pending: [number, (number | null)[]][] = [];
    for (let step = 0; step < S; step++) {
      prompt.observe(step, flatAt(prompt.enter(step)));
      pending.push([step, flatAt(late.enter(step))]);
      if (!late.decidesAfter(step)) continue;
      for (const read of pending) late.observe(...read);
      pending = [];
      assert.deepEqual(late.state(), prompt.state(), `${order}, after step ${step}`);
    }
  }
});

Deno.test("a step in which the head has no target is not counted", () => {
  const curriculum = open();
  for (let step = 0; step < 21; step++) {
    curriculum.enter(step);
    curriculum.observe(step, [step % 2 === 0 ? 1 : null, null, null]);
  }
  assert.deepEqual(curriculum.phases.map(({ from }) => from), [0, 20]);
});

Deno.test("phasesOf() shows adaptive's latest phases: those of forward and reverse by default", () => {
  for (const order of ["forward", "reverse"] as const) {
    assert.deepEqual(phasesOf({ preset: "adaptive", order }, 4, 400), phasesOf(order, 4, 400));
  }
  const wake = phasesOf({ preset: "adaptive", wake: "copy" }, 2, 4);
  assert.deepEqual(wake.map(({ copies }) => copies), [true, true]);
});

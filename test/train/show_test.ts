/** Proves what `foretoken curriculum show` prints of a run: phases, chart, sums. */
import assert from "node:assert/strict";
import { train } from "../../src/config/schema/train.ts";
import type { CurriculumConfig, TrainConfig } from "../../src/config/schema.ts";
import { showCurriculum } from "../../src/train/curriculum/show.ts";

function shown(curriculum: CurriculumConfig, heads: number, changes: object = {}): string[] {
  const settings = train.parse({ steps: 8, warmup: 0, lr: 1e-3, schedule: "constant", ...changes });
  const config = { id: "arm", curriculum, model: { heads: { count: heads } }, train: settings };
  return showCurriculum(config as unknown as TrainConfig);
}

Deno.test("showCurriculum() draws phases, heads and learning rate, and sums them up", () => {
  assert.deepEqual(shown("forward", 2), [
    "arm: forward, 2 heads, 8 steps, sum of the losses, schedule constant",
    "",
    "phase   steps  weight of each head  frozen  learning rate",
    "1      1 to 4                  1 0       -         1.0e-3",
    "2      5 to 8                  1 1       -         1.0e-3",
    "",
    "head 1  |████████|",
    "head 2  |    ████|",
    "lr      |████████|",
    "         1      8",
    "░▒▓█ a quarter to all of the largest weight, 1; blank: asleep",
    "",
    "head  steps awake  steps learning  sum of learning rates",
    "1               8               8                0.00800",
    "2               4               4                0.00400",
    "On average 1.50 of 2 heads are awake: 75.0% of the heads' compute if all were.",
  ]);
});

Deno.test("showCurriculum() shows lines, what is frozen, and schedules of their own", () => {
  const lines = shown(
    { preset: "reverse-refresh", refresh: 0.5, refresh_lr: { lr: 0.01 }, interpolate: "linear" },
    2,
    { schedule: "linear", min_lr: 0, lr_scale: { heads: 2 } },
  );
  assert.deepEqual(lines.slice(2, 9), [
    "phase   steps  weight of each head                 frozen          learning rate",
    "1      1 to 2                1 1>0                      -        1.0e-3 > 6.7e-4",
    "2      3 to 4                  1 0                      -        3.3e-4 > 0.0e+0",
    "3      5 to 8                  0 1  trunk embedding head1  1.0e-2 > 0.0e+0 (own)",
    "",
    "head 1  |████    |",
    "head 2  |▓░  ████|",
  ]);
  // Head 2 learns in steps 1, 2 at 1e-3 and 2/3 of it, and in 5 to 8 at 1e-2 * (1, 2/3, 1/3, 0), twice as fast as the rest.
  const sum = 2 * (1e-3 * (1 + 2 / 3) + 1e-2 * 2);
  assert.equal(lines.at(-2), `2               6               6                 ${sum.toFixed(4)}`);
});

Deno.test("showCurriculum() says that adaptive's phases may begin earlier, and takes runs of any length", () => {
  assert.match(shown("adaptive", 3)[1]!, /^Its phases begin at the latest where they are shown/);
  for (const steps of [1, 63, 64, 65, 200_000]) {
    const chart = shown("forward", 3, { steps }).filter((line) =>
      line.startsWith("head ") && line.includes("|")
    );
    assert.deepEqual(chart.map((line) => line.length), Array(3).fill(10 + Math.min(64, steps)));
  }
});

/** What stays of a run's checkpoints, and that a save which fails costs the run nothing but that save. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Interrupted } from "../../src/stage/errors.ts";
import { checkpointsIn } from "../../src/train/checkpoint.ts";
import {
  configs,
  interrupted,
  makeText,
  metricsOf,
  readJson,
  results,
  stopAfter,
  trainArm,
  withRuns,
} from "./fixture.ts";

/** Steps of an arm's checkpoints. */
const stepsOf = (arm: string) => checkpointsIn(arm).map((path) => Number(path.slice(-8)));

/** Names in the folder of an arm's checkpoints. */
const namesIn = (arm: string) =>
  [...Deno.readDirSync(join(arm, "checkpoints"))].map(({ name }) => name).sort();

withRuns("only the newest checkpoints are kept, and one save a step is enough", async (folder) => {
  await makeText(folder);
  const { arm } = configs("arm.train.checkpoint_every=1", "arm.train.keep=3", "arm.train.keep_best=false");
  await assert.rejects(trainArm(folder, arm, stopAfter(5)), Interrupted);
  assert.deepEqual(stepsOf(join(folder, "arm")), [3, 4, 5]);
  await trainArm(folder, arm);
  assert.deepEqual(stepsOf(join(folder, "arm")), [10, 11, 12]);
});

withRuns("the best checkpoint stays, too, and checkpoints.json names it", async (folder) => {
  await makeText(folder);
  // Far too high a rate after a gentle start: held-out text gets worse and worse.
  const { arm } = configs(
    "arm.train.checkpoint_every=2",
    "arm.train.keep=1",
    "arm.train.lr=0.3",
    "arm.train.warmup=12",
    "arm.train.clip=0",
  );
  await trainArm(folder, arm);
  const bits = metricsOf(join(folder, "arm")).filter(({ kind }) => kind === "validation")
    .map(({ step, bits_per_byte }) => [step, bits_per_byte] as [number, number]);
  const [best] = bits.reduce((a, b) => b[1] <= a[1] ? b : a);
  assert.ok(best < 12, `the best is the last: ${bits}`);
  assert.deepEqual(stepsOf(join(folder, "arm")), [best, 12]);
  const index = readJson(join(folder, "arm/checkpoints/checkpoints.json"));
  const name = (step: number) => `step-${String(step).padStart(8, "0")}`;
  assert.deepEqual([index.newest, index.best], [name(12), name(best)]);
});

/** While it lasts, the disk is full whenever state.json after one of these steps is written. */
function fullDiskAt(...steps: number[]): Disposable {
  const original = Deno.FsFile.prototype.writeSync;
  Deno.FsFile.prototype.writeSync = function (bytes) {
    const text = new TextDecoder().decode(bytes.subarray(0, 200));
    const isRefused = steps.some((step) =>
      new RegExp(`"foretoken-checkpoint"[^]*"step": ${step},`).test(text)
    );
    if (isRefused) throw new Error("No space left on device (os error 28)");
    return original.call(this, bytes);
  };
  return { [Symbol.dispose]: () => void (Deno.FsFile.prototype.writeSync = original) };
}

withRuns("a disk that is full in a save does not stop the training, which warns", async (folder) => {
  await makeText(folder);
  using _full = fullDiskAt(4, 8);
  const lines = await trainArm(folder, configs().arm);
  const warnings = lines.filter((line) => line.startsWith("warning: "));
  assert.equal(warnings.length, 2, String(lines));
  assert.match(
    warnings[0]!,
    /^warning: The checkpoint of step 4 is not saved \(there is none yet\), training goes on: Cannot write ".*": no space left on device; free some space/,
  );
  assert.deepEqual(namesIn(join(folder, "arm")), ["checkpoints.json", "step-00000012"]);
  const warned = metricsOf(join(folder, "arm")).filter(({ kind }) => kind === "warning");
  assert.deepEqual(warned.map(({ name, step }) => [name, step]), [["not_saved", 4], ["not_saved", 8]]);
});

withRuns("what the writing thread is refused does not stop the training either", async (folder) => {
  await makeText(folder);
  const original = Deno.mkdirSync;
  Deno.mkdirSync = (path, options) => {
    original(path, options);
    if (String(path).endsWith("step-00000004.partial")) original(join(String(path), "optimizer.safetensors"));
  };
  try {
    const lines = await trainArm(folder, configs().arm);
    assert.match(String(lines), /step 4 is not saved .*Cannot write ".*step-00000004": is a directory/);
  } finally {
    Deno.mkdirSync = original;
  }
  assert.deepEqual(namesIn(join(folder, "arm")), ["checkpoints.json", "step-00000008", "step-00000012"]);
});

withRuns(
  "a last save that fails is an error; the run goes on from the checkpoint before to the same bits",
  async (folder) => {
    const { arm, checkpoint } = await interrupted(folder);
    {
      using _full = fullDiskAt(8, 12);
      await assert.rejects(trainArm(folder, arm), {
        name: "UserError",
        message: /^Cannot write ".*step-00000012.*": no space left on device; free some space/,
      });
    }
    assert.deepEqual(namesIn(join(folder, "arm")), ["checkpoints.json", "step-00000004", "step-00000006"]);
    assert.equal(checkpointsIn(join(folder, "arm")).at(-1), checkpoint);
    await trainArm(folder, arm);
    await trainArm(folder, { ...arm, id: "whole" });
    assert.deepEqual(results(join(folder, "arm")), results(join(folder, "whole")));
  },
);

withRuns(
  "a stop that cannot be saved is an error, and not a run that can go on from there",
  async (folder) => {
    await makeText(folder);
    using _full = fullDiskAt(6);
    const stopped = trainArm(folder, configs().arm, stopAfter(6));
    await assert.rejects(stopped, { name: "UserError", message: /no space left/ });
    assert.deepEqual(stepsOf(join(folder, "arm")), [4]);
  },
);

withRuns("metrics that a full disk refuses wait, and the run ends as ever", async (folder) => {
  await makeText(folder);
  const { arm } = configs();
  const original = Deno.FsFile.prototype.writeSync;
  let refused = 0;
  Deno.FsFile.prototype.writeSync = function (bytes) {
    const isStep = new TextDecoder().decode(bytes).startsWith('{"kind":"step"');
    if (isStep && refused++ === 0) throw new Error("No space left on device (os error 28)");
    return original.call(this, bytes);
  };
  try {
    const lines = await trainArm(folder, arm);
    const says = /^warning: Cannot write ".*metrics\.jsonl": no space.*wait in memory$/;
    assert.ok(lines.some((line) => says.test(line)), String(lines));
  } finally {
    Deno.FsFile.prototype.writeSync = original;
  }
  await trainArm(folder, { ...arm, id: "whole" });
  assert.deepEqual(results(join(folder, "arm")), results(join(folder, "whole")));
});

/**
 * Proves that a kill loses nothing but the steps since the last checkpoint: stage processes are killed at any moment, and
 * in the middle of saves, and the run still ends with the bits of one that was left alone.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { checkpointsIn, readCheckpoint } from "../../src/train/checkpoint.ts";
import { LAUNCHER, withLauncher } from "../pipeline/launcher.ts";
import { configs, makeText, readJson, results } from "./fixture.ts";

/** Each step is saved, which takes longer than the step: a kill at any moment is likely to meet a save. */
const CONFIG = configs(
  "arm.train.steps=40",
  "arm.train.checkpoint_every=1",
  "arm.train.log_every=7",
  "arm.train.validate_every=15",
).arm;

/** Starts src/stage.ts on the stage `id` of a run folder, as the runner does, but in silence. */
function startStage(folder: string, id: string): Deno.ChildProcess {
  const arm = join(folder, id);
  Deno.mkdirSync(arm, { recursive: true });
  const needs = [{ id: "text", run: "prepare" }];
  const stage = { id, run: "train", config: { ...CONFIG, id }, needs, version: 1, fingerprint: "" };
  Deno.writeTextFileSync(join(arm, "stage.json"), JSON.stringify(stage));
  const flags = ["--allow-env", `--allow-read=${folder}`, `--allow-write=${arm}`, "--allow-ffi=native/build"];
  const deno = [Deno.execPath(), "run", "--no-prompt", "--cached-only", ...flags, "src/stage.ts", folder, id];
  return new Deno.Command(LAUNCHER, {
    args: ["--rx", "/", "--rw", arm, "--dev", "/dev/null", "--", ...deno],
    clearEnv: true,
    env: { DENO_DIR: "/dev/null/deno", GOMP_SPINCOUNT: "10000" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

const statusOf = (folder: string, id: string) => readJson(join(folder, id, "status.json"));

async function runToItsEnd(folder: string, id: string): Promise<void> {
  const { code } = await startStage(folder, id).status;
  if (code !== 0) assert.fail(`the stage ended with ${code}: ${JSON.stringify(statusOf(folder, id))}`);
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits for what a child is to do; false where it ended before. */
async function until(child: Deno.ChildProcess, condition: () => boolean): Promise<boolean> {
  let ended = false;
  child.status.then(() => ended = true);
  while (!condition()) {
    if (ended) return false;
    await pause(1);
  }
  return true;
}

const stepOf = (arm: string) => Number(checkpointsIn(arm).at(-1)?.slice(-8) ?? 0);

function isSaving(arm: string): boolean {
  try {
    return [...Deno.readDirSync(join(arm, "checkpoints"))].some(({ name }) => name.endsWith(".partial"));
  } catch {
    return false; // not yet there
  }
}

withLauncher(
  "a run that is killed again and again ends with the bits of one that was left alone",
  async (folder) => {
    await makeText(folder);
    await runToItsEnd(folder, "whole");
    const arm = join(folder, "killed");
    let kills = 0;
    for (let attempt = 0; kills < 6; attempt++) {
      assert.ok(attempt < 10, `only ${kills} of ${attempt} processes lived until they were to be killed`);
      const before = stepOf(arm);
      const child = startStage(folder, "killed");
      let lived = await until(child, () => stepOf(arm) > before);
      if (attempt % 2 === 0) lived &&= await until(child, () => isSaving(arm));
      else await pause(Math.random() * 40);
      if (lived) child.kill("SIGKILL");
      const { signal } = await child.status;
      if (signal !== "SIGKILL") continue;
      kills++;
      const newest = checkpointsIn(arm).at(-1)!;
      assert.equal(readCheckpoint(newest, ["model", "optimizer"], "").step, stepOf(arm)); // whole: its checksums fit
      assert.ok(stepOf(arm) > before);
    }
    await runToItsEnd(folder, "killed");
    assert.deepEqual(results(arm), results(join(folder, "whole")));
    const left = [...Deno.readDirSync(join(arm, "checkpoints"))].map(({ name }) => name).sort();
    assert.deepEqual(left, ["step-00000039", "step-00000040"]);

    // SIGTERM: the step ends, is saved, and the code says that the run can go on.
    const child = startStage(folder, "asked");
    await until(child, () => stepOf(join(folder, "asked")) > 0);
    child.kill("SIGTERM");
    assert.equal((await child.status).code, 75);
    assert.equal(statusOf(folder, "asked").state, "interrupted");
    assert.ok(stepOf(join(folder, "asked")) < 40);
    await runToItsEnd(folder, "asked");
    assert.deepEqual(results(join(folder, "asked")), results(join(folder, "whole")));
  },
);

/**
 * Proves that a kill loses nothing but the steps since the last checkpoint: stage processes are killed at any moment, and
 * in the middle of saves, and the run still ends with the bits of one that was left alone.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { checkpointsIn, PARTS, readCheckpoint } from "../../src/train/checkpoint.ts";
import { LAUNCHER, withLauncher } from "../pipeline/launcher.ts";
import { configs, makeText, readJson, results } from "./fixture.ts";

/** Each step is saved, which takes longer than the step: a kill at any moment is likely to meet a save. */
const CADENCE = [
  "arm.train.steps=30",
  "arm.train.checkpoint_every=1",
  "arm.train.log_every=7",
  "arm.train.validate_every=15",
];

/** What is trained: between them they have all the state that a checkpoint can hold. */
const CONFIGS = {
  forward: configs(...CADENCE).arm,
  adaptive: configs(
    ...CADENCE,
    "arm.curriculum={preset: adaptive, wake: copy, window: 3, threshold: 0.5}",
    "arm.train.optimizer=muon",
    "arm.train.ema=0.9",
    "arm.train.clip=0.5",
  ).arm,
};
type Kind = keyof typeof CONFIGS;

/** Starts src/stage.ts on the stage `id` of a run folder, as the runner does, but in silence. */
function startStage(folder: string, id: string, kind: Kind): Deno.ChildProcess {
  const arm = join(folder, id);
  Deno.mkdirSync(arm, { recursive: true });
  const needs = [{ id: "text", run: "prepare" }];
  const stage = { id, run: "train", config: { ...CONFIGS[kind], id }, needs, version: 1, fingerprint: "" };
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

async function runToItsEnd(folder: string, id: string, kind: Kind): Promise<void> {
  const { code } = await startStage(folder, id, kind).status;
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

/** When a process is killed: each of them again and again. */
const AIMS: readonly ((child: Deno.ChildProcess, arm: string) => Promise<boolean>)[] = [
  // At a random moment after the first new checkpoint: in a step, in a save, between the two.
  async (child, arm) => {
    const before = stepOf(arm);
    const lived = await until(child, () => stepOf(arm) > before);
    await pause(Math.random() * 60);
    return lived;
  },
  // In a save.
  async (child, arm) => {
    const before = stepOf(arm);
    return await until(child, () => stepOf(arm) > before) && await until(child, () => isSaving(arm));
  },
  // While it starts: before or while it reads its checkpoint, or in its first steps.
  async () => {
    await pause(Math.random() * 1000);
    return true;
  },
];

/** Kills of each run. */
const KILLS = 5;

/** Kills a run's processes, one after another, then lets it come to its end. */
async function killAgainAndAgain(folder: string, id: string, kind: Kind): Promise<void> {
  const arm = join(folder, id);
  let kills = 0;
  for (let attempt = 0; kills < KILLS; attempt++) {
    assert.ok(
      attempt < 2 * KILLS,
      `only ${kills} of ${attempt} processes lived until they were to be killed`,
    );
    const before = stepOf(arm);
    const child = startStage(folder, id, kind);
    if (await AIMS[attempt % AIMS.length]!(child, arm)) child.kill("SIGKILL");
    const { signal } = await child.status;
    if (signal !== "SIGKILL") continue;
    kills++;
    assert.ok(stepOf(arm) >= before);
    const newest = checkpointsIn(arm).at(-1);
    if (newest === undefined) continue; // killed before its first one
    assert.equal(readCheckpoint(newest, PARTS, "").step, stepOf(arm)); // whole: its checksums fit
  }
  await runToItsEnd(folder, id, kind);
}

withLauncher(
  "runs that are killed twenty times end with the bits of those that were left alone",
  async (folder) => {
    await makeText(folder);
    const kinds = Object.keys(CONFIGS) as Kind[];
    await Promise.all(kinds.flatMap((kind) => [
      runToItsEnd(folder, kind, kind),
      killAgainAndAgain(folder, `${kind}1`, kind),
      killAgainAndAgain(folder, `${kind}2`, kind),
    ]));
    for (const kind of kinds) {
      for (const id of [`${kind}1`, `${kind}2`]) {
        const arm = join(folder, id);
        assert.deepEqual(results(arm), results(join(folder, kind)));
        const left = [...Deno.readDirSync(join(arm, "checkpoints"))].map(({ name }) => name);
        const rubbish = left.filter((name) => !/^(step-\d{8}|checkpoints\.json)$/.test(name));
        assert.deepEqual(rubbish, []);
      }
    }
  },
);

withLauncher("a stage that is asked to stop saves its step, and says that it can go on", async (folder) => {
  await makeText(folder);
  const arm = join(folder, "asked");
  const child = startStage(folder, "asked", "forward");
  await until(child, () => stepOf(arm) > 0);
  child.kill("SIGTERM");
  assert.equal((await child.status).code, 75);
  assert.equal(statusOf(folder, "asked").state, "interrupted");
  const step = stepOf(arm);
  assert.ok(0 < step && step < 30);
  assert.equal(readCheckpoint(checkpointsIn(arm).at(-1)!, PARTS, "").step, step);
});

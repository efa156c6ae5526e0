/** What has run is skipped, what was begun goes on, and what changed starts over unless that would cost a training. */

import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { clearStage } from "../../src/pipeline/clear.ts";
import { type PlannedStage, planPipeline, stageFileOf } from "../../src/pipeline/plan.ts";
import { sealsOf } from "../../src/pipeline/seals.ts";
import { checkRunFormat } from "../../src/pipeline/run_file.ts";
import { select } from "../../src/pipeline/select.ts";
import { writeStageFile, writeStatus } from "../../src/pipeline/stage_files.ts";
import { UserError } from "../../src/stage/errors.ts";
import { withFiles } from "../support.ts";
import { leave, smallPipeline } from "./fixture.ts";

const states = (plan: readonly PlannedStage[]) => plan.map(({ state }) => state);
const actions = (plan: readonly PlannedStage[], force = false) =>
  select(plan, { force }, ASKED).map(({ action }) => action);

const ASKED = { file: "small.yaml", words: "small.yaml --set name=a" };
const COMMAND = { file: "small.yaml", set: [] };

function checkpoint({ folder }: PlannedStage): void {
  Deno.mkdirSync(join(folder, "checkpoints/step-00000004"), { recursive: true });
}

withFiles("planPipeline() finds stages new, done, begun and changed", (run) => {
  const plan = (...overrides: string[]) => planPipeline(smallPipeline(...overrides), run);
  assert.deepEqual(states(plan()), ["new", "new", "new", "new", "new"]);
  const [text, arm, score, speed] = plan();
  for (const stage of [text!, arm!, score!]) leave(stage, "done");
  leave(speed!, "failed");
  assert.deepEqual(states(plan()), ["done", "done", "done", "continue", "new"]);
  assert.deepEqual(actions(plan()), ["skip", "skip", "skip", "run", "run"]);

  assert.deepEqual(states(plan("score.tokens=7")), ["done", "done", "changed", "continue", "new"]);
  assert.deepEqual(plan("score.tokens=7")[2]!.changes, ["tokens: 200000 before, 7 now"]);
  assert.deepEqual(actions(plan("score.tokens=7")), ["skip", "skip", "clear and run", "run", "run"]);
});

withFiles("planPipeline() makes anew what follows from a stage that is made anew", (run) => {
  const plan = planPipeline(smallPipeline(), run);
  for (const stage of plan) leave(stage, "done");
  leave(plan[1]!, "interrupted");
  assert.deepEqual(states(planPipeline(smallPipeline(), run)), [
    "done",
    "continue",
    "changed",
    "changed",
    "changed",
  ]);
});

withFiles("planPipeline() makes anew what follows from a stage that was run once more", (run) => {
  for (const stage of planPipeline(smallPipeline(), run)) leave(stage, "done");
  leave(planPipeline(smallPipeline(), run)[1]!, "done"); // with --force, say: nothing of its settings is new
  assert.deepEqual(states(planPipeline(smallPipeline(), run)), [
    "done",
    "done",
    "changed",
    "changed",
    "changed",
  ]);
});

withFiles("planPipeline() believes no status of another attempt", (run) => {
  const [text] = planPipeline(smallPipeline(), run);
  leave(text!, "done");
  const [changed] = planPipeline(smallPipeline("text.bytes=3e4"), run);
  writeStageFile(changed!.folder, stageFileOf(changed!, COMMAND)); // and killed before the stage said anything
  assert.equal(planPipeline(smallPipeline("text.bytes=3e4"), run)[0]!.state, "continue");
});

withFiles("select() refuses to throw away checkpoints of another config unless forced", (run) => {
  const [text, arm] = planPipeline(smallPipeline(), run);
  leave(text!, "done");
  leave(arm!, "interrupted");
  const changed = planPipeline(smallPipeline("arm.train.steps=5"), run);
  assert.equal(actions(changed)[1], "clear and run"); // there was nothing to lose
  checkpoint(arm!);
  assert.throws(() => actions(changed), (error) => {
    assert(error instanceof UserError);
    assert.equal(
      error.message,
      "arm holds checkpoints of an earlier run (train.steps: 4 before, 5 now; train.warmup: 0 before, 1 now): to throw them away, add --force " +
        "(or only for it: `deno task train small.yaml --set name=a --stage arm --force`); to keep them, choose another name " +
        "for the pipeline (--set name=...) or for the stage",
    );
    return true;
  });
  assert.equal(actions(changed, true)[1], "clear and run");
});

withFiles("select() lets a training look for itself when only its text was made anew", (run) => {
  const [text, arm] = planPipeline(smallPipeline(), run);
  leave(text!, "done");
  leave(arm!, "done");
  checkpoint(arm!);
  const plan = planPipeline(smallPipeline("text.bytes=3e4"), run);
  assert.deepEqual(states(plan).slice(0, 2), ["changed", "changed"]);
  assert.deepEqual(actions(plan).slice(0, 2), ["clear and run", "run"]);
});

withFiles("select() runs one stage or one kind, once what they need is done", (run) => {
  const plan = () => planPipeline(smallPipeline(), run);
  const ids = (selection: Parameters<typeof select>[1]) =>
    select(plan(), selection, ASKED).map(({ stage, action }) => `${stage.config.id}: ${action}`);
  assert.throws(() => ids({ kind: "train", force: false }), {
    message:
      "arm needs text, which is not done: run `deno task prepare small.yaml --set name=a --stage text`, or " +
      "`deno task pipeline small.yaml --set name=a` for all",
  });
  leave(plan()[0]!, "done");
  assert.deepEqual(ids({ kind: "train", force: false }), ["arm: run"]);
  leave(plan()[1]!, "done");
  assert.deepEqual(ids({ kind: "train", force: false }), ["arm: skip"]);
  assert.deepEqual(ids({ kind: "train", force: true }), ["arm: skip"]);
  assert.deepEqual(ids({ kind: "train", only: ["arm"], force: true }), ["arm: clear and run"]);
  assert.throws(() => ids({ kind: "train", only: ["amr"], force: false }), {
    message: 'small.yaml has no train stage "amr": there is arm: did you mean "arm"?',
  });
});

withFiles("clearStage() removes a stage's own files and leaves the rest", (folder) => {
  Deno.mkdirSync(join(folder, "checkpoints/step-00000001"), { recursive: true });
  for (const name of ["metrics.jsonl", "train.json.partial", "status.json", "log.txt", "lock", "notes.txt"]) {
    Deno.writeTextFileSync(join(folder, name), "");
  }
  const { removeSync } = Deno;
  const removed: string[] = [];
  Deno.removeSync = (path, options) => {
    removed.push(basename(String(path)));
    removeSync(path, options);
  };
  try {
    clearStage(folder, "train");
  } finally {
    Deno.removeSync = removeSync;
  }
  assert.equal(removed[0], "status.json"); // else a kill on the way leaves "done" beside half of the results
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["lock", "notes.txt"]);
});

withFiles("planPipeline() tells results that were changed after their stage had ended", (run) => {
  for (const stage of planPipeline(smallPipeline(), run)) leave(stage, "done");
  const score = planPipeline(smallPipeline(), run)[2]!;
  const results = join(score.folder, "eval.json");
  Deno.writeTextFileSync(results, `{"bits_per_byte": 2}`);
  const status = JSON.parse(Deno.readTextFileSync(join(score.folder, "status.json")));
  writeStatus(score.folder, { ...status, results: sealsOf(score.folder, "eval") });
  assert.deepEqual(states(planPipeline(smallPipeline(), run)), ["done", "done", "done", "done", "done"]);
  Deno.writeTextFileSync(results, `{"bits_per_byte": 1}`);
  const plan = planPipeline(smallPipeline(), run);
  assert.deepEqual(plan[2]!.changes, ["eval.json: not as the stage left it"]);
  assert.deepEqual(actions(plan), ["skip", "skip", "clear and run", "skip", "clear and run"]);
  Deno.removeSync(results);
  assert.equal(planPipeline(smallPipeline(), run)[2]!.state, "changed");
});

withFiles("planPipeline() refuses a folder in which a stage of another kind has run", (run) => {
  const [text] = planPipeline(smallPipeline(), run);
  leave(text!, "done");
  const file = stageFileOf(text!, COMMAND);
  writeStageFile(text!.folder, { ...file, run: "distill" as never }); // a kind that a later version knows
  assert.throws(() => planPipeline(smallPipeline(), run), (error) => {
    assert(error instanceof UserError);
    assert.equal(
      error.message,
      `${text!.folder} holds the stage text that ran \`distill\`, and text runs \`prepare\`: ` +
        "remove that folder, or choose another id for the stage",
    );
    return true;
  });
});

withFiles("a report is made anew when more of what it needs is done", (run) => {
  const page = (plan: readonly PlannedStage[]) => plan[4]!;
  const plan = planPipeline(smallPipeline(), run);
  for (const stage of plan.slice(0, 3)) leave(stage, "done");
  leave(plan[3]!, "failed");
  leave(page(plan), "done");
  assert.deepEqual(states(planPipeline(smallPipeline(), run)), ["done", "done", "done", "continue", "done"]);
  assert.deepEqual(actions(planPipeline(smallPipeline(), run)), [
    "skip",
    "skip",
    "skip",
    "run",
    "clear and run",
  ]);
  leave(plan[3]!, "done");
  assert.equal(page(planPipeline(smallPipeline(), run)).state, "changed");
});

withFiles("planPipeline() says so where stage.json describes no stage", (run) => {
  const folder = join(run, "text");
  Deno.mkdirSync(folder);
  for (const text of ["null", "{}", "[]", '{"id":"text","run":"prepare"}']) {
    Deno.writeTextFileSync(join(folder, "stage.json"), text);
    assert.throws(() => planPipeline(smallPipeline(), run), (error) => {
      assert(error instanceof UserError, text);
      assert.match(error.message, /^Cannot read ".*\/text\/stage\.json": it does not describe a stage; /);
      return true;
    });
  }
  Deno.writeTextFileSync(join(run, "pipeline.json"), "null");
  checkRunFormat(run); // it is written anew
});

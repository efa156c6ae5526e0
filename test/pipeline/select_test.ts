/** What a command means: one stage, all of a matrix, what follows from a stage, and what starts over. */

import assert from "node:assert/strict";
import { planPipeline } from "../../src/pipeline/plan.ts";
import { select, type Selection } from "../../src/pipeline/select.ts";
import { UsageError } from "../../src/stage/errors.ts";
import { withFiles } from "../support.ts";
import { leave, smallPipeline } from "./fixture.ts";

const ASKED = { file: "small.yaml", words: "small.yaml" };
const MATRIX = "arm.matrix={seed: [1, 2]}";
const EACH = ["score.each=arm", "score.needs=[text]", "speed.each=arm", "speed.needs=[text]"];

/** The selected stages as `id: action`. */
function chosen(run: string, selection: Partial<Selection>, ...set: string[]): string[] {
  const config = smallPipeline(...set);
  const tasks = select(planPipeline(config, run), { force: false, ...selection }, ASKED, config.groups);
  return tasks.map(({ stage, action }) => `${stage.config.id}: ${action}`);
}

withFiles("select() takes the stages of a matrix by its name, and by their own", (run) => {
  for (const stage of planPipeline(smallPipeline(MATRIX, ...EACH), run).slice(0, 1)) leave(stage, "done");
  assert.deepEqual(chosen(run, { only: ["arm"] }, MATRIX, ...EACH), ["arm-s1: run", "arm-s2: run"]);
  assert.deepEqual(chosen(run, { only: ["arm-s2"] }, MATRIX, ...EACH), ["arm-s2: run"]);
  assert.deepEqual(chosen(run, { kind: "train", only: ["arm-s1"] }, MATRIX, ...EACH), ["arm-s1: run"]);
  assert.throws(() => chosen(run, { only: ["arn"] }, MATRIX, ...EACH), (error) => {
    assert(error instanceof UsageError);
    assert.equal(
      error.message,
      'small.yaml has no stage "arn": there is arm, score, speed, text, page: did you mean "arm"?',
    );
    return true;
  });
});

withFiles("select() takes what follows from a stage, and nothing beside it", (run) => {
  for (const stage of planPipeline(smallPipeline(), run).slice(0, 2)) leave(stage, "done");
  assert.deepEqual(chosen(run, { from: ["score"] }), ["score: run", "page: run"]);
  assert.throws(
    () => chosen(run, { from: ["page"] }, "page.needs=[score, speed]"),
    /page needs score, which is not done/,
  );
});

withFiles("select() starts named stages over, and what follows from them", (run) => {
  for (const stage of planPipeline(smallPipeline(), run)) leave(stage, "done");
  assert.deepEqual(chosen(run, {}).filter((line) => !line.endsWith("skip")), []);
  assert.deepEqual(chosen(run, { force: ["score"] }), [
    "text: skip",
    "arm: skip",
    "score: clear and run",
    "speed: skip",
    "page: clear and run",
  ]);
  assert.throws(() => chosen(run, { only: ["page"], force: ["score"] }), {
    message: "--force score: it is not among the stages that are to run",
  });
  assert.deepEqual(chosen(run, { force: true }).filter((line) => !line.endsWith("skip")), []);
});

withFiles("select() lets a report be made of what there is, but not of nothing", (run) => {
  for (const stage of planPipeline(smallPipeline(), run).slice(0, 2)) leave(stage, "done");
  assert.deepEqual(chosen(run, { kind: "report" }), ["page: run"]);
  assert.throws(
    () => chosen(run, { kind: "report" }, "page.needs=[score]"),
    /page needs score, which is not done/,
  );
});

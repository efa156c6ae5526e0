/** How long stages take is told by what such stages took, in proportion to their work. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { Estimator, sideBySide } from "../../src/pipeline/estimate.ts";
import { planPipeline } from "../../src/pipeline/plan.ts";
import { workOf } from "../../src/pipeline/work.ts";
import { withFiles } from "../support.ts";
import { leave, smallPipeline } from "./fixture.ts";

const workIn = (index: number, ...set: string[]) => {
  const { stages } = smallPipeline(...set);
  const config = stages[index]!;
  return workOf({ config, needs: stages.filter(({ id }) => config.needs.includes(id)) })!;
};

Deno.test("workOf() grows with steps, heads that are awake, scored tokens, and generated ones", () => {
  assert.equal(workIn(1, "arm.train.steps=8"), 2 * workIn(1));
  const four = ["arm.model.heads.count=4"];
  const [ntp, forward, mtp] = ["ntp", "forward", "mtp"].map((c) => workIn(1, ...four, `arm.curriculum=${c}`));
  // Over four steps forward has 1, 2, 3 and 4 heads awake: on the mean as many as lie between one and four.
  assert.equal(2 * forward!, ntp! + mtp!);
  assert.equal(workIn(2, "score.stride=0.25"), 2 * workIn(2));
  assert.equal(workIn(3, "speed.prompts=32"), 2 * workIn(3));
});

withFiles(
  "estimate() scales what was measured in any run of the folder, and says where nothing was",
  (runs) => {
    const here = join(runs, "here");
    const arm = () => planPipeline(smallPipeline("arm.train.steps=8"), here)[1]!;
    assert.equal(new Estimator(here).estimate(arm())!.measured, false);
    const [text, before] = planPipeline(smallPipeline(), join(runs, "before"));
    leave(text!, "done", 3);
    leave(before!, "done", 50);
    assert.deepEqual(new Estimator(here).estimate(arm()), { seconds: 100, measured: true });
    const far = planPipeline(smallPipeline("arm.train.steps=100000"), here)[1]!;
    assert.equal(new Estimator(here).estimate(far)!.measured, false);
  },
);

withFiles("estimate() knows nothing of a download or a text that is not there", (runs) => {
  const [text] = planPipeline(smallPipeline("text.input=[/nowhere/at/all]"), join(runs, "here"));
  assert.equal(new Estimator(join(runs, "here")).estimate(text!), undefined);
});

withFiles("estimate() passes over what another run's folder has of no stage, or of half a one", (runs) => {
  const broken = ["null", "{}", '{"id":"x","run":"train","config":{"run":"train"}}', "x{"];
  for (const [i, text] of broken.entries()) {
    const folder = join(runs, "other", String(i));
    Deno.mkdirSync(folder, { recursive: true });
    Deno.writeTextFileSync(join(folder, "stage.json"), text);
    Deno.writeTextFileSync(join(folder, "status.json"), '{"state":"done"}');
  }
  const here = join(runs, "here");
  const [text] = planPipeline(smallPipeline(), here);
  assert.equal(new Estimator(here).estimate(text!)!.measured, false);
  // One whose time was not put down.
  const [before] = planPipeline(smallPipeline(), join(runs, "before"));
  leave(before!, "done");
  Deno.writeTextFileSync(join(before!.folder, "status.json"), '{"state":"done"}');
  assert.equal(new Estimator(here).estimate(text!)!.measured, false);
});

Deno.test("sideBySide() lets stages share the time, but for those that run alone", () => {
  const [, arm, score, speed] = smallPipeline().stages;
  const seconds = 60;
  assert.equal(sideBySide([arm!, score!, speed!].map((config) => ({ config, seconds })), 2), 30 + 30 + 60);
});

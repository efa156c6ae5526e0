/** A size is a named set of changes, applied before those of the command line. */

import assert from "node:assert/strict";
import { parsePipeline } from "../../src/config/load.ts";
import { UsageError } from "../../src/stage/errors.ts";

const FILE = `name: study
device: cpu
size: laptop
sizes:
  laptop: {}
  gpu: { "*.train.steps": 900, "arm.matrix.seed": [1, 2, 3], device: cuda }
  typo: { "arm.train.stpes": 9 }
  wrong: { "arm.train.steps": many }
stages:
  - { id: text, run: prepare, input: stories }
  - id: arm
    run: train
    needs: [text]
    matrix: { seed: [1] }
    model: { preset: 1m, context: 64 }
    train: { steps: 4 }
`;

/** Device, number of arms, their steps. */
function facts(...set: string[]): unknown[] {
  const { device, stages } = parsePipeline(FILE, "f.yaml", "/base", set);
  const arms = stages.filter((stage) => stage.run === "train");
  return [device, arms.length, arms[0]!.train.steps];
}

Deno.test("a size changes what it names, and the command line has the last word", () => {
  assert.deepEqual(facts(), ["cpu", 1, 4]);
  assert.deepEqual(facts("size=gpu"), ["cuda", 3, 900]);
  assert.deepEqual(facts("arm.train.steps=7", "size=gpu"), ["cuda", 3, 7]);
});

const REFUSED: [set: string, message: RegExp][] = [
  [
    "size=gpus",
    /^--set size=gpus: expected laptop \| gpu \| typo \| wrong, found "gpus": did you mean "gpu"\?$/,
  ],
  ["size=typo", /^f\.yaml:7:30: sizes\.typo: arm\.train\.stpes: .*did you mean "steps"/],
  [
    "size=wrong",
    /^f\.yaml:8:31: sizes\.wrong: arm\.train\.steps: .*expected a number, found "many"$/,
  ],
];
for (const [set, message] of REFUSED) {
  Deno.test(`--set ${set} is refused where it stands`, () => {
    assert.throws(() => facts(set), (error) => {
      assert(error instanceof UsageError);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("a file without sizes has none to take", () => {
  const text = FILE.replace(/size: laptop\nsizes:\n( {2}.*\n)+?stages/, "stages");
  assert.throws(
    () => parsePipeline(text, "f.yaml", "/base", ["size=gpu"]),
    /--set size=gpu: f\.yaml has no sizes/,
  );
});

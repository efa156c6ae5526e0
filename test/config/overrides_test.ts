/** `--set` changes what it names and nothing else, and says so where it names nothing. */

import assert from "node:assert/strict";
import { parsePipeline } from "../../src/config/load.ts";
import type { TrainConfig } from "../../src/config/schema.ts";
import { UsageError } from "../../src/stage/errors.ts";

const TWO_ARMS = `name: two
stages:
  - { id: text, run: prepare, input: stories }
  - { id: a, run: train, needs: [text], model: &model { width: 64, layers: 1, attention_heads: 2, context: 16 }, train: &train { steps: 40 } }
  - { id: b, run: train, needs: [text], model: *model, train: *train }
`;
const parse = (...overrides: string[]) => parsePipeline(TWO_ARMS, "f.yaml", "/base", overrides);
const arms = (...overrides: string[]) => parse(...overrides).stages.slice(1) as [TrainConfig, TrainConfig];
const steps = (...overrides: string[]) => arms(...overrides).map(({ train }) => train.steps);

Deno.test("--set changes one stage and leaves the other that shares its anchor", () => {
  assert.deepEqual(steps("a.train.steps=10"), [10, 40]);
  assert.deepEqual(steps("stages.b.train.steps=1e1"), [40, 10]);
  assert.deepEqual(steps("stages[1].train.steps=10"), [10, 40]);
  assert.deepEqual(steps("stages.2.train.steps=10"), [40, 10]);
});

Deno.test("--set with * changes every stage that knows the key, and the last one counts", () => {
  assert.deepEqual(steps("*.train.steps=10", "b.train.steps=20"), [10, 20]);
  assert.deepEqual(steps("b.train.steps=20", "stages.*.train.steps=10"), [10, 10]);
});

Deno.test("--set changes keys of the file, for every stage", () => {
  assert.deepEqual(arms("device=cpu", "seed=3").map(({ device, seed }) => [device, seed]), [["cpu", 3], [
    "cpu",
    3,
  ]]);
});

Deno.test("--set takes values that are maps and lists, and keys that the file leaves out", () => {
  const [a] = arms("a.model.heads.count=2", "a.curriculum={phases: [{until: 1, weights: [1, 0.5]}]}");
  assert.equal(a.model.heads.count, 2);
  assert.deepEqual(a.curriculum, { phases: [{ until: 1, weights: [1, 0.5] }] });
  const [changed] = arms(
    "a.model.heads.count=2",
    "a.curriculum={phases: [{until: 1, weights: [1, 0]}]}",
    "a.curriculum.phases.0.weights.1=1",
  );
  assert.deepEqual(changed.curriculum, { phases: [{ until: 1, weights: [1, 1] }] });
});

Deno.test("--set says what is wrong with its path or value", () => {
  const cases: [override: string, line: string][] = [
    ["steps", "--set steps: expected a path, = and a value, as in --set device=cpu"],
    ["txt.bytes=1", '--set txt.bytes=1: "txt" is no stage and no key of the file: did you mean "text"?'],
    ["stages.c.bytes=1", '--set stages.c.bytes=1: "c" is no stage'],
    ["devise=cpu", '--set devise=cpu: "devise" is no stage and no key of the file: did you mean "device"?'],
    ["*.train.stepz=1", "--set *.train.stepz=1: no stage has a key train.stepz"],
    ["a.train.stepz=1", '--set a.train.stepz=1: stages[1].train: unknown key "stepz": did you mean "steps"?'],
    ["a.train.steps=x", '--set a.train.steps=x: stages[1].train.steps: expected a number, found "x"'],
    ["a.train.steps=", "--set a.train.steps=: stages[1].train.steps: expected a number, found nothing"],
    ["a.run.x=1", '--set a.run.x=1: "x" cannot be set inside "train"'],
    ["a.needs.5=text", '--set a.needs.5=text: "5" cannot be set inside a list'],
    [
      "a.train.steps=[",
      "--set a.train.steps=[:1:2: Flow sequence must end with a ]",
    ],
    ["a.train={}", "--set a.train={}: stages[1].train.steps: missing: expected a number"],
    [
      "a.train.warmup=50",
      "--set a.train.warmup=50: stages[1].train.warmup: expected at most as many as steps (40), found 50",
    ],
  ];
  for (const [override, line] of cases) {
    assert.throws(() => parse(override), (error) => {
      assert(error instanceof UsageError, String(error));
      assert.equal(error.message, line);
      return true;
    });
  }
});

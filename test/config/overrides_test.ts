/** `--set` changes what it names and nothing else, and says so where it names nothing. */

import assert from "node:assert/strict";
import { parsePipeline } from "../../src/config/load.ts";
import type { TrainConfig } from "../../src/config/schema.ts";
import { UsageError } from "../../src/stage/errors.ts";

const TWO_ARMS = `name: two
stages:
  - { id: text, run: prepare, input: stories }
  - { id: a, run: train, needs: [text], model: &model { width: 64, layers: 1, attention_heads: 2, context: 16 }, curriculum: ntp, train: &train { steps: 40 } }
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
    ["*.train.stepz=1", '--set *.train.stepz=1: no stage has a key train.stepz: did you mean "steps"?'],
    ["a.train.stepz=1", '--set a.train.stepz=1: stages[1].train: unknown key "stepz": did you mean "steps"?'],
    ["a.train.steps=x", '--set a.train.steps=x: stages[1].train.steps: expected a number, found "x"'],
    ["a.train.steps=", "--set a.train.steps=: stages[1].train.steps: expected a number, found nothing"],
    ["a.run.x=1", '--set a.run.x=1: "x" cannot be set inside "train"'],
    ["a.needs.5=text", '--set a.needs.5=text: "5" cannot be set inside a list'],
    [
      "text.input=[a,",
      "--set text.input=[a,: Flow sequence must end with a ]; a shell cuts at spaces and takes quotes away: " +
      "quote the whole change, as in --set 'text.input=[a, b]'",
    ],
    [
      "text.input=*.txt",
      "--set text.input=*.txt: Unresolved alias (the anchor must be set before the alias): .txt; " +
      `YAML takes a * at the beginning for a sign of its own: --set 'text.input="*.txt"'`,
    ],
    [
      "a.train.lr",
      "--set a.train.lr: = and a value are missing, as in --set a.train.lr=VALUE: expected a number",
    ],
    [
      "device",
      "--set device: = and a value are missing, as in --set device=VALUE: expected auto | cpu | cuda",
    ],
    ["=5", "--set =5: expected a path, = and a value, as in --set device=cpu"],
    [
      "train.lr=abc",
      '--set train.lr=abc: "train" is no stage and no key of the file: stages have it; ' +
      "set a.train.lr, or *.train.lr for all of them",
    ],
    ["a.train.lr=abc", '--set a.train.lr=abc: stages[1].train.lr: expected a number, found "abc"'],
    [
      "a.train.steps=4_000",
      '--set a.train.steps=4_000: stages[1].train.steps: expected a number, found "4_000": write 4000',
    ],
    [
      "a.train.steps=2k",
      '--set a.train.steps=2k: stages[1].train.steps: expected a number, found "2k": write 2e3',
    ],
    [
      "a.train.keep_best=yes",
      '--set a.train.keep_best=yes: stages[1].train.keep_best: expected true or false, found "yes": write true',
    ],
    ["name=7", '--set name=7: name: expected text, found 7: as text it is written "7", in quotes'],
    [
      "a.curriculum.wake=copy",
      '--set a.curriculum.wake=copy: "wake" cannot be set inside "ntp": ' +
      "set a map in its place, as in --set 'a.curriculum={preset: ntp, wake: copy}'",
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

const MATRIX = `name: study
stages:
  - { id: text, run: prepare, input: stories }
  - id: arm
    run: train
    needs: [text]
    matrix: { curriculum: [mtp, forward], model.heads.count: [2, 4], seed: [1, 2] }
    model: { width: 64, layers: 1, attention_heads: 2, context: 16 }
    train: { steps: 40 }
  - { id: eval, run: eval, each: arm, needs: [text] }
`;
const study = (...overrides: string[]) => parsePipeline(MATRIX, "f.yaml", "/base", overrides).stages;

Deno.test("--set of a stage with a matrix reaches all stages that it stands for", () => {
  const arms = study("arm.train.steps=10").filter((stage) => stage.run === "train");
  assert.deepEqual(arms.map(({ train }) => train.steps), Array(8).fill(10));
  const evals = study("eval.tokens=9").filter((stage) => stage.run === "eval");
  assert.deepEqual(evals.map(({ tokens }) => tokens), Array(8).fill(9));
});

Deno.test("--set changes the values of a matrix's axis, whose name may have dots", () => {
  const ids = (...overrides: string[]) => study(...overrides).map(({ id }) => id).slice(1);
  assert.deepEqual(ids("arm.matrix.model.heads.count=[8]", "arm.matrix.seed=[3]", "eval.each=[arm]"), [
    "arm-mtp-8-s3",
    "arm-forward-8-s3",
    "eval-mtp-8-s3",
    "eval-forward-8-s3",
  ]);
  assert.deepEqual(
    ids("arm.matrix={train.batch: [3]}", "arm.matrix.train.clip=[5]").slice(0, 1),
    ["arm-3-5"],
  );
});

Deno.test("--set of one stage of a matrix, or of an axis, says what to set instead", () => {
  const cases: [override: string, line: string][] = [
    [
      "arm-forward-2-s2.train.steps=1",
      '--set arm-forward-2-s2.train.steps=1: "arm-forward-2-s2" is one of the stages that "arm" stands for ' +
      "(matrix): set arm.train.steps, which changes all of them",
    ],
    [
      "stages.eval-mtp-2-s1.tokens=1",
      '--set stages.eval-mtp-2-s1.tokens=1: "eval-mtp-2-s1" is one of the stages that "eval" stands for ' +
      "(each): set eval.tokens, which changes all of them",
    ],
    [
      "arm.curriculum=ntp",
      '--set arm.curriculum=ntp: "curriculum" is an axis of the matrix of "arm": ' +
      "set its values, as in --set 'arm.matrix.curriculum=[...]'",
    ],
    [
      "*.model.heads.count=3",
      '--set *.model.heads.count=3: "model.heads.count" is an axis of the matrix of "arm": ' +
      "set its values, as in --set 'arm.matrix.model.heads.count=[...]'",
    ],
    [
      "arm.train.stpes=3",
      '--set arm.train.stpes=3: stages[1].train: unknown key "stpes": did you mean "steps"?',
    ],
  ];
  for (const [override, line] of cases) {
    assert.throws(() => study(override), (error) => {
      assert(error instanceof UsageError, String(error));
      assert.equal(error.message, line);
      return true;
    });
  }
});

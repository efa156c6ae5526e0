/** Proves that few commands do again what many stages did. */

import assert from "node:assert/strict";
import { commandLines, type StageCommand } from "../../src/report/commands.ts";

const stage = (id: string, run: string, set: string[] = [], of = "study"): StageCommand => ({
  ...{ id, run, of },
  command: { file: "pipelines/study.yaml", set },
});

const hundred = (set: (i: number) => string[]): StageCommand[] => [
  stage("text", "prepare", set(0)),
  ...Array.from({ length: 49 }, (_, i) => stage(`arm-s${i}`, "train", set(i))),
  ...Array.from({ length: 49 }, (_, i) => stage(`eval-s${i}`, "eval", set(0))),
  stage("report", "report", set(0)),
];

Deno.test("commandLines() has one line for a pipeline, however many stages it has", () => {
  assert.deepEqual(commandLines(hundred(() => ["seed=1"])), [
    "npx -y deno@2.9 task pipeline pipelines/study.yaml --set seed=1",
  ]);
});

Deno.test("commandLines() has a line for each kind of stage, and for stages that were run with other settings", () => {
  assert.deepEqual(commandLines(hundred((i) => i === 7 ? ["a=b"] : [])).slice(0, 3), [
    "npx -y deno@2.9 task prepare pipelines/study.yaml --stage text",
    "npx -y deno@2.9 task train pipelines/study.yaml --stage arm-s0",
    "npx -y deno@2.9 task train pipelines/study.yaml --stage arm-s1",
  ]);
  const lines = commandLines(hundred((i) => i === 7 ? ["a=b"] : []));
  assert.equal(lines.length, 1 + 49 + 1 + 1);
  assert.deepEqual(lines.slice(-2), [
    "npx -y deno@2.9 task eval pipelines/study.yaml",
    "npx -y deno@2.9 task report pipelines/study.yaml --stage report",
  ]);
});

Deno.test("commandLines() of several runs has one for each, and the one that compares them", () => {
  const compare = {
    ...stage("report", "report", [], "compare-a-b"),
    command: { file: "foretoken compare a b", set: [] },
  };
  assert.deepEqual(
    commandLines([stage("a/x", "train", [], "a"), stage("b/x", "train", ["k=1"], "b"), compare]),
    [
      "npx -y deno@2.9 task pipeline pipelines/study.yaml",
      "npx -y deno@2.9 task pipeline pipelines/study.yaml --set k=1",
      "npx -y deno@2.9 task foretoken compare a b",
    ],
  );
});

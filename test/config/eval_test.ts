/** Proves that an eval stage which would fail after training, or pass over a key in silence, is refused before. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { loadPipeline, parsePipeline } from "../../src/config/load.ts";
import type { EvalConfig } from "../../src/config/schema.ts";
import { parseTask } from "../../src/config/task/load.ts";
import { withFiles } from "../support.ts";

const pipeline = (keys: string): string =>
  `name: x
stages:
  - { id: text, run: prepare, input: stories, bytes: 2e4 }
  - { id: arm, run: train, needs: [text], model: { preset: 1m, context: 256 }, train: { steps: 1 } }
  - { id: scores, run: eval, needs: [text, arm], ${keys} }
`;

const evalWith = (keys: string) =>
  parsePipeline(pipeline(keys), "x.yaml", "/base").stages.at(-1) as EvalConfig;

function refusal(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    return (error as Error).message.replace(/^.*?:\d+:\d+: /, "");
  }
  assert.fail("nothing was refused");
}

Deno.test("files that a fetch stage brings are refused: an eval stage does not read them", () => {
  const told = "an eval stage reads files of this machine; fetched: files are for prepare stages";
  for (
    const [keys, key] of [
      ["files: 'fetched:raw/a.txt'", "files"],
      ["files: [a.txt, 'fetched:raw/a.txt']", "files"],
      ["tasks: [{ task: piqa, data: ['fetched:raw/a.jsonl'] }]", "tasks[0].data"],
      ["tasks: [{ task: piqa, data: a.jsonl, labels: 'fetched:raw/a.lst' }]", "tasks[0].labels"],
      ["tasks: [{ task: 'fetched:raw/a.yaml', data: a.jsonl }]", "tasks[0].task"],
    ]
  ) {
    assert.equal(refusal(() => evalWith(keys!)), `stages[2].${key}: ${told}`);
  }
});

Deno.test("document says how files are read, and is refused without them", () => {
  assert.equal(
    refusal(() => evalWith("document: file")),
    "stages[2].document: document says how files are read, and the stage names no files: leave it out",
  );
  assert.equal(evalWith("files: a.txt").document, "file");
  assert.equal(evalWith("files: a.txt, document: blank_line").document, "blank_line");
});

withFiles("labels are refused where a task does not read them", (folder) => {
  const file = join(folder, "x.yaml");
  const load = (task: string) => {
    Deno.writeTextFileSync(file, pipeline(`tasks: [{ ${task}, labels: a.lst }]`));
    return loadPipeline(file);
  };
  for (
    const [task, message] of [
      ["task: grammar", "the items of grammar are made up: it takes no labels"],
      ["task: blimp, data: a.jsonl", "blimp has no choices: it takes no labels, which tell the right one"],
      ["task: sciq, data: a.jsonl", "the right choice of sciq is always number 3: it takes no labels"],
    ]
  ) {
    assert.equal(refusal(() => load(task!)), `stages[2].tasks[0]: ${message}`);
  }
  load("task: piqa, data: a.jsonl");
});

Deno.test("a task file whose items are made up names no keys about records", () => {
  const task = (more: string) => () =>
    parseTask(`about: a\nsource: b\nform: choice\nmade_up: z\n${more}`, "mine.yaml");
  const told = "a task whose items are made up reads no records: leave out";
  task("limit: 5\n")();
  for (
    const [key, value] of [
      ["fields", "{ a: b }"],
      ["replace", "[[a, b]]"],
      ["group", "one"],
      ["delimiter", "' '"],
      ["labels", "[a, b]"],
    ]
  ) {
    assert.equal(refusal(task(`${key}: ${value}\n`)), `${key}: ${told} ${key}`);
  }
});

Deno.test("a task file whose answer is the number of a choice names no labels", () => {
  const text = "about: a\nsource: b\nform: choice\ncontext: a\nchoices: c\nanswer: 0\nlabels: [a, b]\n";
  assert.equal(
    refusal(() => parseTask(text, "mine.yaml")),
    "labels: the answer is the number of a choice (0), which needs no labels",
  );
});

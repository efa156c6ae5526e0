/** What is offered to be copied means the same to a shell. */

import assert from "node:assert/strict";
import { settingsWords, shellWord, taskOf } from "../../src/formats/shell.ts";

Deno.test("shellWord() quotes what a shell would take apart", () => {
  const cases: [string, string][] = [
    ["text.input=books/a.txt", "text.input=books/a.txt"],
    ["*.train.steps=5", "'*.train.steps=5'"],
    ["a b", "'a b'"],
    ["it's", "'it'\\''s'"],
    ["", "''"],
  ];
  for (const [word, shown] of cases) assert.equal(shellWord(word), shown);
});

Deno.test("settingsWords() repeats the file and each --set", () => {
  assert.equal(
    settingsWords({ file: "my runs.yaml", set: ["device=cpu", "text.input=[a, b]"] }),
    "'my runs.yaml' --set device=cpu --set 'text.input=[a, b]'",
  );
});

Deno.test("taskOf() is the task of that name, or pipeline where that one takes no pipeline file", () => {
  assert.deepEqual(["train", "fetch", "export"].map(taskOf), ["train", "pipeline", "pipeline"]);
});

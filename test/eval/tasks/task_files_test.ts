/** Proves that every task file is right, and that a wrong one is refused by file, line and field. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { loadPipeline } from "../../../src/config/load.ts";
import { loadTask, parseTask, taskNames } from "../../../src/config/task/load.ts";
import { UsageError } from "../../../src/stage/errors.ts";
import { withFiles } from "../../support.ts";

const refusal = (text: string): string => {
  try {
    parseTask(text, "mine.yaml");
  } catch (error) {
    assert.ok(error instanceof UsageError);
    return error.message;
  }
  throw new Error("it was taken");
};

withFiles("every task beside the code can be loaded, and says what it is about", () => {
  const names = taskNames();
  assert.ok(names.includes("blimp") && names.includes("winogrande"), names.join());
  for (const name of names) assert.equal(loadTask(name).name, name);
});

withFiles("a task that is not there is refused with the nearest name, and with all names else", () => {
  assert.throws(() => loadTask("hellaswagg"), {
    message: 'there is no task "hellaswagg": did you mean "hellaswag"?',
  });
  assert.throws(
    () => loadTask("x"),
    /^UsageError: there is no task "x": there are arc_challenge, arc_easy, /,
  );
});

const START = "about: a\nsource: b\nform: choice\n";

Deno.test("parseTask() names file, line, column and field of what is wrong or missing", () => {
  assert.equal(
    refusal(`${START}context: "{q}"\nchoices: c\n`),
    "mine.yaml:1:1: answer: missing: the items of the form choice need context, choices, answer | " +
      "contexts, ending, answer, or made_up",
  );
  assert.equal(
    refusal(`${START}context: "{q | captialize}"\nchoices: c\nanswer: a\n`),
    'mine.yaml:4:10: context: there is no filter "captialize", only trim, trim_start, capitalize, before, after: ' +
      'did you mean "capitalize"?',
  );
  assert.equal(
    refusal(`${START}context: "{q"\nchoices: c\nanswer: a\n`),
    'mine.yaml:4:10: context: a brace without its partner in "{q"',
  );
  assert.equal(
    refusal(`${START}context: q\nchoises: c\nchoices: c\nanswer: a\n`),
    'mine.yaml:5:1: unknown key "choises": did you mean "choices"?',
  );
  assert.equal(
    refusal("about: a\nsource: b\nform: cloze\ntext: x\nmetrics: [acuracy]\n"),
    'mine.yaml:5:11: metrics[0]: expected accuracy | perplexity | bits_per_byte, found "acuracy": ' +
      'did you mean "accuracy"?',
  );
  assert.equal(
    refusal("about: a\nsource: b\nform: pairs\n"),
    'mine.yaml:3:7: form: expected pair | cloze | choice, found "pairs": did you mean "pair"?',
  );
  assert.equal(
    refusal("about: a\nsource: b\nform: pair\ngood: x\nbad: y\nmade_up: z\n"),
    "mine.yaml:4:7: good: a task whose items are made up reads no records\n" +
      "mine.yaml:5:6: bad: a task whose items are made up reads no records",
  );
  assert.equal(
    refusal(`${START}context: q\nchoices: c\nanswer: a\nending: e\n`),
    "mine.yaml:7:9: ending: does not go with context, choices, answer",
  );
  assert.match(
    refusal(`${START}context: q\nchoices: c\nanswer: a\nreplace: [["(", ""]]\n`),
    /^mine\.yaml:7:12: replace\[0\]\[0\]: Invalid regular expression/,
  );
});

const PIPELINE = `name: x
stages:
  - { id: text, run: prepare, input: stories }
  - { id: arm, run: train, needs: [text], model: { preset: 1m, context: 64 }, train: { steps: 9 } }
  - id: e
    run: eval
    needs: [text, arm]
    tasks:
`;

withFiles(
  "a pipeline with a wrong task is refused before anything runs, with the task's place in it",
  (folder) => {
    const file = join(folder, "x.yaml");
    const refused = (tasks: string): string => {
      Deno.writeTextFileSync(file, PIPELINE + tasks);
      try {
        loadPipeline(file);
      } catch (error) {
        return (error as Error).message.replaceAll(folder, "");
      }
      throw new Error("it was taken");
    };
    assert.equal(
      refused("      - { task: blimb, data: d }\n"),
      '/x.yaml:9:17: stages[2].tasks[0].task: there is no task "blimb": did you mean "blimp"?',
    );
    assert.equal(
      refused("      - { task: blimp }\n"),
      "/x.yaml:9:9: stages[2].tasks[0]: missing data: blimp needs the files of alexwarstadt/blimp (CC BY 4.0)",
    );
    assert.equal(
      refused(`      - { task: ${folder}/no.yaml, data: d }\n`),
      "/x.yaml:9:17: stages[2].tasks[0].task: /no.yaml: no such file",
    );
    Deno.writeTextFileSync(join(folder, "mine.yaml"), "about: a\nsource: b\nform: pair\ngood: x\n");
    assert.match(
      refused(`      - { task: ${folder}/mine.yaml, data: d }\n`),
      /stages\[2\]\.tasks\[0\]\.task: \/mine\.yaml:1:1: bad: missing: the items of the form pair need good, bad, or made_up$/,
    );
  },
);

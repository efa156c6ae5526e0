/** Proves what records become: each public form of a data set, and the sentence where a record is not as it should be. */
import assert from "node:assert/strict";
import { parseTask } from "../../../src/config/task/load.ts";
import { loadTask } from "../../../src/config/task/load.ts";
import { itemOf } from "../../../src/eval/tasks/build.ts";
import type { Choice } from "../../../src/eval/tasks/items.ts";
import { withFiles } from "../../support.ts";

const built = (task: string, value: object, label?: string) =>
  itemOf(loadTask(task), {
    where: '"x.jsonl" line 3',
    value: { ...value },
    ...(label === undefined ? {} : { label }),
  });
const refused = (task: string, value: object, label?: string): string => {
  try {
    built(task, value, label);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it was taken");
};

withFiles(
  "ARC reads the published nesting and the hub's columns alike, with labels A to D and 1 to 4",
  () => {
    const texts = ["red", "green", "blue"];
    const expected = {
      form: "choice",
      context: "Question: Which?\nAnswer:",
      choices: [" red", " green", " blue"],
      answer: 1,
    };
    for (const labels of [["A", "B", "C"], ["1", "2", "3"]]) {
      const choices = texts.map((text, i) => ({ text, label: labels[i] }));
      assert.deepEqual(
        built("arc_easy", { question: { stem: "Which?", choices }, answerKey: labels[1]! }),
        expected,
      );
      assert.deepEqual(
        built("arc_challenge", {
          question: "Which?",
          choices: { text: texts, label: labels },
          answerKey: labels[1]!,
        }),
        expected,
      );
    }
  },
);

withFiles("HellaSwag's texts are prepared as lm-evaluation-harness prepares them", () => {
  const item = built("hellaswag", {
    activity_label: "Baking",
    ctx_a: "A man [header] stirs [title] Then  he",
    ctx_b: "the MAN",
    endings: [" sits [step] down.", "stands"],
    label: "1",
  }) as Choice;
  assert.equal(item.context, "Baking: A man stirs. Then he The man");
  assert.deepEqual(item.choices, [" sits down.", " stands"]);
  assert.equal(item.answer, 1);
});

withFiles("WinoGrande is scored by the rest of the sentence behind each option", () => {
  const record = { sentence: "The _ is large, so it won.", option1: "cup", option2: "box", answer: "2" };
  assert.deepEqual(built("winogrande", record), {
    form: "choice",
    context: "",
    contexts: ["The cup", "The box"],
    choices: [" is large, so it won."],
    answer: 1,
  });
  assert.equal(
    refused("winogrande", { ...record, sentence: "No blank." }),
    'Cannot use "x.jsonl" line 3: field "sentence" has no "_" in it',
  );
});

withFiles("PIQA's answer stands in the record, or in a file of labels", () => {
  const record = { goal: "Open it", sol1: "push", sol2: "pull" };
  assert.equal((built("piqa", { ...record, label: 1 }) as Choice).answer, 1);
  assert.equal((built("piqa", { ...record, label: 0n }) as Choice).answer, 0);
  assert.equal((built("piqa", record, "1") as Choice).answer, 1);
  assert.equal(
    refused("piqa", record),
    'Cannot use "x.jsonl" line 3: there is no field "label" (it has goal, sol1, sol2); ' +
      "where the answers stand in a file of their own, name it with labels",
  );
  assert.equal(
    refused("piqa", record, "2"),
    'Cannot use "x.jsonl" line 3: its line in the file of labels is "2", expected one of 0 | 1',
  );
});

withFiles("SciQ has its passage before the question, and the right answer last", () => {
  const record = { support: "  Ice melts.", question: "What melts?", correct_answer: "ice" };
  const distractors = { distractor1: "a", distractor2: "b", distractor3: "c" };
  assert.deepEqual(built("sciq", { ...record, ...distractors }), {
    form: "choice",
    context: "Ice melts.\nQuestion: What melts?\nAnswer:",
    choices: [" a", " b", " c", " ice"],
    answer: 3,
  });
});

withFiles("LAMBADA's last word is the target, with the space before it", () => {
  assert.deepEqual(built("lambada", { text: "I saw the cat\n" }), {
    form: "cloze",
    context: "I saw the",
    target: " cat",
  });
  assert.equal(
    refused("lambada", { text: "cat" }),
    'Cannot use "x.jsonl" line 3: has no word before its last one',
  );
});

withFiles("a field that is missing or of another kind is named with its record", () => {
  assert.equal(
    refused("blimp", { sentence_good: "a" }),
    'Cannot use "x.jsonl" line 3: there is no field "sentence_bad" (it has sentence_good)',
  );
  assert.equal(
    refused("blimp", { sentence_good: "a", sentence_bad: ["b"] }),
    'Cannot use "x.jsonl" line 3: field "sentence_bad" is a list, expected text',
  );
  assert.equal(
    refused("arc_easy", { question: "q", choices: { text: ["a", "b"], label: ["A", "B"] }, answerKey: "E" }),
    'Cannot use "x.jsonl" line 3: field "answerKey" is "E", expected one of A | B',
  );
  assert.equal(
    refused("arc_easy", { question: "q", answerKey: "E" }),
    'Cannot use "x.jsonl" line 3: there is no field "question.choices[].text" or "choices.text" (it has question, answerKey)',
  );
});

withFiles("a text that is scored must not be empty", () => {
  const where = 'Cannot use "x.jsonl" line 3: ';
  const blimp = { sentence_good: "a", sentence_bad: "b" };
  assert.equal(refused("blimp", { ...blimp, sentence_good: "" }), `${where}"good" is empty`);
  assert.equal(refused("blimp", { ...blimp, sentence_bad: " " }), `${where}"bad" is empty`);
  const piqa = { goal: "Open it", sol1: "push", sol2: "", label: 0 };
  assert.equal(refused("piqa", piqa), `${where}choice 2 is empty`);
  const winogrande = { sentence: "The _", option1: "cup", option2: "box", answer: "2" };
  assert.equal(refused("winogrande", winogrande), `${where}"ending" is empty`);
  const cloze = parseTask(
    'about: a\nsource: b\nform: cloze\ncontext: "{q}"\ntarget: "{a}"\n',
    "mine.yaml",
  );
  assert.throws(() => itemOf(cloze, { where: "line 3", value: { q: "x", a: "" } }), {
    name: "UserError",
    message: 'Cannot use line 3: "target" is empty',
  });
});

Deno.test("labels that a task's file lists are taken as they are, braces too", () => {
  const task = parseTask(
    `about: a
source: b
form: choice
context: "{q}"
choices: ["{a}", "{b}"]
answer: right
labels: ["{", "}"]
`,
    "mine.yaml",
  );
  const item = itemOf(task, { where: "", value: { q: "x", a: "1", b: "2", right: "}" } });
  assert.equal((item as Choice).answer, 1);
});

Deno.test("a task of a user's own reads what its file says", () => {
  const task = parseTask(
    `about: a
source: b
form: cloze
fields: { words: [a.words, "b[].word"] }
context: "{q | trim}: {first}"
target: " {last | before:.}"
`,
    "mine.yaml",
  );
  const value = { q: " Why ", first: 1, last: "end. More" };
  assert.deepEqual(itemOf(task, { where: "", value }), { form: "cloze", context: "Why: 1", target: " end" });
});

/** A stage that stands for many becomes them, and what is wrong with one is told where the file has it. */

import assert from "node:assert/strict";
import { parsePipeline } from "../../src/config/load.ts";
import { UsageError } from "../../src/stage/errors.ts";

const HEAD = `name: study
device: cpu
stages:
  - { id: text, run: prepare, input: stories }
`;
const ARM = `  - id: arm
    run: train
    needs: [text]
    matrix: { curriculum: [ntp, forward], seed: [1, 2] }
    model: { width: 64, layers: 1, attention_heads: 2, context: 256, heads: { count: 2 } }
    train: { steps: 4 }
`;
const EVAL = `  - { id: score, run: eval, each: arm, needs: [text] }
`;
const REPORT = `  - { id: page, run: report, needs: [text, arm, score] }
`;
const parse = (text: string, ...set: string[]) => parsePipeline(text, "f.yaml", "/base", set);
const ids = (text: string, ...set: string[]) => parse(text, ...set).stages.map(({ id }) => id);

/** Asserts that a file is refused with exactly these lines. */
function refused(text: string, ...lines: string[]): void {
  assert.throws(() => parse(text), (error) => {
    assert(error instanceof UsageError);
    assert.deepEqual(error.message.split("\n"), lines);
    return true;
  });
}

Deno.test("a matrix makes a stage for each combination, the last axis changing fastest", () => {
  const { stages, groups } = parse(HEAD + ARM);
  const arms = stages.filter((stage) => stage.run === "train");
  assert.deepEqual(
    arms.map(({ id, curriculum, seed }) => [id, curriculum, seed]),
    [
      ["arm-ntp-s1", "ntp", 1],
      ["arm-ntp-s2", "ntp", 2],
      ["arm-forward-s1", "forward", 1],
      ["arm-forward-s2", "forward", 2],
    ],
  );
  assert.deepEqual(groups, { arm: arms.map(({ id }) => id) });
  assert(arms.every((arm) => !("matrix" in arm)));
});

Deno.test("a seed of one stage is its own; others have the file's", () => {
  const [text, arm, plain] = parse(
    `seed: 7\n${HEAD}${ARM}  - { id: solo, run: train, needs: [text], model: {preset: 1m, context: 64}, train: {steps: 2} }\n`,
  )
    .stages.filter(({ id }) => ["text", "arm-ntp-s2", "solo"].includes(id));
  assert.deepEqual([text, arm, plain].map((stage) => (stage as { seed: number }).seed), [7, 2, 7]);
});

Deno.test("each makes a stage for each of a matrix, which it needs; needs of a matrix mean all of it", () => {
  const { stages, groups } = parse(HEAD + ARM + EVAL + REPORT);
  const needs = Object.fromEntries(stages.map((stage) => [stage.id, stage.needs]));
  assert.deepEqual(needs["score-forward-s2"], ["text", "arm-forward-s2"]);
  assert.deepEqual(groups.score, ["score-ntp-s1", "score-ntp-s2", "score-forward-s1", "score-forward-s2"]);
  assert.deepEqual(needs.page, ["text", ...groups.arm!, ...groups.score!]);
});

Deno.test("each of several stages keeps their ids apart; it goes together with a matrix", () => {
  const two = HEAD + ARM + ARM.replace("id: arm", "id: more").replace("seed: [1, 2]", "seed: [1]") +
    "  - { id: speed, run: decode, each: [arm, more], needs: [text], new_tokens: 8, " +
    "matrix: { acceptance: [exact, typical] } }\n";
  const all = ids(two).filter((id) => id.startsWith("speed"));
  assert.equal(all.length, (4 + 2) * 2);
  assert.deepEqual(all.slice(-2), ["speed-more-forward-s1-exact", "speed-more-forward-s1-typical"]);
});

Deno.test("a map gives values labels, and a dotted axis sets what lies inside", () => {
  const text = `name: x\nstages:\n  - id: text\n    run: prepare\n    input: stories\n` +
    `    matrix: { tokenizer: { bytes: bytes, words: { kind: bpe, vocab: 300 } } }\n`;
  const arm = ARM.replace("[text]", "[text-words]").replace(", heads: { count: 2 }", "")
    .replace("curriculum: [ntp, forward]", "model.heads.count: [1, 4], train.lr: [3e-3, 0.01]");
  const { stages } = parse(text + arm);
  assert.deepEqual(stages.slice(0, 3).map(({ id }) => id), ["text-bytes", "text-words", "arm-1-0_003-s1"]);
  const last = stages.at(-1)!;
  assert(last.run === "train");
  assert.deepEqual([last.id, last.model.heads.count, last.train.lr], ["arm-4-0_01-s2", 4, 0.01]);
  assert.deepEqual(stages[1]!.run === "prepare" && stages[1]!.tokenizer, {
    ...stages[1]!.run === "prepare" && stages[1]!.tokenizer as object,
    kind: "bpe",
    vocab: 300,
  });
});

Deno.test("--set reaches the stage before it is expanded, and its matrix", () => {
  const { stages } = parse(HEAD + ARM, "arm.train.steps=9", "arm.matrix.seed=[5]");
  const arms = stages.filter((stage) => stage.run === "train");
  assert.deepEqual(arms.map(({ id, train }) => `${id} ${train.steps}`), ["arm-ntp-s5 9", "arm-forward-s5 9"]);
});

Deno.test("stages may need later ones: they come after them", () => {
  const text = HEAD.replace(/ {2}- .*\n/, "") + REPORT + EVAL + ARM +
    "  - { id: text, run: prepare, input: stories }\n";
  const order = ids(text);
  assert.deepEqual(new Set(order), new Set(ids(HEAD + ARM + EVAL + REPORT)));
  assert.deepEqual([order[0], order.at(-1)], ["text", "page"]);
});

Deno.test("a value in a matrix is checked like any other, and told where it stands", () => {
  refused(
    HEAD + ARM.replace("forward]", "forwrd]"),
    'f.yaml:8:33: stages[1].matrix.curriculum[1]: expected ntp | mtp | forward | reverse | forward-reverse | reverse-refresh | adaptive | a map with phases, found "forwrd": did you mean "forward"?',
  );
  refused(
    HEAD + ARM.replace("steps: 4", "steps: 0"),
    "f.yaml:10:21: stages[1].train.steps: expected at least 1, found 0",
  );
  refused(
    HEAD + ARM + EVAL.replace("[text]", "[txt]"),
    'f.yaml:11:48: stages[2].needs[0]: no stage has the id "txt": did you mean "text"?',
  );
});

Deno.test("a matrix that comes to nothing, to too much or to one id twice is refused", () => {
  const axes = (text: string) => HEAD + ARM.replace("{ curriculum: [ntp, forward], seed: [1, 2] }", text);
  const at = "f.yaml:8:13: stages[1].matrix";
  refused(axes("{}"), `${at}: expected a map of keys and their values, found a map`);
  refused(
    axes("{ seed: [] }"),
    "f.yaml:8:21: stages[1].matrix.seed: expected a list of values or a map of labels to values, found an empty list",
  );
  refused(axes("{ seed: [1, 1] }"), 'f.yaml:8:25: stages[1].matrix.seed[1]: "s1" stands here twice');
  refused(
    axes("{ id: [a, b] }"),
    'f.yaml:8:19: stages[1].matrix.id: "id" cannot differ within a stage: write two stages',
  );
  refused(
    axes("{ model: [{ preset: 1m }] }"),
    "f.yaml:8:23: stages[1].matrix.model[0]: a value that is a map needs a label: {label: value} in place of a list",
    'f.yaml:9:12: stages[1].model: "model" is an axis of the stage\'s matrix: it is said there',
  );
  const many = `[${Array.from({ length: 101 }, (_, i) => i).join(", ")}]`;
  refused(
    axes(`{ seed: ${many}, train.warmup: ${many} }`),
    `${at}: expands to 10,201 stages: at most 10,000 are run as one`,
  );
  refused(
    HEAD + ARM + ARM.replace("id: arm", "id: arm-ntp").replace("curriculum: [ntp, forward], ", ""),
    'f.yaml:11:9: stages[2].id: comes to "arm-ntp-s1", which arm comes to as well: choose another id',
  );
});

Deno.test("each that names nothing, or runs in a circle, is refused", () => {
  refused(
    HEAD + ARM + EVAL.replace("each: arm", "each: amr"),
    'f.yaml:11:35: stages[2].each: no stage has the id "amr": did you mean "arm"?',
  );
  const circle =
    "  - { id: a, run: eval, each: b, needs: [text] }\n  - { id: b, run: eval, each: a, needs: [text] }\n";
  refused(HEAD + circle, "f.yaml:5:31: stages[1].each: runs in a circle");
});

Deno.test("stages that need each other in a circle are told in its order", () => {
  const text = HEAD +
    "  - { id: a, run: report, needs: [text, b] }\n  - { id: b, run: report, needs: [c] }\n  - { id: c, run: report, needs: [a] }\n";
  refused(text, "f.yaml:5:34: stages[1].needs: the stages need each other in a circle: a -> b -> c -> a");
});

Deno.test("a mistake that all stages of a matrix have in one place is told a few times", () => {
  const text = HEAD + ARM.replace("seed: [1, 2]", "seed: [1, 2, 3]") +
    "  - { id: speed, run: decode, each: arm, needs: [text], new_tokens: 300 }\n";
  assert.throws(() => parse(text), (error) => {
    const lines = (error as Error).message.split("\n");
    assert.equal(lines.length, 4);
    assert.match(lines[0]!, /do not fit the context of arm-ntp-s1/);
    assert.equal(lines[3], "f.yaml:11:69: stages[2].new_tokens: and 3 more of this kind");
    return true;
  });
});

Deno.test("an axis that would undo an earlier one is refused; behind it, it sets what lies inside", () => {
  const sizes = "model: { s: { width: 64, layers: 1, attention_heads: 2, context: 256 } }";
  const arm = (matrix: string) =>
    `${HEAD}  - { id: arm, run: train, needs: [text], train: { steps: 4 }, matrix: { ${matrix} } }\n`;
  const { stages } = parse(arm(`${sizes}, model.heads.count: [2, 4]`));
  assert.deepEqual(
    stages.filter((stage) => stage.run === "train").map(({ id, model }) => [id, model.heads.count]),
    [["arm-s-2", 2], ["arm-s-4", 4]],
  );
  assert.throws(
    () => parse(arm(`model.heads.count: [2, 4], ${sizes}`)),
    /stages\[1\]\.matrix\.model: "model" would replace what "model\.heads\.count" has set: put "model\.heads\.count" behind it$/,
  );
});

Deno.test("matrices that come to too many only together are counted and not made", () => {
  const seeds = Array.from({ length: 9000 }, (_, i) => i).join(", ");
  const matrices = Array.from(
    { length: 30 },
    (_, i) => `  - { id: a${i}, run: train, needs: [text], matrix: { seed: [${seeds}] } }\n`,
  );
  refused(
    HEAD + matrices.join(""),
    "f.yaml:4:3: stages: expands to 270,001 stages: at most 10,000 are run as one",
  );
});

Deno.test("a stage is not expanded along with itself", () => {
  refused(
    `${HEAD}  - { id: a, run: eval, each: a, needs: [text] }\n`,
    "f.yaml:5:31: stages[1].each: a stage cannot be expanded along with itself",
  );
});

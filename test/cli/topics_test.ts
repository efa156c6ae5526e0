/** The pages of `foretoken help`: their commands and YAML hold, what they list is whole, and they fit a terminal. */

import assert from "node:assert/strict";
import { parse as parseYaml } from "yaml";
import { render } from "../../src/cli/markdown.ts";
import { isTopic, type Topic, topicPage, TOPICS } from "../../src/cli/topics.ts";
import { parsePipeline } from "../../src/config/load.ts";
import { keysAt } from "../../src/config/fields.ts";
import { pipelineSchema } from "../../src/config/schema.ts";
import { PRESETS } from "../../src/config/schema/curriculum.ts";
import { STAGE_VERSIONS } from "../../src/pipeline/fingerprint.ts";
import { EXIT } from "../../src/stage/errors.ts";
import { blocks, foretokenWords, linesOfBlocks, refusalOf, words } from "../documented.ts";
import { withLauncher } from "../pipeline/launcher.ts";
import { withFiles } from "../support.ts";
import { foretoken } from "./foretoken.ts";

const TOPIC_NAMES = Object.keys(TOPICS) as Topic[];

/** Lines to type: those of blocks, and code within a sentence. */
function commandsIn(markdown: string): string[] {
  const scripts = linesOfBlocks(markdown, "bash").filter((line) => /^\s*deno task /.test(line));
  const inline = [
    ...markdown.replaceAll(/^```[\s\S]*?^```$/gm, "").matchAll(/`((?:deno task|foretoken) [^`]+)`/g),
  ]
    .map(([, line]) => line!).filter((line) => !line.endsWith("..."));
  return [...linesOfBlocks(markdown, "sh").filter((line) => !line.startsWith(" ")), ...scripts, ...inline];
}

Deno.test("words() takes quotes off and leaves comments and pipes out", () => {
  assert.deepEqual(words("foretoken plan a --set 'x=[1, 2]' # why"), [
    "foretoken",
    "plan",
    "a",
    "--set",
    "x=[1, 2]",
  ]);
  assert.deepEqual(words(`deno task x --set 'a="#b"' | jq .`), ["deno", "task", "x", "--set", "a=#b"]);
  assert.deepEqual(foretokenWords("A=1 npx -y deno@2.9 task -q foretoken plan x"), ["plan", "x"]);
  assert.deepEqual(foretokenWords("until deno task train x; do"), ["train", "x;", "do"]);
  assert.equal(foretokenWords("sbatch arm.sh"), undefined);
});

withFiles("refusalOf() refuses what the command line does not know", async () => {
  assert.equal(await refusalOf(["plan", "x", "--json"]), undefined);
  assert.match(await refusalOf(["plan", "x", "--jason"]) ?? "", /unknown option/);
  assert.match(await refusalOf(["plane", "x"]) ?? "", /unknown command/);
  assert.match(await refusalOf(["plan"]) ?? "", /missing required argument/);
  assert.match(await refusalOf(["export", "a/b", "--to", "onnx"]) ?? "", /Allowed choices are/);
});

withFiles(
  "the commands in the topics are commands, and their changes lead somewhere in their pipelines",
  async () => {
    const tasks = Object.keys(JSON.parse(Deno.readTextFileSync("deno.json")).tasks);
    const only = new Set(["setup", "doctor", "peers"]); // tasks that are no commands
    let checked = 0;
    for (const topic of TOPIC_NAMES) {
      for (const line of commandsIn(topicPage(topic))) {
        const given = foretokenWords(line.replace(/;.*$/, "").replace(/^(until|while) /, ""));
        assert(given !== undefined, `${topic}: no command: ${line}`);
        if (line.startsWith("deno task ")) {
          assert(
            tasks.includes(words(line).slice(2).find((w) => !w.startsWith("-"))!),
            line,
          );
        }
        if (only.has(given[0]!)) continue;
        assert.equal(await refusalOf(given), undefined, `${topic}: ${line}`);
        if (given[0] === "help") {
          assert(
            given.slice(1).every((word) => isTopic(word)) || given.length > 2,
            line,
          );
        }
        checkChanges(given, line);
        checked++;
      }
    }
    assert(checked >= 40, `${checked} commands`);
  },
);

/** A pipeline that ships takes what is set, data that is not there aside. */
function checkChanges(given: readonly string[], line: string): void {
  const file = given.map((word) => `pipelines/${word}.yaml`).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
  if (file === undefined) return;
  const changes = given.filter((_, i) => given[i - 1] === "--set").filter((change) => !change.includes("$"));
  const { stages, groups } = parsePipeline(Deno.readTextFileSync(file), file, "/base", changes);
  for (const [i, option] of given.entries()) {
    const id = given[i + 1];
    if (!["--stage", "--only", "--from"].includes(option) || id!.startsWith("$")) continue;
    assert(id! in groups || stages.some((stage) => stage.id === id), `${line}: there is no stage ${id}`);
  }
}

withFiles("the YAML in the topics is a pipeline, or a part of one, that is accepted", () => {
  let checked = 0;
  for (const topic of TOPIC_NAMES) {
    for (const block of blocks(topicPage(topic), "yaml")) {
      const given = parseYaml(block);
      const heads = given.curriculum?.phases?.[0].weights.length ?? 4;
      const arm = {
        id: "arm",
        run: "train",
        needs: ["text"],
        model: { preset: "1m", context: 256, heads: { count: heads } },
        train: { steps: 2000 },
      };
      const pipeline = "stages" in given
        ? given
        : { name: "part", stages: [{ id: "text", run: "prepare", input: "stories" }, { ...arm, ...given }] };
      parsePipeline(JSON.stringify(pipeline), `${topic}: ${block}`, "/base");
      checked++;
    }
  }
  assert(checked >= 9, `${checked} blocks`);
});

withFiles("topics list every curriculum, kind of head, kind of stage and exit code, and no other", () => {
  const rows = (topic: Topic) =>
    // of the first table, less its head
    /^(?:\|.*\n)+/m.exec(topicPage(topic))![0].split("\n").slice(2).flatMap((row) =>
      /^\| `?([\w-]+)/.exec(row)?.[1] ?? []
    );
  assert.deepEqual(rows("curricula").toSorted(), [...PRESETS].toSorted());
  const kinds = Object.keys(STAGE_VERSIONS).toSorted();
  assert.deepEqual(rows("pipelines").toSorted(), kinds);
  assert.deepEqual(rows("sandbox").toSorted(), kinds);
  const heads = keysAt(pipelineSchema, { stages: [{ run: "train" }] }, ["stages", 0, "model", "heads"]);
  assert.deepEqual(rows("heads").toSorted(), heads.find(({ name }) => name === "kind")!.words.toSorted());
  assert.deepEqual(rows("exit-codes").map(Number), Object.values(EXIT));
});

withFiles("the topics fit a terminal, with and without bold type", () => {
  for (const topic of TOPIC_NAMES) {
    for (const [width, bold] of [[80, false], [100, true]] as const) {
      // deno-lint-ignore no-control-regex
      const lines = render(topicPage(topic), { width, bold }).replaceAll(/\x1b\[\d+m/g, "").split("\n");
      for (const line of lines) {
        assert(line.length <= (line.startsWith("  ") ? 108 : width), `${topic}: ${line}`);
      }
      const text = lines.filter((line) => !line.startsWith("  ")).join("\n");
      assert.doesNotMatch(text, /\*\*|^#|^```|\]\(/m, topic);
    }
  }
});

Deno.test("render() wraps text, lists and tables, and leaves code as it is", () => {
  const page = "# Title\n\nSome _plain_ words that\ngo on.\n\n- one **item** that is long\n- two\n\n" +
    "| a | b |\n| --- | --- |\n| `x` | some more words |\n\n```sh\nrun  this # as it is\n\nand that\n```\n";
  assert.equal(
    render(page, { width: 18, bold: false }),
    `Title
=====

Some plain words
that go on.

- one item that is
  long
- two

a    b
---  -------------
\`x\`  some more
     words

  run  this # as it is

  and that
`,
  );
  assert(render(page, { width: 18, bold: true }).startsWith("\x1b[1mTitle\x1b[22m\n\nSome"));
});

withLauncher(
  "foretoken help shows commands, topics and pages, and says what an unknown word is like",
  async () => {
    const [plain, train, show, curricula, wrong, below] = await Promise.all([
      foretoken("help"),
      foretoken("help", "train"),
      foretoken("help", "model", "show"),
      foretoken("help", "curricula"),
      foretoken("help", "curriculla"),
      foretoken("help", "model", "shew"),
    ]);
    for (const topic of TOPIC_NAMES) assert(plain.stdout.includes(`\n  ${topic} `), topic);
    assert.match(plain.stdout, /\n {2}train \[options\] <file>/);
    assert.match(train.stdout, /^Usage: foretoken train /);
    assert.match(show.stdout, /^Usage: foretoken model show /);
    assert.equal(curricula.stdout, render(topicPage("curricula"), { width: 80, bold: false }));
    assert.deepEqual([wrong.code, wrong.stderr], [
      2,
      '"curriculla" is no command and no topic: did you mean "curricula"?\n',
    ]);
    assert.deepEqual([below.code, below.stderr], [
      2,
      '"shew" is no command of model: did you mean "show"?\n',
    ]);
  },
);

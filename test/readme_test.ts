/** Proves that the README's commands exist, that the cheap ones run, and that the files it names are there. */
import assert from "node:assert/strict";
import { foretokenWords, refusalOf } from "./documented.ts";

const ROOT = new URL("../", import.meta.url);
const path = (relative: string): string => decodeURIComponent(new URL(relative, ROOT).pathname);

/** The whole words of a shell command after `deno task`; quotes taken off, comment left out. */
interface TaskCommand {
  readonly task: string;
  readonly args: readonly string[];
}

const canRead = Deno.permissions.querySync({ name: "read", path: path(".") }).state === "granted";
const canRun = canRead &&
  Deno.permissions.querySync({ name: "run", command: Deno.execPath() }).state === "granted";

const readme = canRead ? Deno.readTextFileSync(path("README.md")) : "";

/** Commands that take seconds at most and change nothing: run here. `.ci/run` runs the others. */
const CHEAP = new Set([
  "setup",
  "doctor",
  "foretoken plan quickstart --set name=code --set text.input=src/**/*.ts",
  "foretoken --help",
  "foretoken runs",
  "foretoken help curricula",
  "pipeline study_small --dry-run",
  "fetch --help",
  "foretoken model show quickstart --stage forward",
  "foretoken model show 1.3b --heads 4 --vocab 32000",
  "foretoken curriculum show reverse-refresh --heads 4 --steps 1000",
  "bench",
]);
/** `ok` is made of what `.ci/run` does one by one. */
const ELSEWHERE = new Set(["ok"]);

function shellLines(): string[] {
  const blocks = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, body]) => body!);
  return blocks.flatMap((block) => block.split("\n")).filter((line) => line !== "");
}

function parse(line: string): TaskCommand {
  const words = (line.replace(/\s+#.*$/, "").match(/(?:[^\s']|'[^']*')+/g) ?? []).map((word) =>
    word.replaceAll("'", "")
  );
  while (words[0]?.includes("=")) words.shift(); // NAME=value
  const start = words.indexOf("task");
  assert.match(words.slice(0, start).join(" "), /^(deno|npx -y deno@2\.9)$/, `not a deno task: ${line}`);
  const [task, ...args] = words.slice(start + 1);
  return { task: task!, args };
}

Deno.test({
  name: "the README's commands are tasks of deno.json, and their pipelines exist",
  ignore: !canRead,
  fn: () => {
    const { tasks } = JSON.parse(Deno.readTextFileSync(path("deno.json")));
    const commands = shellLines().map(parse);
    assert.ok(commands.length >= 10, `${commands.length} commands`);
    for (const { task, args } of commands) {
      assert.ok(task in tasks, `there is no task ${task}`);
      const pipeline = task === "foretoken" ? args[1] : args[0];
      const takesPipeline = /^(pipeline|prepare|train|eval|decode|report)$/.test(task) || args[0] === "plan";
      if (takesPipeline) assert.ok(Deno.statSync(path(`pipelines/${pipeline}.yaml`)).isFile);
    }
  },
});

Deno.test({
  name: ".ci/run runs every command of the README that is not cheap, as it stands there",
  ignore: !canRead,
  fn: () => {
    const ci = Deno.readTextFileSync(path(".ci/run"));
    for (const line of shellLines()) {
      const { task, args } = parse(line);
      const command = [task, ...args].join(" ");
      if (CHEAP.has(command) || ELSEWHERE.has(command)) continue;
      const typed = line.replace(/\s+#.*$/, "");
      assert.ok(ci.includes(typed), `.ci/run does not run ${typed}`);
    }
  },
});

Deno.test({
  name: "the README's folders and files exist",
  ignore: !canRead,
  fn: () => {
    const named = [...readme.matchAll(/`((?:src|native|pipelines|scripts|test)\/[\w./-]*|LICENSE)`/g)].map((
      [, name],
    ) => name!);
    const made = named.filter((name) => !name.startsWith("native/build"));
    assert.ok(made.length >= 15, `${made.length} names`);
    for (const name of made) assert.ok(Deno.statSync(path(name)), name);
  },
});

Deno.test({
  name: "the README's cheap commands are among those that this test runs",
  ignore: !canRead,
  fn: () => {
    const commands = new Set(shellLines().map(parse).map(({ task, args }) => [task, ...args].join(" ")));
    for (const command of CHEAP) assert.ok(commands.has(command), `the README does not say ${command}`);
  },
});

Deno.test({
  name: "the command line takes the README's commands, those within its sentences too",
  ignore: !canRead,
  fn: async () => {
    const text = readme.replaceAll(/^```[\s\S]*?^```$/gm, "").replaceAll(/\s+/g, " ");
    const within = [...text.matchAll(/`((?:[^`]*\()?(?:deno task|foretoken) [^`]+)`/g)].map(([, line]) =>
      line!
    );
    const typed = [...shellLines(), ...within.map((line) => line.replace(/^.*<\(/, "").replace(/\)$/, ""))];
    const { tasks } = JSON.parse(Deno.readTextFileSync(path("deno.json")));
    let checked = 0;
    for (const line of typed) {
      const given = foretokenWords(line.replace(/ TOPIC$/, " curricula"));
      const isCommand = /(^| )foretoken /.test(line) ||
        /^deno task -q foretoken/.test(tasks[given?.[0] ?? ""]?.command);
      if (given === undefined || !isCommand) continue;
      assert.equal(await refusalOf(given), undefined, line);
      checked++;
    }
    assert.ok(checked >= 25, `${checked} commands`);
  },
});

Deno.test({
  name: "every task of deno.json says what it does and holds no broad permission",
  ignore: !canRead,
  fn: () => {
    const { tasks } = JSON.parse(Deno.readTextFileSync(path("deno.json")));
    for (const [name, task] of Object.entries<{ description?: string; command: string }>(tasks)) {
      assert.ok(task.description, `${name} has no description`);
      assert.doesNotMatch(
        task.command,
        /(^| )(-A|--allow-all|--allow-(ffi|run|env|net|sys|write))( |$)/,
        name,
      );
    }
  },
});

const cheap = shellLines().map(parse).filter(({ task, args }) => CHEAP.has([task, ...args].join(" ")));
for (const command of new Set(cheap.map(({ task, args }) => [task, ...args].join(" ")))) {
  Deno.test({
    name: `the README's command "${command}" runs`,
    ignore: !canRun,
    fn: async () => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["task", "--quiet", ...command.split(" ")],
        cwd: path("."),
        env: { NO_COLOR: "1", LD_LIBRARY_PATH: "", LD_PRELOAD: "" }, // Deno starts nothing while the last two are set
      }).output();
      const decoder = new TextDecoder();
      assert.equal(code, 0, decoder.decode(stderr));
      assert.ok(decoder.decode(stdout) + decoder.decode(stderr) !== "");
    },
  });
}

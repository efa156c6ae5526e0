/** Many stages as users run them: past a failure, side by side, on a terminal, and told of before. */

import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { shellWord } from "../../src/formats/shell.ts";
import { launch, withLauncher } from "../pipeline/launcher.ts";
import { ENVIRONMENT, foretoken, freely, hasScript, SCRIPT, TASK } from "./foretoken.ts";

/** Texts of three kinds, one of which is not there, as a pipeline file; and options that put its runs beside it. */
function texts(folder: string, ...kinds: ("good" | "bad" | "fine")[]): string[] {
  const inputs = { good: "stories", bad: `[${folder}/no]`, fine: "names" };
  const file = join(folder, "texts.yaml");
  const matrix = `{ input: { ${kinds.map((kind) => `${kind}: ${inputs[kind]}`).join(", ")} } }`;
  Deno.writeTextFileSync(
    file,
    `name: texts\nstages:\n  - { id: text, run: prepare, bytes: 2e4, matrix: ${matrix} }\n`,
  );
  return [relative(Deno.cwd(), file), "--runs", relative(Deno.cwd(), folder)];
}

const states = (folder: string) =>
  Object.fromEntries(
    [...Deno.readDirSync(join(folder, "texts"))].filter(({ isDirectory }) => isDirectory).map(({ name }) => {
      const { state, results } = JSON.parse(
        Deno.readTextFileSync(join(folder, "texts", name, "status.json")),
      );
      return [name, results === undefined ? state : `${state}, ${Object.keys(results).join(" ")} sealed`];
    }),
  );

withLauncher("a stage that fails does not stop the others, and the run ends with 1", async (folder) => {
  const command = ["pipeline", ...texts(folder, "good", "bad", "fine")];
  const { code, stderr } = await foretoken(...command);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /\[2\/3\] text-bad \(prepare\): failed: Cannot read ".*\/no": there is no such file or folder\n/,
  );
  assert.match(stderr, /\[3\/3\] text-fine \(prepare\): done in/);
  assert.match(stderr, /\ntexts: 1 of 3 stages failed in [\d.]+ s: text-bad\n$/);
  const done = "done, meta.json statistics.json sealed";
  assert.deepEqual(states(folder), { "text-good": done, "text-bad": "failed", "text-fine": done });
  const again = await foretoken(...command);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /^\[1\/3\] text-good \(prepare\): done before, unchanged\n/);
});

withLauncher("stages side by side say which of them is speaking", async (folder) => {
  const { code, stderr } = await foretoken("pipeline", ...texts(folder, "good", "fine"), "--jobs", "2");
  assert.equal(code, 0, stderr);
  const [first, second] = stderr.split("\n");
  assert.deepEqual([first, second], ["[1/2] text-good (prepare)", "[2/2] text-fine (prepare)"]);
  assert.match(stderr, /\ntext-good: train: /);
  assert.match(stderr, /\ntext-fine: train: /);
});

withLauncher("results that were changed by hand are made anew", async (folder) => {
  const command = ["pipeline", ...texts(folder, "good")];
  assert.equal((await foretoken(...command)).code, 0);
  const meta = join(folder, "texts/text-good/meta.json");
  const before = Deno.readTextFileSync(meta);
  Deno.writeTextFileSync(meta, before.replace(/"documents": \d+/, '"documents": 1'));
  const plan = await foretoken("plan", ...command.slice(1));
  assert.match(plan.stdout, /text-good \(prepare\): ran before .* \(meta\.json: not as the stage left it\)/);
  assert.equal((await foretoken(...command)).code, 0);
  assert.equal(Deno.readTextFileSync(meta), before);
});

withLauncher("a run of another format is left alone, and what to do is said", async (folder) => {
  const command = ["pipeline", ...texts(folder, "good")];
  assert.equal((await foretoken(...command)).code, 0);
  const about = join(folder, "texts/pipeline.json");
  Deno.writeTextFileSync(about, Deno.readTextFileSync(about).replace('"format": 1', '"format": 7'));
  const { code, stderr } = await foretoken(...command);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /was made by foretoken 0\.1\.0 \(format 7, and this is 0\.1\.0 with format 1\): .*--set name=/,
  );
});

withLauncher("--dry-run tells stages, access and times, and changes nothing", async (folder) => {
  const command = ["pipeline", ...texts(folder, "good", "fine"), "--dry-run"];
  const { code, stdout } = await foretoken(...command);
  assert.equal(code, 0);
  assert.match(stdout, /^texts, into .*: 2 stages \(2 prepare\), 0 of them done\n/);
  assert.match(
    stdout,
    /\ntext \(prepare\), 2 stages: would run, about \d+ s \(\d+ s each\)\n {3}stages {2}text-good {2}text-fine\n/,
  );
  assert.match(stdout, /\n2 stages to run, about \d+ s: by two cores of a usual machine; /);
  const json = JSON.parse((await foretoken(...command, "--json")).stdout);
  assert.deepEqual(json.stages.map(({ id, state }: { id: string; state: string }) => `${id}: ${state}`), [
    "text-good: new",
    "text-fine: new",
  ]);
  assert(json.stages.every(({ seconds }: { seconds: number }) => seconds > 0));
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["texts.yaml"]);
});

if (hasScript) {
  withLauncher("on a terminal, a table of the stages stands below what they say", async (folder) => {
    const [run, ...flags] = TASK;
    const words = [
      Deno.execPath(),
      run!,
      "--cached-only",
      ...flags,
      "pipeline",
      ...texts(folder, "good", "fine"),
    ];
    const typed = `stty cols 100; ${[...words, "--set", "text.bytes=4e6"].map(shellWord).join(" ")}`;
    const terminal = freely("--dev", "/dev").slice(0, -1);
    const environment = { ...ENVIRONMENT, DENO_LOG: "warn,deno::cache=off" };
    const { code, stdout } = await launch([...terminal, SCRIPT, "-qec", typed, "/dev/null"], environment);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /texts: 0 of 2 done, [\d.]+ s, about \d+ s left\r\n {2}> text-good \(prepare\)/);
    assert(stdout.includes("\x1b[A")); // taken away line by line
    assert.match(stdout, /\[2\/2\] text-fine \(prepare\): done in [\d.]+ s\r\n/);
  });
}

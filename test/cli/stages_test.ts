/** The command line as users run it: a process with its task's permissions, which starts stages as processes. */

import assert from "node:assert/strict";
import { join, relative } from "node:path";
import type { Status } from "../../src/pipeline/stage_files.ts";
import { shellWord } from "../../src/formats/shell.ts";
import { Lock } from "../../src/stage/lock.ts";
import { launch, LAUNCHER, withLauncher } from "../pipeline/launcher.ts";
import { withFiles } from "../support.ts";
import { behind, ENVIRONMENT, foretoken, freely, hasScript, SCRIPT, TASK } from "./foretoken.ts";

/** The stage of {@link smallPipeline} itself, without a runner. */
function behindStage(folder: string): string[] {
  const run = join(folder, "small");
  const flags = ["--no-prompt", "--cached-only", `--allow-read=${run}`, `--allow-write=${run}`];
  return [...freely(), "run", ...flags, "src/stage.ts", run, "text"];
}

/** A pipeline file of one prepare stage, and options that put its runs beside it. */
function smallPipeline(folder: string, keys = "bytes: 2e4"): string[] {
  const file = join(folder, "small.yaml");
  Deno.writeTextFileSync(
    file,
    `name: small\nstages:\n  - { id: text, run: prepare, input: stories, ${keys} }\n`,
  );
  return [relative(Deno.cwd(), file), "--runs", relative(Deno.cwd(), folder)];
}

function statusIn(folder: string): Status | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(join(folder, "small/text/status.json")));
  } catch {
    return undefined; // not yet there
  }
}

/** Waits until the stage's status is this one. */
async function untilStage(folder: string, state: Status["state"]): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (statusIn(folder)?.state === state) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`the stage was not ${state} within 30 s: ${JSON.stringify(statusIn(folder))}`);
}

function start(args: string[]): Deno.ChildProcess {
  return new Deno.Command(LAUNCHER, {
    args: behind(args),
    env: ENVIRONMENT,
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

withFiles("the tests' command line is the task's", () => {
  const { command } = JSON.parse(Deno.readTextFileSync("deno.json")).tasks.foretoken;
  assert.equal(command, ["deno", ...TASK].join(" "));
});

withLauncher("foretoken --help shows commands and examples", async () => {
  const { code, stdout } = await foretoken("--help");
  assert.equal(code, 0);
  for (
    const word of ["pipeline", "prepare", "train", "eval", "decode", "report", "plan", "--set", "Examples:"]
  ) {
    assert(stdout.includes(word), word);
  }
});

withLauncher("foretoken ends with 2 and a sentence when the command line is wrong", async (folder) => {
  const [file] = smallPipeline(folder);
  const cases: [args: string[], message: RegExp][] = [
    [["pipelin", file!], /^error: unknown command 'pipelin'\n\(Did you mean pipeline\?\)/],
    [["train", file!, "--stages", "x"], /^error: unknown option '--stages'\n\(Did you mean --stage\?\)/],
    [
      ["pipeline", "quikstart"],
      /^quikstart: no such file, and no pipeline of that name \(.*\): did you mean "quickstart"\?\n$/,
    ],
    [["pipeline", "no/such.yaml"], /^no\/such.yaml: no such file\n$/],
    [
      ["plan", file!, "--set", "txt.bytes=1"],
      /^--set txt.bytes=1: "txt" is no stage and no key of the file: did you mean "text"\?\n$/,
    ],
    [
      ["prepare", file!, "--runs", "/nowhere"],
      /^--runs \/nowhere: this command may write below .\/runs only; /,
    ],
    [["doctor"], /^Run `deno task doctor`/],
  ];
  const ended = await Promise.all(cases.map(([args]) => foretoken(...args)));
  for (const [i, [args, message]] of cases.entries()) {
    assert.match(ended[i]!.stderr, message, args.join(" "));
    assert.equal(ended[i]!.code, 2, args.join(" "));
  }
});

withLauncher("a stage that is not there, or whose needs are not done, leaves no folder", async (folder) => {
  const [file, ...options] = smallPipeline(folder);
  const { code, stderr } = await foretoken("pipeline", file!, ...options, "--only", "txt");
  assert.deepEqual([code, stderr], [2, `${file} has no stage "txt": there is text: did you mean "text"?\n`]);
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["small.yaml"]);
});

withLauncher("a wrong pipeline file ends with 2 and every problem, before anything runs", async (folder) => {
  const [file, ...options] = smallPipeline(folder, "byts: 3, validation: 1.5");
  const { code, stderr } = await foretoken("pipeline", file!, ...options);
  assert.equal(code, 2);
  assert.deepEqual(stderr.trim().split("\n"), [
    `${file}:3:47: stages[0]: unknown key "byts": did you mean "bytes"?`,
    `${file}:3:68: stages[0].validation: expected less than 1, found 1.5`,
  ]);
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["small.yaml"]);
});

withLauncher(
  "a stage runs once, is skipped while nothing changes, and starts over when its config does",
  async (folder) => {
    const command = ["pipeline", ...smallPipeline(folder)];
    const bytes = () =>
      JSON.parse(Deno.readTextFileSync(join(folder, "small/text/meta.json"))).sources[0].bytes;

    const first = await foretoken(...command);
    assert.equal(first.code, 0, first.stderr);
    assert.match(
      first.stderr,
      /^\[1\/1\] text \(prepare\)\ntrain: .*\n\[1\/1\] text \(prepare\): done in [\d.]+ s\n/,
    );
    assert.equal(statusIn(folder)?.state, "done");
    assert(Math.abs(bytes() - 2e4) < 5e3);
    assert.match(Deno.readTextFileSync(join(folder, "small/text/log.txt")), /^train: .*\n$/);

    const second = await foretoken(...command);
    assert.match(second.stderr, /^\[1\/1\] text \(prepare\): done before, unchanged\n/);

    const plan = await foretoken("plan", ...command.slice(1), "--set", "text.bytes=1e4");
    assert.match(
      plan.stdout,
      /\ntext \(prepare\): ran before .*start over \(bytes: 20000 before, 10000 now\), about 1 s\n/,
    );
    const third = await foretoken(...command, "--set", "text.bytes=1e4");
    assert.match(third.stderr, /\[1\/1\] text \(prepare\): done in/);
    assert(bytes() < 1.5e4);
  },
);

withLauncher("a stage that fails ends the run with its message, its log's place and 1", async (folder) => {
  const { code, stderr } = await foretoken(
    "pipeline",
    ...smallPipeline(folder),
    "--set",
    `text.input=${folder}/no`,
  );
  assert.equal(code, 1);
  const log = relative(Deno.cwd(), join(folder, "small/text/log.txt"));
  const message = `Cannot read "${folder}/no": there is no such file or folder`;
  assert.equal(
    stderr,
    `[1/1] text (prepare)\n[1/1] text (prepare): failed: ${message}\ntext's log: ${log}\n`,
  );
  assert.equal(statusIn(folder)?.error, message);
});

withLauncher("a stage that another process holds ends the run with 69 and is left alone", async (folder) => {
  const command = ["pipeline", ...smallPipeline(folder)];
  assert.equal((await foretoken(...command)).code, 0);
  const before = [...Deno.readDirSync(join(folder, "small/text"))].map(({ name }) => name);
  const status = statusIn(folder);
  using _held = Lock.take(join(folder, "small/text/lock"), "The stage text");
  const second = await foretoken(...command, "--set", "text.bytes=1e4");
  assert.equal(second.code, 69);
  assert.match(
    second.stderr,
    /^\[1\/1\] text \(prepare\)\n\[1\/1\] text \(prepare\): not run: The stage text is in use by process \d+ since .*\n$/,
  );
  // The stage looks too: it may have been started between the runner's look and this one.
  const stage = await launch(behindStage(folder), ENVIRONMENT);
  assert.equal(stage.code, 69);
  assert.match(stage.stderr, /^The stage text is in use by process/);
  assert.deepEqual([...Deno.readDirSync(join(folder, "small/text"))].map(({ name }) => name), before);
  assert.deepEqual(statusIn(folder), status);
});

withLauncher("a stage whose log cannot be written says so in a sentence", async (folder) => {
  Deno.mkdirSync(join(folder, "small/text/log.txt"), { recursive: true });
  const { code, stderr } = await foretoken("pipeline", ...smallPipeline(folder));
  assert.equal(code, 1);
  assert.match(stderr, /^\[1\/1\] text \(prepare\)\nCannot write ".*log\.txt": is a directory\n/);
  assert.doesNotMatch(stderr, / at /);
});

withLauncher("SIGHUP, which a closing terminal sends, ends runner and stage with 75 too", async (folder) => {
  const runner = start(["pipeline", ...smallPipeline(folder, "bytes: 1e12")]);
  const said = new Response(runner.stderr).text();
  await untilStage(folder, "running");
  runner.kill("SIGHUP");
  assert.equal((await runner.status).code, 75);
  await said;
  assert.equal(statusIn(folder)?.state, "interrupted");
});

withLauncher(
  "SIGTERM ends runner and stage with 75, and another run is kept out until then",
  async (folder) => {
    const command = ["pipeline", ...smallPipeline(folder, "bytes: 1e12")];
    const runner = start(command);
    const said = new Response(runner.stderr).text();
    await untilStage(folder, "running");
    const second = await foretoken(...command);
    assert.equal(second.code, 69);
    assert.match(
      second.stderr,
      /^The run .*small is in use by process \d+ since .*: wait for it to end, or end it\n$/,
    );
    runner.kill("SIGTERM");
    assert.equal((await runner.status).code, 75);
    assert.match(
      await said,
      /SIGTERM: stopping.*\n.*\n\[1\/1\] text \(prepare\): stopped; run the same command again to go on\n$/,
    );
    assert.equal(statusIn(folder)?.state, "interrupted");
  },
);

withLauncher(
  "a stage ends when its runner is killed, and the same command goes on afterwards",
  async (folder) => {
    const [file, ...options] = smallPipeline(folder, "bytes: 1e12");
    const runner = start(["pipeline", file!, ...options]);
    const said = new Response(runner.stderr).text();
    await untilStage(folder, "running");
    runner.kill("SIGKILL");
    await runner.status;
    await untilStage(folder, "interrupted");
    await said;
    const again = await foretoken("pipeline", file!, ...options, "--set", "text.bytes=2e4");
    assert.equal(again.code, 0, again.stderr);
  },
);

/** How many filters bind the stage's process: the tests' launcher, its own, and the refusal of programs. */
async function filtersOfStage(folder: string, keys: string, expected: number): Promise<number> {
  const runner = start(["pipeline", ...smallPipeline(folder, keys)]);
  const said = new Response(runner.stderr).text();
  await untilStage(folder, "running");
  const filters = async () => {
    const [pid] = /\d+/.exec(Deno.readTextFileSync(join(folder, "small/text/lock")))!;
    const { stdout } = await launch([...freely().slice(0, -1), "/bin/cat", `/proc/${pid}/status`]);
    return Number(/^Seccomp_filters:\s+(\d+)$/m.exec(stdout)?.[1]);
  };
  let found = 0;
  for (let tries = 0; tries < 50 && found !== expected; tries++) { // the library is loaded after the status is written
    await new Promise((resolve) => setTimeout(resolve, 100));
    found = await filters();
  }
  runner.kill("SIGTERM");
  await runner.status;
  await said;
  return found;
}

withLauncher("a stage that loads native text code can start no program any more", async (folder) => {
  const plain = await filtersOfStage(folder, "bytes: 1e12", 2);
  const native = await filtersOfStage(folder, "bytes: 1e12, tokenizer: { kind: bpe, vocab: 4096 }", 3);
  assert.deepEqual([plain, native], [2, 3]);
});

if (hasScript) {
  withLauncher(
    "on a terminal, foretoken says what it says through a pipe, and asks for nothing more",
    async (folder) => {
      const [file, ...options] = smallPipeline(folder);
      const [run, ...flags] = TASK;
      const foretokenItself = [Deno.execPath(), run!, "--cached-only", ...flags];
      const environment = { ...ENVIRONMENT, DENO_LOG: "warn,deno::cache=off" }; // else Deno tells a terminal of its cache
      for (const args of [["--help"], ["trian"], ["fetch"], ["plan", file!, ...options]]) {
        const typed = `stty cols 80; ${[...foretokenItself, ...args].map(shellWord).join(" ")}`;
        const terminal = freely("--dev", "/dev").slice(0, -1);
        const { stdout } = await launch([...terminal, SCRIPT, "-qec", typed, "/dev/null"], environment);
        const piped = await foretoken(...args);
        assert.equal(stdout.replaceAll("\r", ""), piped.stdout + piped.stderr);
      }
    },
  );
}

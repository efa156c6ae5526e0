/**
 * `foretoken generate` as users run it, on a model that was trained for a moment: what goes to which stream, that it is
 * what decoding gives in this process, and what its process may touch.
 */
import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { decode } from "../../src/decode/engine.ts";
import { GREEDY, type Sampling } from "../../src/decode/sampling.ts";
import { textOf } from "../../src/decode/text.ts";
import { shellWord } from "../../src/formats/shell.ts";
import { openNewest } from "../../src/generate/newest.ts";
import type { Order } from "../../src/generate/order.ts";
import { denoFlags, generateAccess, launcherOptions } from "../../src/pipeline/permissions.ts";
import { findPlaces } from "../../src/pipeline/start.ts";
import { byteTokenizer } from "../../src/text/tokenizer.ts";
import { type Ended, launch, LAUNCHER, withLandlock } from "../pipeline/launcher.ts";
import { configs, interrupted, makeText, trainArm, withRuns } from "../train/fixture.ts";
import { ENVIRONMENT, foretoken, freely, TASK } from "./foretoken.ts";

/** After so many steps it writes words and accepts its drafts. */
const ENOUGH = 150;

/** A run of a text and an arm, described as the runner does; returns the arm as a user types it. */
async function makeRun(folder: string, steps: number): Promise<string> {
  const sizes = ["arm.model.context=64", "arm.model.width=32"];
  await makeText(folder);
  await trainArm(folder, configs(...sizes, `arm.train.steps=${steps}`, "arm.train.lr=0.01").arm);
  return describe(folder);
}

function describe(folder: string): string {
  putStage(folder, "text", "prepare");
  putStage(folder, "arm", "train");
  return relative(Deno.cwd(), join(folder, "arm"));
}

function putStage(folder: string, id: string, run: string): void {
  const needs = run === "train" ? [{ id: "text", run: "prepare" }] : [];
  const command = { file: "small.yaml", set: ["name=small"] };
  Deno.mkdirSync(join(folder, id), { recursive: true });
  Deno.writeTextFileSync(join(folder, id, "stage.json"), JSON.stringify({ id, run, needs, command }));
}

/** What decoding gives for a prompt in this process. */
function expected(folder: string, text: string, newTokens: number, sampling: Sampling, seed: number): string {
  const tokenizer = byteTokenizer();
  using newest = openNewest(join(folder, "arm"), "cpu");
  using decoder = newest.model.decoder("rows");
  const prompt = [tokenizer.end, ...tokenizer.encode(new TextEncoder().encode(text))];
  const settings = {
    heads: 3,
    sampling,
    acceptance: "exact",
    tree: 1,
    treeNodes: 8,
    batch: 1,
    seed,
  } as const;
  const [output] = decode(decoder, [{ prompt, newTokens, stop: new Set([tokenizer.end]) }], settings);
  return textOf(output!.tokens, tokenizer);
}

/** The command, with a text on its standard input. */
async function withInput(input: string, args: readonly string[]): Promise<Ended> {
  const command = new Deno.Command(LAUNCHER, {
    args: [...args],
    env: { ...ENVIRONMENT, DENO_LOG: "warn,deno::cache=off" },
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, signal, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, signal, stdout: text(stdout), stderr: text(stderr) };
}

const foretokenItself = ["run", "--cached-only", ...TASK.slice(1)];

withRuns(
  "generate writes the text that decoding gives, and nothing else, to standard output",
  async (folder) => {
    const arm = await makeRun(folder, ENOUGH);
    const greedy = await foretoken("generate", arm, "--prompt", "The ", "--tokens", "30");
    assert.deepEqual(greedy, {
      code: 0,
      signal: null,
      stdout: expected(folder, "The ", 30, GREEDY, 0) + "\n",
      stderr: "",
    });

    // Two prompts, drawn: each as if alone; the second has random numbers of its own.
    const drawn = ["--temperature", "0.8", "--top-k", "20", "--seed", "5", "--tokens", "30"];
    const first = await foretoken("generate", arm, ...drawn, "--prompt", "The ", "--stats");
    const sampling = { ...GREEDY, temperature: 0.8, top_k: 20 };
    assert.equal(first.stdout, expected(folder, "The ", 30, sampling, 5) + "\n");
    assert.match(first.stderr, /^\d+ tokens in .* from accepted drafts\n$/);
    const both = await foretoken("generate", arm, ...drawn, "--prompt", "The ", "--prompt", "A", "--json");
    const answers = both.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(answers.map(({ prompt, seed }) => [prompt, seed]), [["The ", 5], ["A", 5]]);
    assert.equal(answers[0].text + "\n", first.stdout);
    assert.equal(both.stderr, "");

    // From standard input, whose last line break is no part of it; the stop string spans byte tokens.
    const whole = greedy.stdout.slice(0, -1);
    const stop = whole.slice(7, 10);
    const args = ["generate", arm, "--prompt-file", "-", "--tokens", "30", "--stop", stop];
    const cut = await withInput("The \n", [...freely(), ...foretokenItself, ...args]);
    assert.deepEqual([cut.code, cut.stdout], [0, whole.slice(0, whole.indexOf(stop)) + "\n"]);
  },
);

withRuns("generate refuses in a sentence what does not fit the model or the run", async (folder) => {
  const arm = await makeRun(folder, 5);
  const run = relative(Deno.cwd(), folder);
  putStage(folder, "other", "train");
  const prompt = ["--prompt", "The "];
  const cases: [args: string[], code: number, message: RegExp][] = [
    [
      [arm],
      2,
      /^No prompt: give --prompt TEXT, --prompt-file FILE, or --prompt-file - for standard input\n$/,
    ],
    [[run, ...prompt], 2, /: choose one of .*\/arm, .*\/other\n$/],
    [[`${run}/amr`, ...prompt], 2, / has no train stage "amr": there is arm, other: did you mean "arm"\?\n$/],
    [
      [`${run}/other`, ...prompt],
      1,
      /other has no checkpoint yet: train it first \(deno task train small.yaml --set name=small --stage other\)\n$/,
    ],
    [[arm, ...prompt, "--heads", "4"], 2, /^--heads 4: the model has 3\n$/],
    [[arm, ...prompt, "--tokens", "64"], 2, /^--tokens 64: the model's context is 64 tokens, of which /],
    [[arm, ...prompt, "--temperature", "-1"], 2, /'-1' is invalid\. expected a number, at least 0\./],
    [
      [arm, ...prompt, "--temperature", "1", "--top-p", "0"],
      2,
      /'0' is invalid\. expected a number, above 0 and at most 1\./,
    ],
    [[arm, ...prompt, "--top-p", "0.9"], 2, /^--top-p 0\.9: nothing is drawn at temperature 0; /],
    [[arm, ...prompt, "--heads", "0"], 2, /expected a number of heads, at least 1, or auto\./],
    [[arm, ...prompt, "--stop", ""], 2, /^--stop '': /],
    [[arm, "--prompt-file", `${run}/none`], 1, /^Cannot read ".*none": /],
  ];
  const all = await Promise.all(cases.map(([args]) => foretoken("generate", ...args)));
  for (const [i, [args, code, message]] of cases.entries()) {
    assert.match(all[i]!.stderr, message, args.join(" "));
    assert.deepEqual([all[i]!.code, all[i]!.stdout], [code, ""], args.join(" "));
  }
  const long = await foretoken("generate", arm, "--prompt", "x".repeat(100), "--tokens", "8");
  assert.match(long.stderr, /^45 tokens were cut from the prompt's beginning: 56 are left, /);
  assert.equal(long.code, 0);
});

withRuns(
  "a training that was interrupted generates with its newest checkpoint, and says so",
  async (folder) => {
    await interrupted(folder);
    const arm = describe(folder);
    const { code, stdout, stderr } = await foretoken(
      "generate",
      arm,
      "--prompt",
      "",
      "--typical",
      "--heads",
      "2",
    );
    assert.equal(code, 0, stderr);
    assert.match(
      stderr,
      /^not finished: this is the model after step 6 of 12\ntypical acceptance is not lossless/,
    );
    assert.ok(stdout.length > 1);
  },
);

/** What the process that generates is started with. */
function bound(
  folder: string,
): { readonly options: string[]; readonly flags: string[]; readonly folders: string[] } {
  const [arm, text] = [join(folder, "arm"), join(folder, "text")];
  const places = findPlaces(folder);
  const access = generateAccess({ arm, text, device: "cpu", threads: 1 });
  return {
    options: [...launcherOptions(access, places), "--", places.deno, "run"],
    flags: denoFlags(access, places),
    folders: [arm, text],
  };
}

withLandlock("the process that generates reads that arm, and can do nothing else", async (folder) => {
  putStage(folder, "arm", "train");
  putStage(folder, "other", "train");
  const script = join(folder, "arm/probe.js");
  Deno.writeTextFileSync(
    script,
    `const tried = async (act) => { try { await act(); return "done"; } catch (e) { return e.name; } };
     console.log(JSON.stringify([
       await tried(() => Deno.readTextFile("${folder}/arm/stage.json")),
       await tried(() => Deno.readTextFile("${folder}/other/stage.json")),
       await tried(() => Deno.readTextFile("${Deno.cwd()}/README.md")),
       await tried(() => Deno.writeTextFile("${folder}/arm/new", "")),
       await tried(() => Deno.writeTextFile("${Deno.cwd()}/runs/new", "")),
       await tried(() => Deno.connect({ port: 80 })),
     ]));`,
  );
  const { options, flags } = bound(folder);
  for (const own of [flags, ["--allow-all", "--cached-only"]]) { // Deno's permissions; and without them, the launcher
    const { stdout, stderr } = await launch([...options, ...own, script], ENVIRONMENT);
    const [first, ...others] = JSON.parse(stdout || `"${stderr}"`) as string[];
    assert.equal(first, "done");
    const isRefused = (name: string) => name === "PermissionDenied" || name === "NotCapable";
    assert.ok(others.every(isRefused), String(others));
  }
});

const ASKING: Order = {
  prompts: null,
  tokens: 8,
  sampling: GREEDY,
  stop: [],
  seed: 0,
  heads: "auto",
  tree: 1,
  acceptance: "exact",
  device: "cpu",
  threads: 1,
  json: false,
  stats: false,
};

withRuns(
  "SIGINT ends the process that generates with 130, and no program can be started from it",
  async (folder) => {
    await makeRun(folder, 5);
    const { options, flags, folders } = bound(folder);
    const child = new Deno.Command(LAUNCHER, {
      args: [...options, ...flags, "src/generate/main.ts", ...folders],
      env: ENVIRONMENT,
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(`${JSON.stringify(ASKING)}\n"The "\n`));
    const reader = child.stdout.getReader();
    const { value } = await reader.read(); // it has answered, and waits for more
    assert.ok(expected(folder, "The ", 8, GREEDY, 0).startsWith(new TextDecoder().decode(value).trimEnd()));
    const { stdout: status } = await launch([
      ...freely().slice(0, -1),
      "/bin/cat",
      `/proc/${child.pid}/status`,
    ]);
    assert.equal(/^Seccomp_filters:\s+(\d+)$/m.exec(status)?.[1], "2"); // the launcher's, and the refusal of programs
    child.kill("SIGINT");
    assert.equal((await child.status).code, 130);
    reader.releaseLock();
    await Promise.all([child.stdout.cancel(), child.stderr.cancel(), writer.close().catch(() => {})]);
  },
);

const SCRIPT = "/usr/bin/script"; // util-linux: runs a program on a terminal of its own
const hasScript = (() => {
  try {
    return Deno.statSync(SCRIPT).isFile;
  } catch {
    return false; // not there, or not to be looked at
  }
})();

/** A command on a terminal, where this is typed. */
async function onTerminal(input: string, ...args: string[]): Promise<string> {
  const typed = [Deno.execPath(), ...foretokenItself, ...args].map(shellWord).join(" ");
  const terminal = [
    ...freely("--dev", "/dev").slice(0, -1),
    SCRIPT,
    "-qec",
    `stty -echo; ${typed}`,
    "/dev/null",
  ];
  const { stdout } = await withInput(input, terminal);
  const said = stdout.replaceAll("\r", "");
  const echo = input.replace("\x04", "");
  return said.startsWith(echo) ? said.slice(echo.length) : said;
}

if (hasScript) {
  withRuns(
    "on a terminal drafted tokens are green, and the prompt stands before the text",
    async (folder) => {
      const arm = await makeRun(folder, ENOUGH);
      const args = ["generate", arm, "--tokens", "30"];
      const shown = await onTerminal("", ...args, "--prompt", "The ", "--heads", "3");
      assert.ok(shown.startsWith("green: tokens from accepted drafts\n\x1b[2mThe \x1b[22m"), shown);
      assert.ok(shown.includes("\x1b[32m"), shown);
      // deno-lint-ignore no-control-regex
      const text = shown.replaceAll(/\x1b\[\d+m/g, "").replace(/^.*\n/, "");
      assert.equal(text, `The ${expected(folder, "The ", 30, GREEDY, 0)}\n`);
    },
  );

  withRuns("without a prompt, on a terminal, each line is one, until Ctrl-D", async (folder) => {
    const arm = await makeRun(folder, 5);
    const shown = await onTerminal("The \nA\n\x04", "generate", arm, "--tokens", "8", "--heads", "1");
    const [first, second] = ["The ", "A"].map((text) => expected(folder, text, 8, GREEDY, 0));
    assert.equal(
      shown,
      `type the beginning of a text and press Enter; Ctrl-D ends\n> ${first}\n> ${second}\n> `,
    );
  });
}

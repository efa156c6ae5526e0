/** What completion offers, that it is quick and silent, and that the shells' scripts hand it on. */

import assert from "node:assert/strict";
import { dirname, join, normalize, relative } from "node:path";
import { candidatesFor } from "../../src/cli/completion/candidates.ts";
import { completionScript } from "../../src/cli/completion/scripts.ts";
import { idleCommandLine } from "../documented.ts";
import { launch, withLauncher } from "../pipeline/launcher.ts";
import { withFiles } from "../support.ts";
import { ENVIRONMENT, foretoken, freely, TASK } from "./foretoken.ts";

/** The words offered for the last one of a command line. */
async function offered(...typed: string[]): Promise<string[]> {
  return (await candidatesFor(await idleCommandLine(), typed)).words.map(({ value }) => value);
}

withFiles("commands, subcommands, options and choices come from the command line itself", async () => {
  assert.deepEqual(await offered("pip"), ["pipeline"]);
  assert((await offered("")).length >= 18);
  assert(!(await offered("")).includes("complete")); // hidden
  assert.deepEqual(await offered("model", ""), ["show"]);
  assert.deepEqual(await offered("model", "show", "--k"), ["--kind"]);
  assert.deepEqual(await offered("model", "show", "1m", "--kind", "r"), ["residual"]);
  assert.deepEqual(await offered("model", "show", "1m", "--kind=s"), ["--kind=sequential"]);
  assert.deepEqual(await offered("completion", ""), ["bash", "zsh", "fish"]);
  assert.deepEqual(await offered("help", "curr"), ["curriculum", "curricula"]);
  assert.deepEqual(await offered("help", "model", ""), ["show"]);
});

withFiles("an option that is there is not offered again, unless it may be repeated", async () => {
  const options = await offered("plan", "quickstart", "--json", "--set", "device=cpu", "--");
  assert.deepEqual(options, ["--set", "--runs", "--help"]);
  assert.deepEqual(await offered("plan", "--", "--"), []); // behind -- there are no options
});

withFiles(
  "pipelines are offered by name, and YAML files and folders where the word leads",
  async (folder) => {
    const here = relative(Deno.cwd(), folder);
    Deno.writeTextFileSync(join(folder, "mine.yaml"), "name: mine");
    Deno.writeTextFileSync(join(folder, "notes.txt"), "");
    Deno.mkdirSync(join(folder, "more"));
    assert.deepEqual(await offered("plan", "quick"), ["quickstart"]);
    assert.deepEqual(await offered("plan", `${here}/`), [`${here}/mine.yaml`, `${here}/more/`]);
    assert.deepEqual(await offered("curriculum", "show", "reverse"), ["reverse", "reverse-refresh"]);
    assert.deepEqual(await offered("model", "show", "1."), ["1.3b"]);
    assert.deepEqual(await offered("fetch", "tiny"), ["tinystories"]);
  },
);

withFiles(
  "stages are those of the file: of the command's kind, and with those that a matrix makes",
  async () => {
    assert.deepEqual(await offered("train", "quickstart", "--stage", ""), ["ntp", "forward"]);
    assert.deepEqual(await offered("model", "show", "quickstart", "--stage=f"), ["--stage=forward"]);
    assert.deepEqual(await offered("train", "study_small", "--stage", "ntp"), [
      "ntp",
      "ntp-s1",
      "ntp-s2",
      "ntp-s3",
    ]);
    assert.deepEqual(await offered("decode", "quickstart", "--stage", ""), ["decode"]);
    assert.deepEqual(await offered("train", "no-such-file", "x").catch(() => ["thrown"]), []);
  },
);

withFiles("runs and their arms are offered from the folder of runs", async (folder) => {
  const stage = (run: string, id: string, kind: string) => {
    Deno.mkdirSync(join(folder, run, id), { recursive: true });
    Deno.writeTextFileSync(join(folder, run, "pipeline.json"), "{}");
    Deno.writeTextFileSync(join(folder, run, id, "stage.json"), JSON.stringify({ id, run: kind }));
  };
  stage("one", "text", "prepare");
  stage("one", "ntp", "train");
  stage("two", "arm", "train");
  Deno.mkdirSync(join(folder, "no-run"));
  const runs = ["--runs", folder];
  assert.deepEqual(await offered("watch", ...runs, ""), ["one", "two"]);
  assert.deepEqual(await offered("generate", ...runs, ""), ["one/", "two/"]);
  assert.deepEqual(await offered("generate", ...runs, "o"), ["one/ntp"]);
  assert.deepEqual(await offered("export", `--runs=${folder}`, "two/"), ["two/arm"]);
  assert.deepEqual(await offered("inspect", ...runs, "one/"), ["one/text"]);
});

withFiles("--set is completed key by key, and then with the words that the key takes", async () => {
  const set = (change: string, file = "quickstart") => offered("plan", file, "--set", change);
  assert.deepEqual(await set("de"), ["device=", "decode."]);
  assert.deepEqual(await set("device="), ["device=auto", "device=cpu", "device=cuda"]);
  assert.deepEqual(await set("ntp.train.st"), ["ntp.train.steps="]);
  assert.deepEqual(await set("ntp.train.keep_best=f"), ["ntp.train.keep_best=false"]);
  assert.deepEqual(await set("ntp.cu"), ["ntp.curriculum=", "ntp.curriculum."]); // a name or a map
  assert.deepEqual(await set("ntp.curriculum=rev"), [
    "ntp.curriculum=reverse",
    "ntp.curriculum=reverse-refresh",
  ]);
  assert.deepEqual(await set("'*.train.ste"), ["*.train.steps="]); // the quote is the shell's
  assert.deepEqual(await set("decode.sampling.temp"), ["decode.sampling.temperature="]);
  assert.deepEqual(await set("ntp.id"), []);
  assert.deepEqual(await set("k4.matrix.", "study_small"), ["k4.matrix.curriculum=", "k4.matrix.seed="]);
  assert.deepEqual(await set("k4.curr", "study_small"), []); // the matrix says it
  assert.deepEqual(await offered("plan", "quickstart", "--set=ntp.train.sche"), [
    "--set=ntp.train.schedule=",
  ]);
  assert.deepEqual(await set("eval.to"), ["eval.tokens="]);
});

/** Values that nobody but the user knows. */
const FREE = new Set([
  ...["name", "endpoint", "host", "include", "revision", "config", "split", "base-model"],
  ...[
    "prompt",
    "tokens",
    "temperature",
    "top-k",
    "top-p",
    "min-p",
    "repetition-penalty",
    "stop",
    "seed",
    "heads",
  ],
  ...["tree", "threads", "port", "samples", "steps", "context", "batch", "vocab", "parallel", "jobs"],
]);

withFiles("every option that takes a value has words for it, or is known to be free", async () => {
  const program = await idleCommandLine();
  const walk = async (path: string[], command = program): Promise<void> => {
    for (const below of command.commands) await walk([...path, below.name()], below);
    for (const option of command.options) {
      const { long, argChoices } = option;
      if (option.isBoolean() || argChoices !== undefined || FREE.has(long!.slice(2))) continue;
      const { words, files } = await candidatesFor(program, [...path, "quickstart", long!, ""]);
      assert(words.length > 0 || files !== undefined, `${path.join(" ")} ${long}`);
    }
  };
  await walk([]);
});

withLauncher(
  "foretoken complete says nothing of errors",
  async (folder) => {
    const broken = join(folder, "broken.yaml");
    Deno.writeTextFileSync(broken, "name: [");
    for (
      const typed of [["plan", broken, "--set", "a."], ["plan", "/no/such", "--stage", ""], [
        "nonsense",
        "--x",
        "y",
      ]]
    ) {
      const { code, stdout, stderr } = await foretoken("complete", "--", ...typed);
      assert.deepEqual([code, stdout, stderr], [0, "", ""], typed.join(" "));
    }
  },
);

withFiles("to complete commands and options takes neither the schema nor a stage's code", () => {
  const reached = new Set(["src/cli.ts", "src/cli/completion/candidates.ts"]);
  for (const file of reached) {
    const source = Deno.readTextFileSync(file);
    for (const [, to] of source.matchAll(/^(?:import|export) (?!type\b)[^;]*?from "(\.[^"]+)"/gm)) {
      reached.add(normalize(join(dirname(file), to!)));
    }
  }
  assert(reached.has("src/cli/completion/values.ts") && reached.has("src/cli/stages.ts"));
  const slow = [...reached].filter((file) =>
    /^import (?!type\b).*"(zod|yaml)"/m.test(Deno.readTextFileSync(file))
  );
  assert.deepEqual(slow, []); // they would be loaded at every Tab
});

const program = [Deno.execPath(), TASK[0]!, "--cached-only", ...TASK.slice(1)];
const checkout = { folder: Deno.cwd(), tasks: ["train", "prepare"] };

/** Runs a shell with the script at hand as $1. */
async function inShell(
  shell: string,
  folder: string,
  name: "bash" | "zsh" | "fish",
  body: string,
): Promise<string> {
  const script = join(folder, `completion.${name}`);
  Deno.writeTextFileSync(script, completionScript(name, { program, checkout }));
  const flags = name === "zsh" ? ["-f"] : name === "fish" ? ["--no-config"] : ["--norc"];
  const bound = [...freely("--dev", "/dev").slice(0, -1), shell, ...flags, "-c", body, "x", script];
  const { code, stdout, stderr } = await launch(bound, {
    ...ENVIRONMENT,
    PATH: "/usr/bin:/bin",
    HOME: folder,
  });
  assert.equal(code, 0, stderr);
  return stdout;
}

const has = (path: string): boolean => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
};

/** Calls the function that `complete` names, as bash does at a Tab, with the words as bash cuts them. */
const BASH = `
source "$1"
compopt() { :; }
press() {
  local name=$1
  COMP_LINE=$2 COMP_POINT=\${#2}
  shift 2
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  $(complete -p "$name" | sed 's/.* -F \\([^ ]*\\).*/\\1/')
  echo "\${COMPREPLY[*]}"
}
press foretoken "foretoken train quickstart --stage " foretoken train quickstart --stage ""
press foretoken "foretoken plan quickstart --set device=" foretoken plan quickstart --set device =
press deno "deno task train quickstart --stage f" deno task train quickstart --stage f
press deno "deno task other quick" deno task other quick
`;

if (has("/bin/bash")) {
  withLauncher("bash: the script completes foretoken, and deno task within the checkout", async (folder) => {
    assert.deepEqual((await inShell("/bin/bash", folder, "bash", BASH)).split("\n"), [
      "ntp forward",
      "auto cpu cuda",
      "forward",
      "",
      "",
    ]);
  });
}

if (has("/usr/bin/fish")) {
  withLauncher("fish: the script completes foretoken, and deno task within the checkout", async (folder) => {
    const script = join(folder, "completion.fish");
    const body =
      `source ${script}; complete -C "foretoken pipe"; complete -C "deno task train quickstart --stage f"`;
    const [first, second, ...more] = (await inShell("/usr/bin/fish", folder, "fish", body)).split("\n");
    assert.match(first!, /^pipeline\trun all stages /);
    assert.deepEqual([second, ...more], ["forward\ttrain", ""]);
  });
}

if (has("/usr/bin/zsh")) {
  withLauncher("zsh: the script is valid, and completes both names", async (folder) => {
    const body = 'zsh -n "$1" && compdef() { print $2; } && source "$1"';
    assert.equal(await inShell("/usr/bin/zsh", folder, "zsh", body), "foretoken\ndeno\n");
  });
}

/** Where the kernel has no Landlock: `sandbox: auto` warns and goes on, `sandbox: required` refuses before anything runs. */

import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { exists } from "../../src/formats/atomic.ts";
import { ENVIRONMENT, TASK } from "../cli/foretoken.ts";
import { type Ended, LAUNCHER, withLauncher } from "./launcher.ts";

/** Runs a program as on a kernel without Landlock. */
async function without(program: string, ...args: string[]): Promise<Ended> {
  const flags = ["--no-prompt", "--cached-only", "--allow-ffi=native/build", `--allow-run=${program}`];
  const helper = join(import.meta.dirname!, "without_landlock.ts");
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, helper, program, ...args],
    env: ENVIRONMENT,
    clearEnv: true,
    stdin: "null",
  });
  const { code, signal, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, signal, stdout: text(stdout), stderr: text(stderr) };
}

withLauncher("without Landlock the launcher warns and goes on; --require makes it refuse", async () => {
  const check = await without(LAUNCHER, "--check");
  assert.deepEqual([check.code, check.stdout], [121, "Landlock: none (the kernel lacks it)\n"]);
  const auto = await without(LAUNCHER, "--", "/bin/echo", "went on");
  assert.deepEqual([auto.code, auto.stdout], [0, "went on\n"]);
  assert.match(
    auto.stderr,
    /^launch: WARNING: no Landlock here \(the kernel lacks it\): native code is NOT kept/,
  );
  const required = await without(LAUNCHER, "--require", "--", "/bin/echo", "went on");
  assert.deepEqual([required.code, required.stdout], [121, ""]);
  assert.equal(
    required.stderr,
    "launch: no Landlock here (the kernel lacks it), and --require asks for it\n",
  );
});

/** The command line on a pipeline of one stage with this value of `sandbox`. */
async function pipeline(folder: string, sandbox: string): Promise<Ended> {
  const file = join(folder, `${sandbox}.yaml`);
  const stage = "{ id: text, run: prepare, input: stories, bytes: 2e4 }";
  Deno.writeTextFileSync(file, `name: ${sandbox}\nsandbox: ${sandbox}\nstages: [${stage}]\n`);
  const [run, ...flags] = TASK;
  const args = ["pipeline", relative(Deno.cwd(), file), "--runs", relative(Deno.cwd(), folder)];
  return await without(Deno.execPath(), run!, "--cached-only", ...flags, ...args);
}

withLauncher("without Landlock a pipeline runs, with a warning that is hard to miss", async (folder) => {
  const { code, stderr } = await pipeline(folder, "auto");
  assert.equal(code, 0, stderr);
  assert.match(stderr, /launch: WARNING: no Landlock here/);
  assert(exists(join(folder, "auto/text/meta.json")));
});

withLauncher("without Landlock `sandbox: required` starts nothing and says what to do", async (folder) => {
  const { code, stderr } = await pipeline(folder, "required");
  assert.equal(
    stderr,
    "sandbox: required, but native code cannot be bound to a stage's files here (Landlock: none (the kernel " +
      "lacks it)): `--set sandbox=auto` goes on with Deno's permissions alone, which bind TypeScript only\n",
  );
  assert.equal(code, 1);
  assert(!exists(join(folder, "required")));
});

/** Proves what set-up learns of a program that it starts. */
import assert from "node:assert/strict";
import { lastLines, runProgram } from "../../scripts/setup/program.ts";

const canRun = Deno.permissions.querySync({ name: "read" }).state === "granted" &&
  Deno.permissions.querySync({ name: "run", command: Deno.execPath() }).state === "granted";

Deno.test({
  name: "runProgram() gives both streams together, how it ended, and the variables it was given",
  ignore: !canRun,
  fn: async () => {
    const script = "console.log('out', Deno.env.get('FORETOKEN_TEST')); console.error('err'); Deno.exit(3)";
    const { ok, output } = await runProgram(Deno.execPath(), ["eval", script], { FORETOKEN_TEST: "given" });
    assert.equal(ok, false);
    assert.deepEqual(output.trim().split("\n").sort(), ["err", "out given"]);
    assert.equal((await runProgram(Deno.execPath(), ["eval", ""])).ok, true);
  },
});

Deno.test("lastLines() indents the last lines that say something", () => {
  assert.equal(lastLines("one\n\ntwo\n  \nthree\n", 2), "  two\n  three");
  assert.equal(lastLines("", 3), "");
});

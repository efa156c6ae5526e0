/** Proves what is said where the text library cannot be loaded, its errors, and its lock on exec. */
import assert from "node:assert/strict";
import { check, Handle, native, peakMemory, TextError } from "../../src/text/native.ts";
import { withText } from "./text_library.ts";

Deno.test({
  name: "encoding without permission for the text library says what to do",
  permissions: { ffi: false },
  fn: async () => {
    // Another module instance: this process may have loaded the library already.
    await assert.rejects(async () => (await import("../../src/text/native.ts?fresh")).native(), {
      name: "UserError",
      message: /^Cannot load the text library; run `deno task setup`: /,
    });
  },
});

withText("a call that is refused throws the library's sentence", () => {
  assert.throws(() => check(native().ft_text_free(12345)), (error: unknown) => {
    assert.ok(error instanceof TextError);
    assert.equal(error.message, "there is no handle 12345");
    return true;
  });
  const splitter = () => native().ft_text_splitter(new Uint8Array(0x110000), new Int32Array([1, 1, 99]), 3);
  assert.throws(() => new Handle(splitter()), /the steps are cut short/);
});

withText("peakMemory() is what this process has had", () => {
  const peak = peakMemory();
  assert.ok(peak >= Deno.memoryUsage().rss / 2 && peak < 1e12, `${peak} bytes`);
});

const mayRun = Deno.permissions.querySync({ name: "run", command: Deno.execPath() }).state === "granted";

Deno.test({
  name: "refuseExec() holds for every thread, and for programs that were allowed before",
  ignore: !mayRun,
  fn: async () => {
    const code = `
      import { refuseExec } from "${new URL("../../src/text/native.ts", import.meta.url)}";
      const tried = async (run) => { try { await run(); return "done"; } catch (e) { return e.name; } };
      const command = () => new Deno.Command(Deno.execPath(), { args: ["--version"], clearEnv: true });
      const before = await tried(() => command().outputSync());
      refuseExec();
      const after = [await tried(() => command().outputSync()), await tried(() => command().output())];
      console.log(JSON.stringify([before, ...after]));
    `;
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-config", code],
      clearEnv: true,
      env: { DENO_DIR: "/dev/null/deno" },
    }).output();
    const printed = new TextDecoder().decode(stdout);
    assert.notEqual(printed, "", new TextDecoder().decode(stderr));
    assert.deepEqual(JSON.parse(printed), ["done", "PermissionDenied", "PermissionDenied"]);
  },
});

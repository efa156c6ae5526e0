/** A browser for the tests that look at pages: where it is, and a process of its own that may start it. */
import assert from "node:assert/strict";

const granted = (descriptor: Deno.PermissionDescriptor): boolean =>
  Deno.permissions.querySync(descriptor).state === "granted";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const mayLook = granted({ name: "read", path: "/usr/bin" }) &&
  granted({ name: "run", command: Deno.execPath() });

/** The program, or undefined where there is none or it may not be started. */
export const browser: string | undefined = mayLook ? PLACES.find(isThere) : undefined;
/** Where a look that cannot be taken is a failure. */
export const inCi: boolean = granted({ name: "env", variable: "CI" }) && Deno.env.get("CI") === "true";

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Runs a script that may start the browser and reach this machine; what it prints, which is JSON. */
export async function lookWith<Seen>(
  browser: string,
  script: string,
  flags: readonly string[],
  args: readonly string[],
): Promise<Seen> {
  const own = ["--no-prompt", "--ignore-env", `--allow-run=${browser}`, "--allow-net=127.0.0.1"];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...own, ...flags, script, browser, ...args],
    clearEnv: true,
    stdout: "piped",
    stderr: "piped",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

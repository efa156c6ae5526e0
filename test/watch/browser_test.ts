/** The live page in a real browser: it draws a run, and follows it without being loaded again. */
import assert from "node:assert/strict";
import { withFiles } from "../support.ts";

const granted = (descriptor: Deno.PermissionDescriptor): boolean =>
  Deno.permissions.querySync(descriptor).state === "granted";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const mayLook = granted({ name: "read", path: "/usr/bin" }) &&
  granted({ name: "run", command: Deno.execPath() });
const browser = mayLook ? PLACES.find(isThere) : undefined;
const inCi = granted({ name: "env", variable: "CI" }) && Deno.env.get("CI") === "true";

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** What browser.ts prints. */
interface Seen {
  readonly first: string;
  readonly then: string;
}

if (browser === undefined && !inCi) {
  // deno-lint-ignore no-console
  console.log("the live page is not looked at in a browser: there is no Chromium in /usr/bin");
  Deno.test.ignore("the live page in a browser", () => {});
} else {
  withFiles("a browser shows the run, and what is new without being asked", async (folder) => {
    assert.ok(browser !== undefined, "CI looks at the live page: install chromium before");
    const { first, then } = await look(browser, folder);
    assert.match(first, /<strong>forward<\/strong>[\s\S]*step 250 of 400/);
    assert.match(first, /<svg[^>]*class="chart"[\s\S]*Loss per head: forward \(K=3\)/);
    assert.match(first, /Tokens per second in training/);
    assert.match(first, /<p id="lost"[^>]*hidden/);
    assert.match(then, /step 300 of 400/); // came by /live, after the page was loaded
    assert.doesNotMatch(then, /step 250 of 400/);
  });
}

/** A process of its own may reach the network and start the browser. */
async function look(browser: string, folder: string): Promise<Seen> {
  const flags = [`--allow-run=${browser}`, "--allow-net=127.0.0.1", `--allow-read=${folder},src/watch`];
  const args = [
    "run",
    "--no-prompt",
    "--ignore-env",
    ...flags,
    `--allow-write=${folder}`,
    "test/watch/browser.ts",
  ];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args, browser, folder],
    clearEnv: true,
    stdout: "piped",
    stderr: "piped",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

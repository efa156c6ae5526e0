/** Tests that start programs, all through the launcher: the one program that `deno task test` may run. */

import { join } from "node:path";
import { withFiles } from "../support.ts";

/** Absolute. */
export const LAUNCHER = join(import.meta.dirname!, "../../native/build/launch");

const granted = (descriptor: Deno.PermissionDescriptor): boolean =>
  Deno.permissions.querySync(descriptor).state === "granted";

const mayRun = granted({ name: "run", command: LAUNCHER });
const isBuilt = mayRun && exists(LAUNCHER);
/** CI checks everything: what is left out there fails. */
const inCi = granted({ name: "env", variable: "CI" }) && Deno.env.get("CI") === "true";

/** The ABI of this kernel's Landlock; 0 where it has none, or where the launcher cannot be asked. */
export const landlock = isBuilt ? Number(/ABI (\d+)/.exec((await launch(["--check"])).stdout)?.[1] ?? 0) : 0;

/** A test with a fresh folder that may start the launcher; ignored, with one sentence, where it is missing. */
export function withLauncher(name: string, body: (folder: string) => void | Promise<void>): void {
  if (isBuilt) return withFiles(name, body);
  const how = mayRun ? "`deno task setup` builds it" : "`deno task test` may start it";
  leaveOut(name, `tests that need native/build/launch are ignored: ${how}`);
}

/** The same for what Landlock does: where the kernel has none, nothing is held. */
export function withLandlock(name: string, body: (folder: string) => void | Promise<void>): void {
  if (!isBuilt || landlock > 0) return withLauncher(name, body);
  leaveOut(name, "tests of what Landlock holds are ignored: this kernel has none");
}

const told = new Set<string>();

function leaveOut(name: string, why: string): void {
  // deno-lint-ignore no-console
  if (!inCi && !told.has(why)) console.log(why);
  told.add(why);
  Deno.test({
    name,
    ignore: !inCi,
    fn: () => {
      throw new Error(why);
    },
  });
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** How a program ended, and what it said. */
export interface Ended {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the launcher with an empty environment and waits for it. */
export async function launch(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const command = new Deno.Command(LAUNCHER, { args, env, clearEnv: true, stdin: "null" });
  const { code, signal, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, signal, stdout: text(stdout), stderr: text(stderr) };
}

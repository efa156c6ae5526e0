/** Tests that start programs, all through the launcher: the one program that `deno task test` may run. */

import { join } from "node:path";
import { withFiles } from "../support.ts";

/** Absolute. */
export const LAUNCHER = join(import.meta.dirname!, "../../native/build/launch");

const granted = Deno.permissions.querySync({ name: "run", command: LAUNCHER }).state === "granted";
const isBuilt = granted && exists(LAUNCHER);
let told = false;

/** A test with a fresh folder that may start the launcher; ignored, with one sentence, where it is missing. */
export function withLauncher(name: string, body: (folder: string) => void | Promise<void>): void {
  if (isBuilt) return withFiles(name, body);
  if (!told) {
    told = true;
    const how = granted ? "`deno task setup` builds it" : "`deno task test` may start it";
    // deno-lint-ignore no-console
    console.log(`tests that need native/build/launch are ignored: ${how}`);
  }
  Deno.test({ name, ignore: true, fn: () => {} });
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

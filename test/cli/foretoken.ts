/** The command line as users run it, behind the one program that a test may run. */

import { join } from "node:path";
import { type Ended, launch } from "../pipeline/launcher.ts";

/** Arguments for `deno` of the task `foretoken` in deno.json, which a test compares, and no module from elsewhere. */
export const TASK = [
  "run",
  "--no-prompt",
  "--ignore-env",
  "--allow-env=OMP_*,GOMP_*,MKL_*,CUDA_VISIBLE_DEVICES,TERM,HF_TOKEN,OPENAI_API_KEY," +
  "FORETOKEN_API_KEY,HTTPS_PROXY,HTTP_PROXY,NO_PROXY,https_proxy," +
  "http_proxy,no_proxy,DENO_CERT,DENO_TLS_CA_STORE",
  "--allow-read",
  "--allow-write=runs",
  "--allow-run=native/build/launch",
  "src/cli.ts",
];

export const ENVIRONMENT = { DENO_DIR: "/dev/null/deno" };

/** Options for a launcher that leaves the command line all that its own launchers take away. */
export function freely(...options: readonly string[]): string[] {
  return [
    ...["--rx", "/", "--rw", join(Deno.cwd(), "runs"), "--dev", "/dev/null"],
    ...options,
    ...["--", Deno.execPath()],
  ];
}

/** Arguments for the launcher that start the command line. */
export function behind(args: readonly string[], ...options: readonly string[]): string[] {
  const [run, ...flags] = TASK;
  return [...freely(...options), run!, "--cached-only", ...flags, ...args];
}

/** Runs a command and waits for it. */
export const foretoken = (...args: string[]): Promise<Ended> => launch(behind(args), ENVIRONMENT);

/** Of util-linux: runs a program on a terminal of its own. */
export const SCRIPT = "/usr/bin/script";
export const hasScript: boolean = (() => {
  try {
    return Deno.statSync(SCRIPT).isFile;
  } catch {
    return false; // not there, or not to be looked at
  }
})();

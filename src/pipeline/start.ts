/** Starts a stage as a process that is bound to its own files: launcher, then Deno, then src/stage.ts. */

import { dirname, join } from "node:path";
import type { StageConfig } from "../config/schema.ts";
import { UserError } from "../stage/errors.ts";
import { accessOf, denoFlags, ENVIRONMENT, launcherOptions, type Places, usesNative } from "./permissions.ts";

/** Where things lie for this program and a run folder (absolute). */
export function findPlaces(run: string): Places {
  const project = dirname(dirname(import.meta.dirname!));
  const torch = realPath(join(project, "native/build/torch"));
  return { project, run, deno: Deno.execPath(), torch };
}

function realPath(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Starts a stage. Its standard output and error are this process's own; standard input is empty.
 * @throws {UserError} where set-up has not run.
 */
export function startStage(config: StageConfig, places: Places): Deno.ChildProcess {
  const access = accessOf(config, places);
  const { project, run, deno } = places;
  const launcher = join(project, "native/build/launch");
  const command = new Deno.Command(launcher, {
    args: [
      ...launcherOptions(access, places),
      "--",
      deno,
      "run",
      ...denoFlags(access, places),
      join(project, "src/stage.ts"),
      run,
      config.id,
    ],
    cwd: project, // deno.json is looked for here
    clearEnv: true,
    env: environmentFor(config, { ...Deno.env.toObject(), ...(Deno.noColor ? { NO_COLOR: "1" } : {}) }),
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  });
  try {
    return command.spawn();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new UserError(`${launcher} is missing: run \`deno task setup\` first`, { cause });
  }
}

/** What a stage's process sees of the environment, and what it is given. */
export function environmentFor(config: StageConfig, own: Record<string, string>): Record<string, string> {
  const passed = ["NO_COLOR", "TERM", ...(usesNative(config.run) ? ENVIRONMENT : [])];
  const isPassed = (name: string) =>
    passed.some((known) => known.endsWith("*") ? name.startsWith(known.slice(0, -1)) : name === known);
  const environment = Object.fromEntries(Object.entries(own).filter(([name]) => isPassed(name)));

  // A stage has no module cache: one that it could write would be run, unbound, by the next runner.
  environment.DENO_DIR = "/dev/null/deno";
  environment.DENO_LOG = "warn,deno::cache=off"; // Deno tells a terminal that it misses the cache
  environment.DENO_NO_UPDATE_CHECK = "1";
  if (!usesNative(config.run)) return environment;
  // Threads that wait in a loop make a busy machine 10 to 50 times slower; a short loop costs 8% on a quiet one.
  const hasPolicy = "OMP_WAIT_POLICY" in environment || "GOMP_SPINCOUNT" in environment;
  if (!hasPolicy) environment.GOMP_SPINCOUNT = "10000";
  if ("threads" in config && config.threads !== "auto") environment.OMP_NUM_THREADS = String(config.threads);
  return environment;
}

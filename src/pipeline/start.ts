/** Starts a program of this project as a process that is bound to its own files: launcher, then Deno, then the program. */

import { dirname, join, resolve } from "node:path";
import { hostOf } from "../config/hosts.ts";
import type { StageConfig } from "../config/schema.ts";
import { UserError } from "../stage/errors.ts";
import {
  type Access,
  accessOf,
  connectsOf,
  DENO_NET_ENVIRONMENT,
  denoFlags,
  ENVIRONMENT,
  generateAccess,
  type Generating,
  launcherOptions,
  nativeOf,
  type Places,
  PROXIES,
  type Sandbox,
  variablesOf,
  watchAccess,
} from "./permissions.ts";

/** Where things lie for this program and a run folder (absolute), and how strictly its stages are to be bound. */
export function findPlaces(run: string, sandbox: Sandbox = "auto"): Places {
  const project = dirname(dirname(import.meta.dirname!));
  const torch = realPath(join(project, "native/build/torch"));
  return { project, run, deno: Deno.execPath(), torch, sandbox };
}

/**
 * For a runner before it starts anything: whether the machine can do what the pipeline file asks of the sandbox.
 *
 * @throws {UserError} where it cannot, or where set-up has not run.
 */
export function checkSandbox({ project, sandbox }: Places): void {
  if (sandbox === "auto") return;
  const launcher = launcherOf(project);
  const check = new Deno.Command(launcher, { args: ["--check"], clearEnv: true, stderr: "inherit" });
  const { success, stdout } = started(launcher, () => check.outputSync());
  if (success) return;
  const found = new TextDecoder().decode(stdout).trim();
  throw new UserError(
    `sandbox: required, but native code cannot be bound to a stage's files here (${found}): ` +
      "`--set sandbox=auto` goes on with Deno's permissions alone, which bind TypeScript only",
  );
}

const launcherOf = (project: string): string => join(project, "native/build/launch");

/** @throws {UserError} where the launcher is not there, or the lists for it are too long. */
function started<Value>(launcher: string, act: () => Value): Value {
  try {
    return act();
  } catch (cause) {
    if (/argument list too long/i.test(String(cause))) {
      const message =
        "it names more files and folders than Linux lets a process be told: give it fewer needs, " +
        "or a shorter path to the run's folder";
      throw new UserError(message, { cause });
    }
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new UserError(`${launcher} is missing: run \`deno task setup\` first`, { cause });
  }
}

function realPath(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** How a stage goes along with others. */
export interface Company {
  /** Whether the caller reads its standard output and error, and draws its progress. */
  readonly piped: boolean;
  /** CPU threads in place of all cores; a number in its config goes first. */
  readonly threads?: number | undefined;
}

/**
 * Starts a stage. Its standard output and error are this process's own, or the caller's to read; standard input is empty.
 * @throws {UserError} where set-up has not run.
 */
export function startStage(
  config: StageConfig,
  places: Places,
  { piped, threads }: Company = { piped: false },
): Deno.ChildProcess {
  const args = [join(places.project, "src/stage.ts"), places.run, config.id, ...(piped ? ["piped"] : [])];
  const own = ownEnvironment();
  const shared = threads === undefined || "OMP_NUM_THREADS" in own
    ? {}
    : { OMP_NUM_THREADS: String(threads) };
  const env = environmentFor(config, { ...own, ...shared });
  const streams = piped ? PIPED : INHERITED;
  return startBound(withSurroundings(accessOf(config, places), env), places, args, env, streams);
}

/**
 * Serves the page that shows a run while it goes on, at 127.0.0.1, until it is stopped.
 *
 * @throws {UserError} where set-up has not run.
 */
export function startWatch(port: number, places: Places): Deno.ChildProcess {
  const args = [join(places.project, "src/watch/main.ts"), places.run, String(port)];
  return startBound(watchAccess(port, places), places, args, boundEnvironment(ownEnvironment(), []));
}

/**
 * Starts the process that continues texts. It reads what to do from its standard input, which is the caller's to write.
 *
 * @throws {UserError} where set-up has not run.
 */
export function startGenerate(generating: Generating, places: Places): Deno.ChildProcess {
  const args = [join(places.project, "src/generate/main.ts"), generating.arm, generating.text];
  const env = computing(boundEnvironment(ownEnvironment(), ENVIRONMENT), generating.threads);
  return startBound(generateAccess(generating), places, args, env, { ...INHERITED, stdin: "piped" });
}

type Streams = Required<Pick<Deno.CommandOptions, "stdin" | "stdout" | "stderr">>;
const INHERITED: Streams = { stdin: "null", stdout: "inherit", stderr: "inherit" };
const PIPED: Streams = { stdin: "null", stdout: "piped", stderr: "piped" };

/** `args`: the program's file and its own arguments. */
function startBound(
  access: Access,
  places: Places,
  args: readonly string[],
  env: Record<string, string>,
  streams: Streams = INHERITED,
): Deno.ChildProcess {
  const launcher = launcherOf(places.project);
  const command = new Deno.Command(launcher, {
    args: boundArguments(access, places, args),
    cwd: places.project, // deno.json is looked for here
    clearEnv: true,
    env,
    ...streams,
  });
  return started(launcher, () => command.spawn());
}

/** What the launcher is told: its lists, then Deno with its permissions, then the program's file and arguments. */
export function boundArguments(access: Access, places: Places, args: readonly string[]): string[] {
  return [
    ...["--parent", String(Deno.pid)],
    ...(places.sandbox === "required" ? ["--require"] : []),
    ...launcherOptions(access, places),
    "--",
    places.deno,
    "run",
    ...denoFlags(access, places),
    ...args,
  ];
}

/** What a stage with a network needs besides, on this machine: its proxies, and the site's own certificates. */
function withSurroundings(access: Access, env: Record<string, string>): Access {
  if (access.connect.length === 0) return access;
  const certificates = env.DENO_CERT ? [resolve(env.DENO_CERT)] : [];
  return {
    ...access,
    read: [...access.read, ...certificates],
    connect: [...access.connect, ...proxiesIn(env)],
  };
}

/** `host:port` of the proxies that an environment names. */
export function proxiesIn(environment: Record<string, string>): string[] {
  const addresses = PROXIES.flatMap((name) => environment[name] || [])
    .map((address) => address.includes("://") ? address : `http://${address}`);
  return [
    ...new Set(
      addresses.filter((address) => URL.canParse(address)).map((address) => hostOf(new URL(address))),
    ),
  ];
}

function ownEnvironment(): Record<string, string> {
  return { ...Deno.env.toObject(), ...(Deno.noColor ? { NO_COLOR: "1" } : {}) };
}

/** What a stage's process sees of the environment, and what it is given. */
export function environmentFor(config: StageConfig, own: Record<string, string>): Record<string, string> {
  const environment = boundEnvironment(own, [
    ...variablesOf(config),
    ...(connectsOf(config).length > 0 ? DENO_NET_ENVIRONMENT : []),
  ]);
  const computes = nativeOf(config) === "torch";
  return computes ? computing(environment, "threads" in config ? config.threads : "auto") : environment;
}

/** An environment with what libtorch is told of threads. */
function computing(
  environment: Record<string, string>,
  threads: "auto" | number,
): Record<string, string> {
  // Threads that wait in a loop make a busy machine 10 to 50 times slower; a short loop costs 8% on a quiet one.
  const hasPolicy = "OMP_WAIT_POLICY" in environment || "GOMP_SPINCOUNT" in environment;
  return {
    ...environment,
    ...(hasPolicy ? {} : { GOMP_SPINCOUNT: "10000" }),
    ...(threads === "auto" ? {} : { OMP_NUM_THREADS: String(threads) }),
  };
}

/** Of one's own environment what concerns the terminal and the names in `more`. */
function boundEnvironment(own: Record<string, string>, more: readonly string[]): Record<string, string> {
  const passed = ["NO_COLOR", "TERM", ...more];
  const isPassed = (name: string) =>
    passed.some((known) => known.endsWith("*") ? name.startsWith(known.slice(0, -1)) : name === known);
  const environment = Object.fromEntries(Object.entries(own).filter(([name]) => isPassed(name)));

  // A stage has no module cache: one that it could write would be run, unbound, by the next runner.
  environment.DENO_DIR = "/dev/null/deno";
  environment.DENO_LOG = "warn,deno::cache=off"; // Deno tells a terminal that it misses the cache
  environment.DENO_NO_UPDATE_CHECK = "1";
  return environment;
}

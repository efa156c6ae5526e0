/**
 * Makes the project ready to compute: finds libtorch (or installs it), builds the shim, and loads it once.
 * `deno task setup`, and a dependency of every task that needs it: done in milliseconds when nothing changed.
 */
import { EXIT, UserError } from "../src/stage/errors.ts";
import { Terminal } from "../src/stage/terminal.ts";
import { start, TorchError, versions } from "../src/torch/mod.ts";
import { compile, configure, jobs } from "./setup/build.ts";
import { findLibtorch } from "./setup/libtorch.ts";
import { type RunProgram, runProgram } from "./setup/program.ts";
import { current, type Env, type Folders, products, record, stamp, write } from "./setup/record.ts";

/** What set-up needs of the outside; tests give their own. */
export interface Surroundings extends Folders {
  readonly env: Env;
  /** Bytes. */
  readonly freeMemory: () => number;
  readonly run: RunProgram;
  readonly say: (line: string) => void;
  /** Loads what was built and says what it runs on; throws where it does not load. */
  readonly tryShim: () => string;
}

/** Sets up, or finds that there is nothing to do. Throws {@link UserError} with the sentence for whoever asked. */
export async function setUp(around: Surroundings): Promise<void> {
  checkMachine(Deno.build);
  if (await nothingToDo(around)) return;
  Deno.mkdirSync(around.build, { recursive: true });
  using lock = Deno.openSync(`${around.build}/setup.lock`, { write: true, create: true });
  if (!lock.tryLockSync(true)) {
    around.say("set-up: waiting for another one, which is running");
    await lock.lock(true);
    if (await nothingToDo(around)) return;
  }
  await work(around);
}

/** Throws {@link UserError} where libtorch and the shim have no build. */
export function checkMachine({ os, arch }: { readonly os: string; readonly arch: string }): void {
  if (os === "linux" && arch === "x86_64") return;
  throw new UserError(
    `Cannot set up on ${os} (${arch}): this needs Linux on x86-64, or a container or virtual machine of it`,
  );
}

async function nothingToDo(around: Surroundings): Promise<boolean> {
  const last = await current(around);
  if (last) around.say(`set-up: nothing to do (libtorch ${last.libtorch.version}, ${last.libtorch.foundBy})`);
  return last !== undefined;
}

async function work(around: Surroundings): Promise<void> {
  const { say } = around;
  const libtorch = await findLibtorch(around);
  say(`libtorch: ${libtorch.version}, ${WHY[libtorch.foundBy]} (${libtorch.folder})`);

  const build = { ...around, libtorch, jobs: parallelJobs(around) };
  say(`compiler: ${await configure(build)}`);
  const before = products(around.build).map(stamp).join();
  const started = performance.now();
  await compile(build);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  say(
    `shim:     ${
      products(around.build).map(stamp).join() === before ? "up to date" : `built in ${seconds} s`
    }`,
  );

  say(`device:   ${around.tryShim()}`);
  write(around.build, await record(libtorch, around));
}

const WHY = {
  LIBTORCH: "named by LIBTORCH",
  python3: "the torch of the active python3",
  "own copy": "a copy of this project's own",
} as const;

function parallelJobs({ env, freeMemory }: Surroundings): number | undefined {
  if (env("CMAKE_BUILD_PARALLEL_LEVEL")) return undefined; // cmake reads it
  return jobs(navigator.hardwareConcurrency, freeMemory());
}

function tryShim(): string {
  const started = performance.now();
  const { device, reason, threads } = start({ device: "auto", threads: "auto" });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  return `${device} (${reason}), ${threads} threads, row kernels ${versions().rows}; loaded in ${seconds} s`;
}

/** Shows that something goes on, where a person watches. */
function watched(run: RunProgram, terminal: Terminal): RunProgram {
  if (!terminal.screen.interactive) return run;
  return async (program, ...rest) => {
    const started = performance.now();
    const timer = setInterval(() => {
      terminal.progress(`  ${program}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
    }, 1000);
    try {
      return await run(program, ...rest);
    } finally {
      clearInterval(timer);
      terminal.clear();
    }
  };
}

if (import.meta.main) {
  const terminal = new Terminal();
  const native = `${import.meta.dirname}/../native`;
  try {
    await setUp({
      native: Deno.realPathSync(native),
      build: `${Deno.realPathSync(native)}/build`,
      env: (name) => Deno.env.get(name),
      freeMemory: () => Deno.systemMemoryInfo().available,
      run: watched(runProgram, terminal),
      say: (line) => terminal.log(line),
      tryShim,
    });
  } catch (error) {
    if (!(error instanceof UserError || error instanceof TorchError)) throw error;
    terminal.log(error.message);
    Deno.exit(EXIT.failed);
  }
}

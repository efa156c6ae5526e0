/** Finds the libtorch to build against: `LIBTORCH`, then the active python3's torch, then a copy of set-up's own. */
import { UserError } from "../../src/stage/errors.ts";
import { exists, remove } from "./paths.ts";
import { PIP_ENVIRONMENT, PIP_OPTIONS, pipError } from "./pip.ts";
import { lastLines, type RunProgram } from "./program.ts";
import type { Env } from "./record.ts";

/** A libtorch that can be built against. */
export interface Libtorch {
  /** Absolute path of the folder that holds include/ and lib/: a libtorch folder, or Python's torch package. */
  readonly folder: string;
  /** As it calls itself: "2.13.0+cpu". */
  readonly version: string;
  /** Who named it. */
  readonly foundBy: "LIBTORCH" | "python3" | "own copy";
}

/** Where to look, and how to say why a candidate was passed over. */
export interface Search {
  /** The project's native/build, absolute. */
  readonly build: string;
  readonly env: Env;
  readonly run: RunProgram;
  readonly say: (line: string) => void;
}

const NEWEST = 14;
const OLDEST = 11;
/** The version that set-up installs. */
const OWN = "2.13";

/** Throws {@link UserError} where none is found and none can be installed. */
export async function findLibtorch(search: Search): Promise<Libtorch> {
  const wanted = search.env("LIBTORCH");
  if (wanted) return named(wanted);
  const python = await askPython(search);
  if (python?.torch) {
    try {
      return { ...inspect(python.torch), foundBy: "python3" };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      search.say(`libtorch: not the one of python3: ${error.message}`);
    }
  }
  const own = ownCopy(search.build);
  if (own) {
    if (python?.driver && own.version.includes("+cpu")) {
      search.say(
        `libtorch: the own copy is a CPU build and there is an NVIDIA driver (rm -r native/build/pip changes it)`,
      );
    }
    return own;
  }
  return await install(search, python);
}

function named(folder: string): Libtorch {
  try {
    return { ...inspect(Deno.realPathSync(folder)), foundBy: "LIBTORCH" };
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound ? "no such folder" : (error as Error).message;
    throw new UserError(
      `Cannot use LIBTORCH="${folder}": ${reason}; set it to a libtorch folder or a torch package, or unset it`,
      { cause: error },
    );
  }
}

/** Folder and version of a usable libtorch; throws {@link UserError} with the reason where it is not usable. */
export function inspect(folder: string): { folder: string; version: string } {
  for (const file of ["lib/libtorch_cpu.so", "lib/libc10.so", "include/ATen/ATen.h"]) {
    if (!exists(`${folder}/${file}`)) throw new UserError(`${folder} has no ${file}`);
  }
  const version = versionOf(folder);
  if (!version) throw new UserError(`${folder} does not say its version`);
  const [major, minor] = version.split(".").map(Number);
  if (major !== 2 || minor! < OLDEST || minor! > NEWEST) {
    throw new UserError(`${folder} is version ${version}, and this needs 2.${OLDEST} to 2.${NEWEST}`);
  }
  return { folder, version };
}

/** From Python's version.py, or build-version of a libtorch archive, or the header that both have. */
function versionOf(folder: string): string | undefined {
  const sources: [string, RegExp][] = [
    ["version.py", /^__version__ = '(.+)'$/m],
    ["build-version", /^(\S+)$/m],
    ["include/torch/headeronly/version.h", /^#define TORCH_VERSION "(.+)"$/m],
  ];
  for (const [file, pattern] of sources) {
    const path = `${folder}/${file}`;
    const found = exists(path) && Deno.readTextFileSync(path).match(pattern)?.[1];
    if (found) return found;
  }
  return undefined;
}

/** What the active python3 knows. */
interface Python {
  readonly version: string;
  /** Its torch package, not imported. */
  readonly torch: string | null;
  /** An NVIDIA driver that finds a device. */
  readonly driver: boolean;
}

const PROBE = `
import ctypes, importlib.util, json, os, platform
spec = importlib.util.find_spec("torch")
try:
    driver = ctypes.CDLL("libcuda.so.1").cuInit(0) == 0
except OSError:
    driver = False
torch = os.path.realpath(os.path.dirname(spec.origin)) if spec and spec.origin else None
print("PROBE " + json.dumps({"version": platform.python_version(), "torch": torch, "driver": driver}))
`;

async function askPython(search: Search): Promise<Python | undefined> {
  try {
    const { output } = await search.run("python3", ["-c", PROBE]);
    const answer = output.match(/^PROBE (.+)$/m)?.[1];
    if (answer) return JSON.parse(answer) as Python;
    search.say(`python3:  does not run:\n${lastLines(output, 3)}`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error; // no python3: only needed where nothing else is found
  }
  return undefined;
}

function ownCopy(build: string): Libtorch | undefined {
  try {
    return { ...inspect(`${build}/pip/torch`), foundBy: "own copy" };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return undefined;
  }
}

/** One way to ask pip for torch. */
interface Attempt {
  readonly requirement: string;
  readonly dependencies: boolean;
  /** In place of the index that pip is configured with. */
  readonly index?: string;
}

/** PyTorch's own index of CPU builds: pip's usual one has only CUDA builds for Linux, ten times the size. */
const CPU_INDEX = "https://download.pytorch.org/whl/cpu";

/** A CPU build needs nothing beside itself; a CUDA build (pip's own default) needs the packages with NVIDIA's libraries. */
function attempts(driver: boolean): Attempt[] {
  const cpu = { requirement: `torch==${OWN}.0+cpu`, dependencies: false };
  const cpuFromPyTorch = { ...cpu, index: CPU_INDEX };
  const usual = { requirement: `torch==${OWN}.*`, dependencies: true };
  const any = { requirement: `torch>=2.${OLDEST},<2.${NEWEST + 1}`, dependencies: true };
  return driver ? [usual, any, cpu, cpuFromPyTorch] : [cpu, cpuFromPyTorch, usual, any];
}

/** Installs beside and renames: native/build/pip is whole or not there. */
async function install(search: Search, python: Python | undefined): Promise<Libtorch> {
  const { build, say } = search;
  let reached = true;
  for (const attempt of attempts(python?.driver ?? false)) {
    removeUnfinished(build);
    say(
      `libtorch: installing ${attempt.requirement} with pip into native/build/pip ` +
        `(${attempt.dependencies ? "a CUDA build: 3 GB" : "0.2 GB"} to fetch)`,
    );
    // Named for this process: the pip of a set-up that was killed may still be writing to another one.
    const unfinished = `${build}/${UNFINISHED}${Deno.pid}`;
    Deno.mkdirSync(`${unfinished}/tmp`, { recursive: true });
    const { ok, output } = await search.run("python3", pipArguments(search, attempt, `${unfinished}/site`), {
      ...PIP_ENVIRONMENT,
      TMPDIR: `${unfinished}/tmp`, // /tmp is often small
    });
    if (ok) {
      inspect(`${unfinished}/site/torch`);
      remove(`${build}/pip`);
      Deno.renameSync(`${unfinished}/site`, `${build}/pip`);
    }
    removeUnfinished(build);
    if (ok) return { ...inspect(`${build}/pip/torch`), foundBy: "own copy" };
    if (!/No matching distribution|Could not find a version/.test(output)) throw pipError(output);
    reached &&= !/connection broken/.test(output);
  }
  const reason = reached
    ? `pip offers no torch 2.${OLDEST} to 2.${NEWEST} for Python ${python?.version ?? "3"}`
    : "pip did not reach its index";
  throw new UserError(
    `Cannot install libtorch: ${reason}; set FORETOKEN_TORCH_INDEX to an index that has it, or LIBTORCH to a folder`,
  );
}

const UNFINISHED = "pip.tmp-";

function removeUnfinished(build: string): void {
  for (const { name } of Deno.readDirSync(build)) if (name.startsWith(UNFINISHED)) remove(`${build}/${name}`);
}

function pipArguments({ env }: Search, attempt: Attempt, target: string): string[] {
  const index = env("FORETOKEN_TORCH_INDEX") ?? attempt.index;
  return [
    ...["-m", "pip", "install", ...PIP_OPTIONS, "--target", target],
    ...(index ? ["--index-url", index] : []),
    ...(attempt.dependencies ? [] : ["--no-deps"]),
    attempt.requirement,
  ];
}

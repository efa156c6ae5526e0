/** Compiles the shim and the launcher with CMake. */
import { UserError } from "../../src/stage/errors.ts";
import type { Libtorch } from "./libtorch.ts";
import { remove } from "./paths.ts";
import { type Ended, lastLines, type RunProgram } from "./program.ts";
import { type Folders, stamp } from "./record.ts";

/** Bytes that the compiler takes to read libtorch's headers. */
const COMPILER_MEMORY = 1.2e9;

/** How to compile. */
export interface Build extends Folders {
  readonly libtorch: Libtorch;
  /** Compilers at a time; undefined leaves it to CMAKE_BUILD_PARALLEL_LEVEL. */
  readonly jobs: number | undefined;
  readonly run: RunProgram;
}

/** Compilers at a time: one a core, as far as the memory that is free goes. */
export function jobs(cores: number, freeMemory: number): number {
  return Math.max(1, Math.min(cores, Math.floor(freeMemory / COMPILER_MEMORY)));
}

/** Configures: the compiler that CMake found, as "GNU 12.2.0 (/usr/bin/c++), CMake 3.25.1". */
export async function configure(build: Build): Promise<string> {
  const tree = `${build.build}/cmake`;
  const args = [
    ...["-S", build.native, "-B", tree, "-DCMAKE_BUILD_TYPE=Release", `-DOUTPUT=${build.build}`],
    `-DFORETOKEN_TORCH=${build.libtorch.folder}`,
    `-DFORETOKEN_TORCH_STAMP=${build.libtorch.version} ${
      stamp(`${build.libtorch.folder}/lib/libtorch_cpu.so`)
    }`,
  ];
  let ended = await build.run("cmake", args);
  if (!ended.ok) {
    // A tree of another compiler, another place or a cut-off run: once more from nothing.
    remove(tree);
    ended = await build.run("cmake", args);
  }
  if (!ended.ok) {
    remove(tree); // else CMake remembers that there is no compiler
    throw buildError(build, "configure", ended);
  }
  return ended.output.match(/^-- Compiler: (.+)$/m)?.[1] ?? "unknown";
}

/** Compiles and links what is out of date. */
export async function compile(build: Build): Promise<void> {
  const parallel = build.jobs === undefined ? [] : ["--parallel", String(build.jobs)];
  const ended = await build.run("cmake", ["--build", `${build.build}/cmake`, ...parallel]);
  if (!ended.ok) throw buildError(build, "compile", ended);
  // CMake links the libtorch that was found; Deno may make links only where it may write everywhere.
  await build.run("cmake", ["-E", "rm", "-rf", `${build.build}/torch`]);
  const own = build.libtorch.folder === `${build.build}/pip/torch`;
  const target = own ? "pip/torch" : build.libtorch.folder;
  const linked = await build.run("cmake", ["-E", "create_symlink", target, `${build.build}/torch`]);
  if (!linked.ok) throw buildError(build, "link", linked);
}

/** Known causes, and what cures them on Debian and Ubuntu. */
const CAUSES: [RegExp, string][] = [
  [
    /No CMAKE_C(XX)?_COMPILER could be found|Could not find compiler set in environment|is not a full path to an existing compiler|not able to compile a simple/,
    "no working C++ compiler (Debian, Ubuntu: apt install g++)",
  ],
  [/unable to find a build program/, "neither make nor ninja (Debian, Ubuntu: apt install make)"],
  [
    /CMake [\d.]+ or higher is required/,
    "this CMake is too old: 3.18 is needed (python3 -m pip install cmake)",
  ],
  [
    /CXX20|C\+\+20 or later/,
    "this compiler is too old: C++20 is needed (Debian, Ubuntu: apt install g++-12, CXX=g++-12)",
  ],
  [
    /Killed|out of memory|virtual memory exhausted/,
    "the compiler ran out of memory (CMAKE_BUILD_PARALLEL_LEVEL=1 takes the least)",
  ],
  [/No space left on device/, "no space left on the device that holds native/build (1.5 GB are needed)"],
];

function buildError({ build }: Build, step: string, { output }: Ended): UserError {
  const cause = CAUSES.find(([pattern]) => pattern.test(output))?.[1];
  if (cause) return new UserError(`Cannot build the shim: ${cause}`);
  const log = `${build}/${step}.log`;
  Deno.writeTextFileSync(log, output);
  // The first error is the cause; the last lines are make's.
  const errors = output.split("\n").filter((line) => /error: |undefined reference|CMake Error/.test(line))
    .slice(0, 5);
  const said = lastLines(errors.join("\n") || output, 5);
  return new UserError(`Cannot build the shim; all of what was said is in ${log}:\n${said}`);
}

/**
 * `deno task bench ffi`: what one small op costs from TypeScript, from C++ and from PyTorch in Python, in the same run
 * on one thread; then what it takes to load libtorch and to print the help, in fresh processes.
 *
 * The C++ loop runs in this process on the same libtorch; Python's in a child with the same version. The rounds take
 * turns, so that a busy machine slows them alike, and the ratios are medians of the ratios within a round.
 */
import { UserError } from "../../src/stage/errors.ts";
import { FLOAT32_CPU, load, Scope, setThreads, Tensor, versions } from "../../src/torch/mod.ts";
import { linear } from "../../src/torch/functional.ts";
import { native } from "../../src/torch/native.ts";
import { CLEARED, linesOf } from "./child.ts";
import { compiled, WITH_TORCH } from "./compiled.ts";
import { median, print, printTable } from "./table.ts";

const ROUNDS = 21;
const TIMES = { nothing: 200_000, add: 20_000, linear: 10_000 } as const;
type Op = keyof typeof TIMES;
const OPS = Object.keys(TIMES) as Op[];

const TITLES: Record<Op, string> = {
  nothing: "a call that does nothing",
  add: "add of 8 elements, result freed",
  linear: "linear 1x128 by 128x128, result freed",
};

/** Nanoseconds that one op takes in some language, over a loop of `times`. */
type Loop = (op: Op, times: number) => number | Promise<number>;

const ROOT = new URL("../../", import.meta.url);
const path = (relative: string): string => decodeURIComponent(new URL(relative, ROOT).pathname);

export async function run(): Promise<void> {
  await printStarts(); // first: its processes want the machine for themselves
  Deno.env.set("OMP_NUM_THREADS", "1"); // before libtorch loads, as in the child
  load();
  setThreads(1);
  await printOps();
}

// Ops

async function printOps(): Promise<void> {
  await using python = await startPython(versions().running);
  const loops: Record<string, Loop> = { TypeScript: typescript, "C++": await cpp() };
  if (python) loops.Python = python.loop;
  const taken = await rounds(loops);
  print();
  print(`One op in nanoseconds, libtorch ${versions().running}, one thread, medians of ${ROUNDS} rounds:`);
  print();
  const others = Object.keys(loops).slice(1);
  printTable(
    ["", ...Object.keys(loops), ...others.map((name) => `TypeScript / ${name}`)],
    OPS.map((op) => [
      TITLES[op],
      ...Object.keys(loops).map((name) => median(taken[name]![op]).toFixed(op === "nothing" ? 1 : 0)),
      ...others.map((name) => ratio(taken.TypeScript![op], taken[name]![op])),
    ]),
  );
  if (!python) print("\nPython was left out: `deno task peers` makes the environment that it needs");
}

const ratio = (ours: readonly number[], theirs: readonly number[]): string =>
  median(ours.map((t, round) => t / theirs[round]!)).toFixed(2);

type Taken = Record<string, Record<Op, number[]>>;

/** All loops take turns, op by op and round by round; the first round warms up and does not count. */
async function rounds(loops: Record<string, Loop>): Promise<Taken> {
  const taken: Taken = {};
  for (const name of Object.keys(loops)) taken[name] = { nothing: [], add: [], linear: [] };
  for (let round = 0; round <= ROUNDS; round++) {
    for (const op of OPS) {
      for (const [name, loop] of Object.entries(loops)) {
        const nanoseconds = await loop(op, TIMES[op]);
        if (round > 0) taken[name]![op].push(nanoseconds);
      }
    }
  }
  return taken;
}

function typescript(op: Op, times: number): number {
  using _scope = new Scope();
  const [a, b] = [Tensor.randn([8], FLOAT32_CPU), Tensor.randn([8], FLOAT32_CPU)];
  const [x, weight] = [Tensor.randn([1, 128], FLOAT32_CPU), Tensor.randn([128, 128], FLOAT32_CPU)];
  const start = performance.now();
  if (op === "nothing") callNothing(times);
  else if (op === "add") callAdd(a, b, times);
  else callLinear(x, weight, times);
  return (performance.now() - start) / times * 1e6;
}

// A function a loop, so that each is compiled for what it calls.
function callNothing(times: number): void {
  for (let i = 0; i < times; i++) native.ft_abi_version();
}
function callAdd(a: Tensor, b: Tensor, times: number): void {
  for (let i = 0; i < times; i++) a.add(b).free();
}
function callLinear(x: Tensor, weight: Tensor, times: number): void {
  for (let i = 0; i < times; i++) linear(x, weight).free();
}

/** Loads ops.cpp into this process. */
async function cpp(): Promise<Loop> {
  const library = await compiled("ops", WITH_TORCH, versions().running);
  const { symbols } = Deno.dlopen(library, {
    nanoseconds: { parameters: ["i32", "i32"], result: "f64" },
  });
  return (op, times) => symbols.nanoseconds(OPS.indexOf(op), times);
}

/** A Python process with PyTorch of this version, or null where there is none. */
async function startPython(version: string): Promise<(AsyncDisposable & { loop: Loop }) | null> {
  const child = spawnPython();
  if (!child) return null;
  const writer = child.stdin.getWriter();
  const lines = linesOf(child.stdout);
  const next = async (): Promise<string> => (await lines.next()).value ?? "";
  const found = await next();
  const end = async (): Promise<void> => {
    await writer.close();
    await lines.return?.();
    await child.status;
  };
  if (found.split("+")[0] !== version) {
    print(`Python's torch is ${found || "missing"}, the shim's ${version}`);
    await end();
    return null;
  }
  return {
    loop: async (op, times) => {
      await writer.write(new TextEncoder().encode(`${op} ${times}\n`));
      return Number(await next());
    },
    [Symbol.asyncDispose]: end,
  };
}

function spawnPython() {
  try {
    return new Deno.Command(path("native/build/peers/bin/python"), {
      args: [path("scripts/bench/ops.py")],
      env: { ...CLEARED, OMP_NUM_THREADS: "1" },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

// Starting

const STARTS = 9;

async function printStarts(): Promise<void> {
  const loadMs = await repeat(async () => Number(await deno([...FFI, "scripts/bench/load.ts"])));
  const helpMs = await repeat(async () => {
    const start = performance.now();
    await deno([...COMMAND_LINE, "src/cli.ts", "--help"]);
    return performance.now() - start;
  });
  print(`Starting, in fresh processes, in milliseconds: the first, and the median of ${STARTS} more:`);
  print();
  const row = (title: string, [first, ...more]: readonly number[]): string[] => [
    title,
    first!.toFixed(0),
    median(more).toFixed(0),
  ];
  printTable(["", "first", "then"], [
    row("load(): libtorch and the shim", loadMs),
    row("foretoken --help, the whole process", helpMs),
  ]);
}

const FFI = ["--allow-read", "--allow-ffi=native/build"];
const COMMAND_LINE = ["--ignore-env", "--allow-read", "--allow-write=runs"];

async function repeat(measure: () => Promise<number>): Promise<number[]> {
  const taken: number[] = [];
  for (let i = 0; i <= STARTS; i++) taken.push(await measure());
  return taken;
}

/** What a program of this project prints, run with these flags. */
async function deno(args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...args],
    cwd: path("."),
    env: CLEARED,
  }).output();
  if (!success) throw new UserError(`${args.join(" ")} failed:\n${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/**
 * `deno task bench launcher`: what it costs to bind a stage. First the launcher's own time at a start, then the speed of
 * training as a train stage is bound (launcher, its exact lists, exec refused) against the same program unbound. Both
 * sides of a pair stay alive and take turns in short slices, so that a busy machine slows them alike.
 *
 *     deno task bench launcher [start | training]
 */
import { join } from "node:path";
import { parsePipeline } from "../../src/config/load.ts";
import { accessOf, launcherOptions, type Places } from "../../src/pipeline/permissions.ts";
import { findPlaces } from "../../src/pipeline/start.ts";
import { UserError } from "../../src/stage/errors.ts";
import { Child, CLEARED, TWO_THREADS } from "./child.ts";
import { median, print, printTable } from "./table.ts";
import { type Case, FILE, modelOf } from "./train_model.ts";
import { inTurns } from "./turns.ts";

const PARTS = ["start", "training"] as const;

const PIPELINE = `name: bench
stages:
  - { id: text, run: prepare, input: stories, bytes: 2e4 }
  - { id: arm, run: train, needs: [text], model: { width: 64, layers: 1, attention_heads: 2, context: 256 }, train: { steps: 4 } }
`;

export async function run(parts: readonly string[] = []): Promise<void> {
  const unknown = parts.find((part) => !(PARTS as readonly string[]).includes(part));
  if (unknown !== undefined) {
    throw new UserError(`There is no part "${unknown}"; there are ${PARTS.join(", ")}`);
  }
  const wanted = (part: typeof PARTS[number]) => parts.length === 0 || parts.includes(part);
  if (wanted("start")) await starts();
  if (wanted("training")) await training();
}

/** The lists of a train stage, which are the longest. */
function lists(places: Places): string[] {
  const arm = parsePipeline(PIPELINE, "bench.yaml", places.project).stages.find(({ run }) =>
    run === "train"
  )!;
  return launcherOptions(accessOf(arm, places), places);
}

/** A program started by itself and through the launcher; the difference is the launcher's, with the second exec. */
async function starts(): Promise<void> {
  const places = findPlaces(join(Deno.cwd(), "runs/bench"));
  const launcher = join(places.project, "native/build/launch");
  const once = (args: readonly string[]) => (): number => {
    const began = performance.now();
    const { success, stderr } = new Deno.Command(launcher, { args: [...args], env: CLEARED }).outputSync();
    if (!success) throw new UserError(`${launcher} failed: ${new TextDecoder().decode(stderr)}`);
    return performance.now() - began;
  };
  const program = ["--help"]; // as small as programs get
  const bound = [...lists(places), "--rx", launcher, "--", launcher, ...program];
  const limits = { milliseconds: 10_000, least: 101, most: 1001 };
  const [alone, launched] = await inTurns([once(program), once(bound)], limits);
  const own = launched!.map((time, i) => time - alone![i]!);
  print(`Milliseconds to start and end a small program, medians of ${own.length} in turn:`);
  print();
  const cells = [alone!, launched!, own].map((times) => median(times).toFixed(2));
  printTable(["", "by itself", "bound", "the launcher's own"], [["one start", ...cells]]);
  print();
}

const PAIRS = 5;
const PAIR_MS = 20_000; // both sides together
const SLICE_MS = 300;

/** Ratios of the time of a step, bound over unbound: by pairs of processes, since two alike differ by their memory. */
async function training(): Promise<void> {
  const rows: string[][] = [];
  const medians: number[] = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    const { bound, free } = await slicesOf(pair);
    const ratios = bound.map((time, i) => time / free[i]!).sort((a, b) => a - b);
    const quartile = (share: number): string => ratios[Math.floor(share * (ratios.length - 1))]!.toFixed(3);
    medians.push(median(ratios));
    rows.push([
      String(pair + 1),
      median(free).toFixed(2),
      median(bound).toFixed(2),
      medians.at(-1)!.toFixed(3),
      `${quartile(0.25)}-${quartile(0.75)}`,
      String(ratios.length),
    ]);
  }
  print("A training step in milliseconds, 1M, 4 heads, micro-batch 8 x 256, medians of slices in turn:");
  print();
  printTable(["pair", "unbound", "bound", "ratio", "quartiles", "slices"], rows);
  print();
  print(`ratio, median of ${PAIRS} pairs: ${median(medians).toFixed(3)}`);
}

async function slicesOf(pair: number): Promise<{ bound: number[]; free: number[] }> {
  const first = start(pair % 2 === 0); // each first in half of the pairs
  const second = start(pair % 2 !== 0);
  await using bound = pair % 2 === 0 ? first : second;
  await using free = pair % 2 === 0 ? second : first;
  for (const child of [bound, free]) await child.next(); // ready
  const time = async (child: Child, steps: number) => Number((await child.ask(String(steps))).split(" ")[0]);
  const slowest = Math.max(await time(bound, 5), await time(free, 5));
  const steps = Math.max(1, Math.round(SLICE_MS / slowest));
  const rounds = Math.max(9, Math.round(PAIR_MS / (2 * steps * slowest)));
  const taken: { bound: number[]; free: number[] } = { bound: [], free: [] };
  for (let round = 0; round < rounds; round++) {
    // Each first in half of the rounds.
    for (const name of round % 2 === 0 ? ["bound", "free"] as const : ["free", "bound"] as const) {
      taken[name].push(await time(name === "bound" ? bound : free, steps));
    }
  }
  return taken;
}

/** train_case.ts with the same flags; bound, it is held to a train stage's lists and what the case needs besides. */
function start(isBound: boolean): Child {
  const places = findPlaces(join(Deno.cwd(), "runs/bench"));
  const folder = join(places.project, "native/build/bench");
  Deno.mkdirSync(folder, { recursive: true });
  const of: Case = { model: modelOf("1M", 4), batch: 8, file: `${FILE}.${isBound ? "bound" : "free"}` };
  const deno = [
    ...["run", "--no-prompt", "--cached-only", "--allow-env=OMP_NUM_THREADS", "--allow-read"],
    ...[
      `--allow-write=${folder}`,
      "--allow-ffi=native/build",
      "scripts/bench/train_case.ts",
      JSON.stringify(of),
    ],
  ];
  if (!isBound) return new Child(places.deno, deno, TWO_THREADS);
  const options = [...lists(places), "--ro", join(places.project, "scripts"), "--rw", folder];
  const launcher = join(places.project, "native/build/launch");
  const quiet = { DENO_LOG: "warn,deno::cache=off", NODE_EXTRA_CA_CERTS: "" };
  const env = { ...TWO_THREADS, ...quiet, DENO_DIR: "/dev/null/deno" };
  return new Child(launcher, [...options, "--", places.deno, ...deno, "bound"], env);
}

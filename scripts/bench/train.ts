/**
 * `deno task bench train`: the time of a training step against eager PyTorch's (train_peer.py), on the same weights and
 * tokens, libtorch version, threads and wait policy. Both stay alive and take turns in short slices, so that a busy
 * machine slows them alike; the ratio is the median of the slices' ratios.
 *
 *     deno task bench train [SIZE...]       SIZE: 1M, 10M
 */
import { UserError } from "../../src/stage/errors.ts";
import { Child, PEER } from "./child.ts";
import { median, print, printTable } from "./table.ts";
import { type Case, modelOf, type Size } from "./train_model.ts";

const BATCH = 8;
const HEADS = [1, 4];
const WARM_UP = 3; // steps
const SLICE_MS = 150; // long enough for the caches to be one's own again
const BUDGET_MS = 20_000; // of one row
const SLICES = { least: 9, most: 101 };

/** Two threads and the waiting that the pipeline sets: threads sleep soon where others want the processor. */
const ENVIRONMENT = { OMP_NUM_THREADS: "2", GOMP_SPINCOUNT: "10000" };

export async function run(sizes: readonly string[] = []): Promise<void> {
  const rows: string[][] = [];
  for (const size of sizes.length > 0 ? sizes as Size[] : ["1M", "10M"] as const) {
    for (const heads of HEADS) rows.push(await compare(size, heads));
  }
  print(`A training step in milliseconds, micro-batch ${BATCH} x 256, float32, 2 threads, medians of slices in turn:`);
  print();
  printTable(["model", "heads", "parameters", "foretoken", "PyTorch", "ratio", "quartiles", "slices"], rows);
}

async function compare(size: Size, heads: number): Promise<string[]> {
  await using pair = await startPair({ model: modelOf(size, heads), batch: BATCH, file: FILE });
  const warm = [await steps(pair.ours, WARM_UP), await steps(pair.peer, WARM_UP)] as const;
  checkSameLoss(...warm);
  const slowest = Math.max(...warm.map(({ milliseconds }) => milliseconds));
  const perSlice = Math.max(1, Math.round(SLICE_MS / slowest));
  const fitting = Math.round(BUDGET_MS / (2 * perSlice * slowest));
  const slices = Math.min(Math.max(fitting, SLICES.least), SLICES.most);
  const ours: number[] = [], peer: number[] = [];
  for (let slice = 0; slice < slices; slice++) {
    ours.push((await steps(pair.ours, perSlice)).milliseconds);
    peer.push((await steps(pair.peer, perSlice)).milliseconds);
  }
  const ratios = ours.map((time, i) => time / peer[i]!).sort((a, b) => a - b);
  const quartile = (share: number): string => ratios[Math.floor(share * (slices - 1))]!.toFixed(2);
  return [
    size,
    String(heads),
    (pair.parameters / 1e6).toFixed(2) + "M",
    median(ours).toFixed(1),
    median(peer).toFixed(1),
    median(ratios).toFixed(3),
    `${quartile(0.25)}-${quartile(0.75)}`,
    `${slices} x ${perSlice}`,
  ];
}

const FILE = "native/build/bench/train.safetensors";

/** Two programs that hold the same model. */
export interface Pair extends AsyncDisposable {
  readonly ours: Child;
  readonly peer: Child;
  readonly parameters: number;
}

/** Starts both sides of a case. @throws {UserError} without the peers, or where their models differ in size. */
export async function startPair(of: Case): Promise<Pair> {
  Deno.mkdirSync(FILE.slice(0, FILE.lastIndexOf("/")), { recursive: true });
  const text = JSON.stringify(of);
  const ours = new Child(Deno.execPath(), [...FLAGS, "scripts/bench/train_case.ts", text], ENVIRONMENT);
  const parameters = Number(await ours.next());
  const peer = startPeer(text);
  const theirs = Number(await peer.next());
  if (theirs !== parameters) throw new UserError(`Ours has ${parameters} parameters, the peer ${theirs}`);
  const end = async () => {
    await ours[Symbol.asyncDispose]();
    await peer[Symbol.asyncDispose]();
    Deno.removeSync(of.file);
  };
  return { ours, peer, parameters, [Symbol.asyncDispose]: end };
}

const FLAGS = [
  ...["run", "--no-prompt", "--allow-env=OMP_NUM_THREADS", "--allow-read"],
  ...["--allow-write=native/build/bench", "--allow-ffi=native/build"],
];

function startPeer(text: string): Child {
  try {
    return new Child(PEER, ["scripts/bench/train_peer.py", text], ENVIRONMENT);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError("There is nothing to compare with: `deno task peers` makes the environment of the peer");
  }
}

/** Milliseconds of one of `count` steps, and the loss of the last. */
async function steps(child: Child, count: number): Promise<{ milliseconds: number; loss: number }> {
  const [milliseconds, loss] = (await child.ask(String(count))).split(" ").map(Number) as [number, number];
  return { milliseconds, loss };
}

/** After the same steps on the same numbers the losses agree, or the two do not do the same work. */
function checkSameLoss(ours: { loss: number }, peer: { loss: number }): void {
  if (Math.abs(ours.loss / peer.loss - 1) < 1e-3) return;
  throw new UserError(`After ${WARM_UP} steps our loss is ${ours.loss}, the peer's ${peer.loss}`);
}

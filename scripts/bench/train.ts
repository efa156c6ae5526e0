/**
 * `deno task bench train`: the time of a training step against eager PyTorch's (train_peer.py), on the same weights and
 * tokens, libtorch version, threads and wait policy. Both stay alive and take turns in short slices, so that a busy
 * machine slows them alike; the ratio is the median of the slices' ratios.
 *
 *     deno task bench train [SIZE...]       SIZE: 1M, 10M
 */
import { UserError } from "../../src/stage/errors.ts";
import type { Child } from "./child.ts";
import { median, print, printTable } from "./table.ts";
import { type Case, FILE, modelOf, type Size, startOurs, startPeer } from "./train_model.ts";

const SIZES = ["1M", "10M"] as const satisfies readonly Size[];
const BATCH = 8;
const HEADS = [1, 4];
const WARM_UP = 3; // steps
const SLICE_MS = 150; // long enough for the caches to be one's own again
const BUDGET_MS = 20_000; // of one row
const SLICES = { least: 9, most: 101 };

export async function run(sizes: readonly string[] = []): Promise<void> {
  const unknown = sizes.find((size) => !(SIZES as readonly string[]).includes(size));
  if (unknown !== undefined) {
    throw new UserError(`There is no size "${unknown}"; there are ${SIZES.join(", ")}`);
  }
  const rows: string[][] = [];
  for (const size of SIZES.filter((size) => sizes.length === 0 || sizes.includes(size))) {
    for (const heads of HEADS) rows.push(await compare(size, heads));
  }
  print(
    `A training step in milliseconds, micro-batch ${BATCH} x 256, float32, 2 threads, medians of slices in turn:`,
  );
  print();
  printTable(["model", "heads", "parameters", "foretoken", "PyTorch", "ratio", "quartiles", "slices"], rows);
}

async function compare(size: Size, heads: number): Promise<string[]> {
  const of: Case = { model: modelOf(size, heads), batch: BATCH, file: FILE };
  const { child: first, parameters } = await startOurs(of);
  await using ours = first;
  const { child: second, parameters: theirs } = await startPeer(of);
  await using peer = second;
  if (theirs !== parameters) throw new UserError(`Ours has ${parameters} parameters, the peer ${theirs}`);
  const warm = [await steps(ours, WARM_UP), await steps(peer, WARM_UP)] as const;
  checkSameLoss(...warm);
  const slowest = Math.max(...warm.map(({ milliseconds }) => milliseconds));
  const perSlice = Math.max(1, Math.round(SLICE_MS / slowest));
  const fitting = Math.round(BUDGET_MS / (2 * perSlice * slowest));
  const slices = Math.min(Math.max(fitting, SLICES.least), SLICES.most);
  const taken: { ours: number[]; peer: number[] } = { ours: [], peer: [] };
  for (let slice = 0; slice < slices; slice++) {
    taken.ours.push((await steps(ours, perSlice)).milliseconds);
    taken.peer.push((await steps(peer, perSlice)).milliseconds);
  }
  const ratios = taken.ours.map((time, i) => time / taken.peer[i]!).sort((a, b) => a - b);
  const quartile = (share: number): string => ratios[Math.floor(share * (slices - 1))]!.toFixed(2);
  return [
    size,
    String(heads),
    (parameters / 1e6).toFixed(2) + "M",
    median(taken.ours).toFixed(1),
    median(taken.peer).toFixed(1),
    median(ratios).toFixed(3),
    `${quartile(0.25)}-${quartile(0.75)}`,
    `${slices} x ${perSlice}`,
  ];
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

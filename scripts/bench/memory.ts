/**
 * `deno task bench memory`: the peak memory of a training step with 1 to 8 heads, less what must be there anyway
 * (weights, gradients, optimizer state). Heads run one after the other, a chunk of logits at a time, so it should not
 * grow with their number. Each case is a process of its own (memory_case.ts): a peak cannot be taken back.
 */
import { UserError } from "../../src/stage/errors.ts";
import type { Peak } from "./memory_case.ts";
import { print, printTable } from "./table.ts";

const HEADS = [1, 2, 4, 8];
const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

export async function run(): Promise<void> {
  const peaks: Peak[] = [];
  for (const heads of HEADS) peaks.push(await measure(heads));
  const { size } = peaks[0]!;
  print(`Peak memory of a training step in MB, ${size}, one process a case:`);
  print();
  const work = peaks.map(workingMemory);
  printTable(
    ["heads", "weights", "gradients", "optimizer", "peak of the step", "less all these", "to 1 head"],
    peaks.map((peak, i) => [
      String(peak.heads),
      megabytes(peak.weights),
      megabytes(peak.weights), // a gradient is as large as its weight
      megabytes(peak.optimizer),
      megabytes(peak.after - peak.before + peak.weights + peak.optimizer),
      megabytes(work[i]!),
      (work[i]! / work[0]!).toFixed(2),
    ]),
  );
}

/** What a step takes besides weights and optimizer state, which were there before it, and gradients. */
const workingMemory = ({ before, after, weights }: Peak): number => after - before - weights;

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

async function measure(heads: number): Promise<Peak> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--allow-env=OMP_NUM_THREADS", "--allow-read", "--allow-ffi=native/build"],
      ...["scripts/bench/memory_case.ts", String(heads)],
    ],
    cwd: ROOT,
    env: { LD_LIBRARY_PATH: "", LD_PRELOAD: "" }, // Deno starts nothing while these are set
  }).output();
  if (!success) {
    throw new UserError(`The case of ${heads} heads failed:\n${new TextDecoder().decode(stderr)}`);
  }
  return JSON.parse(new TextDecoder().decode(stdout));
}

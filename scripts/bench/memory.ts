/**
 * `deno task bench memory`: what a training step takes besides weights, gradients and optimizer state. Heads run one
 * after the other, a chunk of logits at a time, so it should not grow with their number, nor with the vocabulary as
 * eager PyTorch's (train_peer.py) does. Each row is a process of its own: a peak cannot be taken back.
 */
import type { Child } from "./child.ts";
import { print, printTable } from "./table.ts";
import type { Peak } from "./train_case.ts";
import { type Case, FILE, modelOf, startOurs, startPeer } from "./train_model.ts";

const HEADS = [1, 2, 4, 8];
const STEPS = 2;

export async function run(): Promise<void> {
  await printByHeads();
  print();
  await printAgainstPeer();
}

async function printByHeads(): Promise<void> {
  print(
    "Peak memory of a training step in MB, 10M model, vocabulary 8192, micro-batch 8 x 256, by number of heads:",
  );
  print();
  const peaks: Peak[] = [];
  for (const heads of HEADS) {
    const of: Case = { model: modelOf("10M", heads), batch: 8, file: FILE };
    peaks.push(await measure(await startOurs(of)));
  }
  printPeaks(HEADS.map(String), peaks);
}

async function printAgainstPeer(): Promise<void> {
  print("The same against PyTorch, 4 heads, vocabulary 32000, micro-batch 16 x 256:");
  print();
  const of: Case = { model: modelOf("32k", 4), batch: 16, file: FILE };
  const ours = await startOurs(of);
  const peer = await startPeer(of); // reads the file of ours
  printPeaks(["PyTorch", "foretoken"], [await measure(peer), await measure(ours)]);
}

/** Runs some steps, asks for the peak, and ends the program. */
async function measure({ child }: { child: Child }): Promise<Peak> {
  await using ending = child;
  await ending.ask(String(STEPS));
  return JSON.parse(await ending.ask("memory"));
}

function printPeaks(names: readonly string[], peaks: readonly Peak[]): void {
  const work = peaks.map(workingMemory);
  printTable(
    ["", "weights", "optimizer", "whole process", "besides", "to the first"],
    peaks.map((peak, i) => [
      names[i]!,
      megabytes(peak.weights),
      megabytes(peak.optimizer),
      `${megabytes(peak.peak)} (${(peak.peak / peaks[0]!.peak).toFixed(2)})`,
      megabytes(work[i]!),
      (work[i]! / work[0]!).toFixed(2),
    ]),
  );
}

/** Without what was there before the first step, and the gradients, which are as large as the weights. */
const workingMemory = ({ before, peak, weights }: Peak): number => peak - before - weights;

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);

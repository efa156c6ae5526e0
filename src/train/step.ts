/** One optimizer step: the gradients of all its micro-batches, then the update. */
import type { BackwardOptions, MtpModel } from "../model/mod.ts";
import { type Blocks, Scope, type Tensor } from "../torch/mod.ts";
import type { Optimizer } from "./optimizer.ts";

/** How a step weighs the heads. */
export interface Objective {
  /** One for each head; 0: asleep. */
  readonly weights: readonly number[];
  /** `sum`: of the weighted losses (Gloeckle et al. 2024); `mean`: divided by the sum of the weights. */
  readonly loss: "sum" | "mean";
}

/** What a step leaves to be read: scalars on the device, which their reader frees. */
export interface StepResult {
  /** Terms of the objective, by head; null: asleep. */
  readonly losses: readonly (Tensor | null)[];
  /** Norm of the gradients before clipping; where it is not finite, the parameters are as before. */
  readonly norm: Tensor;
}

/**
 * The factor of each head's sum of NLL: its weight over its own number of targets in the whole step, so that neither
 * micro-batches nor documents' ends change what a target counts.
 */
export function lossScales(objective: Objective, counts: readonly number[]): number[] {
  const divisor = lossDivisor(objective);
  return objective.weights.map((weight, i) =>
    weight === 0 || counts[i] === 0 ? 0 : weight / divisor / counts[i]!
  );
}

/** What the weights are divided by. */
export const lossDivisor = ({ weights, loss }: Objective): number =>
  loss === "mean" ? weights.reduce((sum, w) => sum + w, 0) : 1;

/**
 * Trains on blocks, `batch` rows at a time. The result outlives the scope around it, or belongs to the caller where
 * there is none.
 */
export function trainStep(
  model: MtpModel,
  optimizer: Optimizer,
  blocks: Blocks,
  batch: number,
  objective: Objective,
  lr: number,
  options: BackwardOptions = {},
): StepResult {
  using scope = new Scope();
  const scales = lossScales(objective, blocks.counts);
  const inputs = blocks.inputs.to("int64", model.device);
  const targets = blocks.targets.to("int64", model.device);
  const rows = inputs.shape[0]!;
  let losses: (Tensor | null)[] = [];
  for (let row = 0; row < rows; row += batch) {
    const end = Math.min(row + batch, rows);
    const part = { inputs: inputs.slice(0, row, end), targets: targets.slice(1, row, end) };
    const terms = model.backward(part, scales, options);
    losses = row === 0 ? terms : losses.map((sum, i) => sum === null ? null : sum.add(terms[i]!));
  }
  const norm = scope.keep(optimizer.step(lr));
  return { losses: losses.map((loss) => loss === null ? null : scope.keep(loss)), norm };
}

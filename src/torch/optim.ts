/**
 * One optimizer step over many tensors in one call: gradient norm, clipping, AdamW (Loshchilov & Hutter 2019), Muon
 * (Jordan et al. 2024), and a running mean of weights.
 */
import { check, native } from "./native.ts";
import { Tensor } from "./tensor.ts";

const handles = (tensors: readonly Tensor[]): Int32Array<ArrayBuffer> =>
  Int32Array.from(tensors, (t) => t.handle);

/** Forgets the gradients, so that the next backward pass starts afresh. */
export function clearGrads(tensors: readonly Tensor[]): void {
  check(native.ft_clear_grads(handles(tensors), tensors.length));
}

/** The 2-norm of all gradients together, a scalar on their device. @throws {TorchError} where one has none. */
export function gradNorm(parameters: readonly Tensor[]): Tensor {
  return new Tensor(native.ft_grad_norm(handles(parameters), parameters.length));
}

/** Scales the gradients down so that their norm, which is `norm`, is at most `limit`. */
export function clipGrads(parameters: readonly Tensor[], norm: Tensor, limit: number): void {
  check(native.ft_clip_grads(handles(parameters), parameters.length, norm.handle, limit));
}

/** What AdamW keeps for a parameter: running means of the gradient and of its square, and its own count of steps. */
export interface AdamState {
  readonly mean: Tensor;
  readonly square: Tensor;
  readonly step: Tensor;
}

export interface AdamOptions {
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** Decoupled weight decay; each step takes lr * decay of a weight. */
  readonly decay: number;
}

/**
 * One step for parameters that all have gradients. Where `norm` is not finite nothing changes, counters included: the
 * device decides, and nobody waits for it.
 */
export function adamw(
  parameters: readonly Tensor[],
  states: readonly AdamState[],
  options: AdamOptions,
  norm: Tensor,
): void {
  if (parameters.length === 0) return;
  const { lr, beta1, beta2, decay, eps } = options;
  check(native.ft_adamw(
    handles(parameters),
    handles(states.map((s) => s.mean)),
    handles(states.map((s) => s.square)),
    handles(states.map((s) => s.step)),
    parameters.length,
    lr,
    beta1,
    beta2,
    decay,
    eps,
    norm.handle,
  ));
}

/** What Muon keeps for a matrix: a running mean of the gradient, and its count of steps. */
export interface MuonState {
  readonly momentum: Tensor;
  readonly step: Tensor;
}

export interface MuonOptions {
  readonly lr: number;
  /** Decay of the mean. */
  readonly momentum: number;
  /** Decoupled weight decay; each step takes lr * decay of a weight. */
  readonly decay: number;
}

/** A parameter that is one matrix, or several below one another: `rows` of each, from the top. */
export interface MuonMatrix {
  readonly parameter: Tensor;
  readonly rows: readonly number[];
}

/**
 * One step for matrices that all have gradients. Each moves by lr * 0.2 * sqrt(max(rows, columns)) times the nearest
 * semi-orthogonal matrix to its Nesterov momentum, about: an update whose root mean square is that of AdamW's
 * (Liu et al. 2025). Matrices that are stacked in one parameter are made orthogonal one by one. The iteration runs in
 * bfloat16 on a GPU and in float32 on the CPU; it takes about 5 * width / tokens of a step's arithmetic (Jordan et al.
 * 2024), much on small steps. Where `norm` is not finite nothing changes, as with {@link adamw}.
 */
export function muon(
  matrices: readonly MuonMatrix[],
  states: readonly MuonState[],
  { lr, momentum, decay }: MuonOptions,
  norm: Tensor,
): void {
  if (matrices.length === 0) return;
  check(native.ft_muon(
    handles(matrices.map((m) => m.parameter)),
    handles(states.map((s) => s.momentum)),
    handles(states.map((s) => s.step)),
    matrices.length,
    Int32Array.from(matrices, (m) => m.rows.length),
    Float64Array.from(matrices.flatMap((m) => m.rows)),
    lr,
    momentum,
    decay,
    norm.handle,
  ));
}

/** Moves each mean by the share `weight` of its way to its value. */
export function lerp(means: readonly Tensor[], values: readonly Tensor[], weight: number): void {
  check(native.ft_lerp(handles(means), handles(values), means.length, weight));
}

/** Exchanges what pairs of tensors hold, without a copy. @throws {TorchError} when shapes or kinds differ. */
export function swap(some: readonly Tensor[], others: readonly Tensor[]): void {
  check(native.ft_swap(handles(some), handles(others), some.length));
}

/** One optimizer step over many tensors in one call: gradient norm, clipping, AdamW (Loshchilov & Hutter 2019). */
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

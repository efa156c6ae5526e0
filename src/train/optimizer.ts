/**
 * AdamW over the parameters that have gradients. A head that sleeps gets none: its weights do not decay, its moments and
 * its count of steps stand still.
 */
import type { Parameters } from "../model/mod.ts";
import { type AdamState, adamw, clearGrads, clipGrads, gradNorm, Tensor, unscoped } from "../torch/mod.ts";

/** Part of the training configuration. */
export interface OptimizerOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** Of matrices; vectors (norms) never decay. */
  readonly weight_decay: number;
  /** Largest norm of all gradients together; 0: no clipping. */
  readonly clip: number;
}

/** The moments of every parameter that was ever trained, by the parameter's name. */
export class Optimizer implements Disposable {
  readonly #states = new Map<string, AdamState>();

  constructor(readonly parameters: Parameters, readonly options: OptimizerOptions) {}

  /** Moments and step counters, as `<parameter>.mean`, `.square` and `.step`. */
  entries(): [string, Tensor][] {
    return [...this.#states].flatMap(([name, { mean, square, step }]): [string, Tensor][] => [
      [`${name}.mean`, mean],
      [`${name}.square`, square],
      [`${name}.step`, step],
    ]);
  }

  /** The state of a parameter, made of zeros when it is new. */
  state(name: string): AdamState {
    const known = this.#states.get(name);
    if (known !== undefined) return known;
    const { shape, device } = this.parameters.get(name);
    const options = { dtype: "float32", device } as const;
    const state = unscoped(() => ({
      mean: Tensor.zeros(shape, options),
      square: Tensor.zeros(shape, options),
      step: Tensor.zeros([], options),
    }));
    this.#states.set(name, state);
    return state;
  }

  /**
   * One step; forgets the gradients. Returns the norm of the gradients before clipping, on the device: where it is not
   * finite, nothing has changed.
   */
  step(lr: number): Tensor {
    const { beta1, beta2, eps, weight_decay, clip } = this.options;
    const awake = this.parameters.entries().filter(([, parameter]) => parameter.hasGrad);
    const tensors = awake.map(([, parameter]) => parameter);
    const norm = gradNorm(tensors);
    if (clip > 0) clipGrads(tensors, norm, clip);
    for (const matrices of [true, false]) {
      const group = awake.filter(([, parameter]) => (parameter.shape.length > 1) === matrices);
      adamw(
        group.map(([, parameter]) => parameter),
        group.map(([name]) => this.state(name)),
        { lr, beta1, beta2, eps, decay: matrices ? weight_decay : 0 },
        norm,
      );
    }
    clearGrads(tensors);
    return norm;
  }

  [Symbol.dispose](): void {
    for (const [, tensor] of this.entries()) tensor.free();
    this.#states.clear();
  }
}

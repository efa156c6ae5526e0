/**
 * A running mean of the weights (Polyak & Juditsky 1992): often better than the weights of the last step, and what is
 * validated, evaluated and exported where the run keeps it.
 */
import type { Parameters } from "../model/mod.ts";
import { lerp, swap, type Tensor, unscoped } from "../torch/mod.ts";

export class Ema implements Disposable {
  readonly #means: ReadonlyMap<string, Tensor>;

  /** Begins at the weights as they are. @param decay Share of the mean that a step leaves, when the run is long. */
  constructor(readonly parameters: Parameters, readonly decay: number) {
    this.#means = unscoped(() =>
      new Map(
        parameters.entries().map(([name, parameter]) => {
          using plain = parameter.detach();
          return [name, plain.clone()];
        }),
      )
    );
  }

  /** The means, by the names of the parameters. */
  entries(): [string, Tensor][] {
    return [...this.#means];
  }

  /**
   * Takes in the weights after the step with this number, from 0. Early on the mean is shorter, that the first weights do
   * not weigh on it: it leaves min(decay, (1 + step) / (10 + step)).
   */
  update(step: number): void {
    const left = Math.min(this.decay, (1 + step) / (10 + step));
    lerp([...this.#means.values()], this.parameters.tensors(), 1 - left);
  }

  /** Begins anew for a parameter whose weights were replaced. */
  restart(name: string): void {
    this.#means.get(name)!.copy_(this.parameters.get(name));
  }

  /** Runs `body` with the means in the place of the weights; nothing is copied. */
  during<T>(body: () => T): T {
    const [means, weights] = [[...this.#means.values()], this.parameters.tensors()];
    swap(means, weights);
    try {
      return body();
    } finally {
      swap(means, weights);
    }
  }

  [Symbol.dispose](): void {
    for (const tensor of this.#means.values()) tensor.free();
  }
}

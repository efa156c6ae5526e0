/** Named parameters: made outside any scope, owned by the store, the same for a seed whatever else is made. */
import { type Device, Scope, Tensor } from "../torch/mod.ts";

/** FNV-1a over a name, mixed with the run's seed: each parameter draws from a generator of its own. */
function seedOf(name: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** The parameters of a model, in the order of their making. */
export class Parameters implements Disposable {
  readonly #byName = new Map<string, Tensor>();
  readonly #parts = new Map<string, readonly number[]>();

  constructor(readonly device: Device, readonly seed: number) {}

  /**
   * A matrix of normal numbers. So two models that share a name and a shape start from the same numbers.
   *
   * @param parts Rows of each matrix, where several lie below one another to be multiplied in one go.
   */
  normal(
    name: string,
    shape: readonly number[],
    std: number,
    parts: readonly number[] = [shape[0]!],
  ): Tensor {
    this.#parts.set(name, parts);
    return this.#add(name, shape, 0).normal_(std, seedOf(name, this.seed));
  }

  /** A vector of ones. */
  ones(name: string, size: number): Tensor {
    return this.#add(name, [size], 1);
  }

  /** A matrix of zeros. */
  zeros(name: string, shape: readonly number[]): Tensor {
    return this.#add(name, shape, 0);
  }

  #add(name: string, shape: readonly number[], value: number): Tensor {
    if (Scope.current !== null) throw new Error(`Parameter ${name} would go with the scope around it`);
    if (this.#byName.has(name)) throw new Error(`There are two parameters ${name}`);
    const tensor = Tensor.full(shape, value, { dtype: "float32", device: this.device }).requireGrad();
    this.#byName.set(name, tensor);
    return tensor;
  }

  entries(): [string, Tensor][] {
    return [...this.#byName];
  }

  /** Rows of each matrix that a parameter is made of, from the top. */
  partsOf(name: string): readonly number[] {
    return this.#parts.get(name) ?? [this.get(name).shape[0]!];
  }

  tensors(): Tensor[] {
    return [...this.#byName.values()];
  }

  /** Undefined where there is none of that name. */
  find(name: string): Tensor | undefined {
    return this.#byName.get(name);
  }

  /** @throws {Error} when there is none of that name. */
  get(name: string): Tensor {
    const tensor = this.#byName.get(name);
    if (tensor === undefined) throw new Error(`There is no parameter ${name}`);
    return tensor;
  }

  [Symbol.dispose](): void {
    for (const tensor of this.#byName.values()) tensor.free();
    this.#byName.clear();
  }
}

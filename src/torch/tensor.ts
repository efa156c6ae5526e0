/**
 * Tensors and the scopes that own them.
 *
 * Lexical scopes are the only mechanism that frees tensors: V8 does not see native memory, so a collector would come
 * too late. A tensor belongs to the innermost scope at its birth and goes with it, unless `keep` hands it to the scope
 * outside. Tensors made outside any scope (parameters) belong to whoever made them.
 */
import {
  BYTES_PER_ELEMENT,
  type Device,
  deviceCode,
  deviceOf,
  type Dtype,
  dtypeCode,
  dtypeOf,
} from "./dtype.ts";
import { check, lastError, native } from "./native.ts";

/** Arrays that a tensor can be made from and read into. */
export type Elements =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** As what and where a new tensor is made; neither has a default. */
export interface TensorOptions {
  readonly dtype: Dtype;
  readonly device: Device;
}

export const FLOAT32_CPU: TensorOptions = { dtype: "float32", device: "cpu" };

const NO_TENSOR = 0;
const MAX_DIMS = 16;
const shapeBuffer = new Float64Array(MAX_DIMS);
const itemBuffer = new Float64Array(1);

/** Writes a shape where the shim reads it, and returns its number of dimensions. */
function putShape(shape: readonly number[]): number {
  if (shape.length > MAX_DIMS) throw new RangeError(`A shape of ${shape.length} dimensions`);
  shapeBuffer.set(shape);
  return shape.length;
}

const bytesOf = (a: Elements): Uint8Array<ArrayBuffer> =>
  new Uint8Array(a.buffer, a.byteOffset, a.byteLength);

function dtypeOfElements(elements: Elements): Dtype {
  if (elements instanceof Float32Array) return "float32";
  if (elements instanceof Float64Array) return "float64";
  if (elements instanceof BigInt64Array) return "int64";
  if (elements instanceof Int32Array) return "int32";
  return "uint8";
}

/** Owns the tensors that are made while it is the innermost one; dispose it in reverse order of making (`using`). */
export class Scope implements Disposable {
  /** The innermost scope. */
  static current: Scope | null = null;
  readonly #outer = Scope.current;
  readonly #born: Tensor[] = [];

  constructor() {
    Scope.current = this;
  }

  /** Takes ownership of a tensor. */
  own(tensor: Tensor): void {
    tensor.owner = this;
    this.#born.push(tensor);
  }

  /** Hands a tensor of this scope to the one outside, or to the caller where there is none; returns it. */
  keep<T extends Tensor>(tensor: T): T {
    if (tensor.owner !== this) return tensor;
    tensor.owner = null;
    this.#outer?.own(tensor);
    return tensor;
  }

  [Symbol.dispose](): void {
    if (Scope.current !== this) throw new Error("Scopes must end in the reverse order of their beginnings");
    Scope.current = this.#outer;
    for (const tensor of this.#born) if (tensor.owner === this) tensor.free();
  }
}

/** Runs `body` in a scope of its own and hands out its result: one call per block keeps the peak of memory low. */
export function scoped(body: () => Tensor): Tensor {
  using scope = new Scope();
  return scope.keep(body());
}

/** Runs `body` as if outside every scope: the caller owns what it makes. */
export function unscoped<T>(body: () => T): T {
  const inner = Scope.current;
  Scope.current = null;
  try {
    return body();
  } finally {
    Scope.current = inner;
  }
}

/** A tensor of libtorch, by handle. Methods make new tensors; names that end in `_` change this one. */
export class Tensor implements Disposable {
  #handle: number;
  /** The scope that frees it; null: its maker does. */
  owner: Scope | null = null;

  /** Wraps a fresh handle. @throws {TorchError} with the shim's message when it is negative. */
  constructor(handle: number) {
    if (handle < 0) throw lastError();
    this.#handle = handle;
    if (Scope.current !== null) Scope.current.own(this);
  }

  /** @throws {ReferenceError} after it was freed. */
  get handle(): number {
    if (this.#handle === NO_TENSOR) throw new ReferenceError("Cannot use a tensor after it was freed");
    return this.#handle;
  }

  /** Frees it now; does nothing the second time. */
  free(): void {
    if (this.#handle === NO_TENSOR) return;
    check(native.ft_free(this.#handle));
    this.#handle = NO_TENSOR;
  }

  [Symbol.dispose](): void {
    this.free();
  }

  // Making

  static full(shape: readonly number[], value: number, { dtype, device }: TensorOptions): Tensor {
    const dims = putShape(shape);
    return new Tensor(native.ft_full(shapeBuffer, dims, value, dtypeCode(dtype), deviceCode(device)));
  }

  static zeros(shape: readonly number[], options: TensorOptions): Tensor {
    return Tensor.full(shape, 0, options);
  }

  /** Standard normal numbers from the process's generator (see `seed`). */
  static randn(shape: readonly number[], { dtype, device }: TensorOptions): Tensor {
    const dims = putShape(shape);
    return new Tensor(native.ft_randn(shapeBuffer, dims, dtypeCode(dtype), deviceCode(device)));
  }

  /** A copy of an array, on the CPU, with the dtype of its elements. @throws {TorchError} when the sizes differ. */
  static from(elements: Elements, shape: readonly number[] = [elements.length]): Tensor {
    const dims = putShape(shape);
    const code = dtypeCode(dtypeOfElements(elements));
    return new Tensor(
      native.ft_from_bytes(bytesOf(elements), elements.byteLength, shapeBuffer, dims, code),
    );
  }

  /** Token ids as int64. */
  static ids(ids: readonly number[], shape: readonly number[] = [ids.length]): Tensor {
    return Tensor.from(BigInt64Array.from(ids, BigInt), shape);
  }

  // Describing and reading

  get shape(): number[] {
    const dims = check(native.ft_shape(this.handle, shapeBuffer, MAX_DIMS));
    return [...shapeBuffer.subarray(0, dims)];
  }

  get dtype(): Dtype {
    return dtypeOf(check(native.ft_dtype(this.handle)));
  }

  get device(): Device {
    return deviceOf(check(native.ft_device(this.handle)));
  }

  /** Number of elements. */
  get size(): number {
    return this.shape.reduce((product, d) => product * d, 1);
  }

  /** Bytes of its elements. */
  get byteLength(): number {
    return this.size * BYTES_PER_ELEMENT[this.dtype];
  }

  /** The one element as a number; waits for the device. @throws {TorchError} when there are several. */
  item(): number {
    check(native.ft_item(this.handle, itemBuffer));
    return itemBuffer[0]!;
  }

  /** Copies the elements, row by row, as raw bytes; waits for the device. */
  toBytes(into = new Uint8Array(this.byteLength)): Uint8Array<ArrayBuffer> {
    check(native.ft_to_bytes(this.handle, into, into.byteLength));
    return into;
  }

  /** The elements as numbers (float32 is widened, int64 must be exact in a double). */
  toArray(): number[] {
    const dtype = this.dtype;
    if (dtype === "bfloat16") {
      using wide = this.to("float32", "cpu");
      return wide.toArray();
    }
    const { buffer } = this.toBytes();
    switch (dtype) {
      case "float32":
        return [...new Float32Array(buffer)];
      case "float64":
        return [...new Float64Array(buffer)];
      case "int64":
        return Array.from(new BigInt64Array(buffer), Number);
      case "int32":
        return [...new Int32Array(buffer)];
      case "uint8":
      case "bool":
        return [...new Uint8Array(buffer)];
    }
  }

  // Moving and changing

  /** Itself under a fresh handle when nothing changes. */
  to(dtype: Dtype, device: Device): Tensor {
    return new Tensor(native.ft_to(this.handle, dtypeCode(dtype), deviceCode(device)));
  }

  clone(): Tensor {
    return new Tensor(native.ft_clone(this.handle));
  }

  /** Overwrites the elements, outside autograd. @throws {TorchError} when the shapes differ. */
  copy_(from: Tensor): this {
    check(native.ft_copy(this.handle, from.handle));
    return this;
  }

  /** Overwrites the elements with raw bytes, outside autograd. @throws {TorchError} when the sizes differ. */
  copyBytes_(bytes: Uint8Array<ArrayBuffer>): this {
    check(native.ft_fill_from_bytes(this.handle, bytes, bytes.byteLength));
    return this;
  }

  /** Fills with normal numbers from a generator of its own: the same on every device, whatever else was drawn. */
  normal_(std: number, seed: number): this {
    check(native.ft_fill_normal(this.handle, std, seed));
    return this;
  }

  // Ops

  add(other: Tensor): Tensor {
    return new Tensor(native.ft_add(this.handle, other.handle));
  }

  sub(other: Tensor): Tensor {
    return new Tensor(native.ft_sub(this.handle, other.handle));
  }

  mul(other: Tensor): Tensor {
    return new Tensor(native.ft_mul(this.handle, other.handle));
  }

  scale(factor: number): Tensor {
    return new Tensor(native.ft_scale(this.handle, factor));
  }

  /** The sum of all elements, a scalar. */
  sum(): Tensor {
    return new Tensor(native.ft_sum(this.handle));
  }

  matmul(other: Tensor): Tensor {
    return new Tensor(native.ft_matmul(this.handle, other.handle));
  }

  reshape(...shape: number[]): Tensor {
    const dims = putShape(shape);
    return new Tensor(native.ft_reshape(this.handle, shapeBuffer, dims));
  }

  transpose(dim0: number, dim1: number): Tensor {
    return new Tensor(native.ft_transpose(this.handle, dim0, dim1));
  }

  /** Elements `start` to `end` (exclusive) of one dimension, as a view. @throws {TorchError} outside the range. */
  slice(dim: number, start: number, end: number): Tensor {
    return new Tensor(native.ft_slice(this.handle, dim, start, end));
  }

  /** Index of the largest element along a dimension; the first one of equals. */
  argmax(dim: number): Tensor {
    return new Tensor(native.ft_argmax(this.handle, dim));
  }

  /** Element by element, as bool. */
  equal(other: Tensor): Tensor {
    return new Tensor(native.ft_equal(this.handle, other.handle));
  }

  // Autograd

  /** Marks a leaf as one that gets gradients; returns it. */
  requireGrad(): this {
    check(native.ft_require_grad(this.handle));
    return this;
  }

  /** A leaf gets no gradients from now on. */
  freeze(): this {
    check(native.ft_freeze(this.handle));
    return this;
  }

  /** Whether a backward pass would reach it. */
  get requiresGrad(): boolean {
    return check(native.ft_requires_grad(this.handle)) === 1;
  }

  /** The same elements, cut off from the graph. */
  detach(): Tensor {
    return new Tensor(native.ft_detach(this.handle));
  }

  /** Adds gradients to the leaves. Without `gradient` this must be a scalar. Frees the graph. */
  backward(gradient?: Tensor): void {
    check(native.ft_backward(this.handle, gradient === undefined ? NO_TENSOR : gradient.handle));
  }

  get hasGrad(): boolean {
    return check(native.ft_has_grad(this.handle)) === 1;
  }

  /** The gradient of a leaf. @throws {TorchError} when there is none. */
  get grad(): Tensor {
    return new Tensor(native.ft_grad(this.handle));
  }
}

/** Number of tensors alive in the shim: tests assert that it ends as it began. */
export const liveTensors = (): number => check(native.ft_live_tensors());

/** Runs `body` without recording a graph. */
export function noGrad<T>(body: () => T): T {
  const was = native.ft_set_grad_enabled(0);
  try {
    return body();
  } finally {
    native.ft_set_grad_enabled(was);
  }
}

/** The ops of a decoding step: few rows, of one or several sequences, against weights and caches laid out for it. */
import type { Device } from "./dtype.ts";
import { check, native } from "./native.ts";
import { Tensor, unscoped } from "./tensor.ts";

/**
 * Which kernels decode. `rows`: float32 on the CPU, with results that do not depend on the number of rows, bit for
 * bit. `aten`: libtorch's, on any device, which round differently for one row and for several.
 */
export type Kernels = "rows" | "aten";

const NO_TENSOR = 0;
const codeOf = (kernels: Kernels): number => kernels === "rows" ? 1 : 0;

/**
 * A weight (out, in) as decoding reads it: for the row kernels a copy in panels, which lies in the order in which it is
 * multiplied; else the weight itself. It does not follow later changes of the weight.
 */
export class DecodeWeight implements Disposable {
  readonly outputs: number;
  readonly #tensor: Tensor;

  constructor(weight: Tensor, readonly kernels: Kernels) {
    this.outputs = weight.shape[0]!;
    this.#tensor = unscoped(() =>
      kernels === "rows" ? new Tensor(native.ft_pack(weight.handle)) : weight.detach()
    );
  }

  get handle(): number {
    return this.#tensor.handle;
  }

  [Symbol.dispose](): void {
    this.#tensor.free();
  }
}

/** What {@link decodeLinear} does besides the product. */
export interface Around {
  /** RMSNorm of x before it: weight (in), and what is added to the mean square. */
  readonly norm?: { readonly weight: Tensor; readonly eps: number };
  /** Added after it, (rows, out). */
  readonly residual?: Tensor;
  /** The first so many outputs only. */
  readonly outputs?: number;
}

/** x (rows, in) times a weight (out, in), transposed: (rows, out), without gradients. */
export function decodeLinear(x: Tensor, weight: DecodeWeight, around: Around = {}): Tensor {
  const { norm, residual, outputs = weight.outputs } = around;
  return new Tensor(
    native.ft_decode_linear(
      x.handle,
      weight.handle,
      outputs,
      norm === undefined ? NO_TENSOR : norm.weight.handle,
      norm === undefined ? 0 : norm.eps,
      residual === undefined ? NO_TENSOR : residual.handle,
      codeOf(weight.kernels),
    ),
  );
}

/** Numbers of a place: sequence, slot, position, prefix, branch. */
const PLACE = 5;

/**
 * Where each row of a step stands, sequence by sequence, and what it sees of its sequence's cache.
 *
 * Usually a row at slot s has position s and sees slots 0 to s. In a tree of drafts rows share positions: each sees the
 * `prefix` that all of them follow, and of the (up to 32) slots behind it those whose bits are set in `branch`.
 */
export class Places {
  #buffer: Int32Array<ArrayBuffer>;
  #count = 0;

  /** @param rows As many as are expected; it grows. */
  constructor(rows: number) {
    this.#buffer = new Int32Array(PLACE * rows);
  }

  /** Five numbers for each row, as the shim reads them. */
  get buffer(): Int32Array<ArrayBuffer> {
    return this.#buffer;
  }

  /** Rows so far. */
  get count(): number {
    return this.#count;
  }

  /** Forgets all rows; a step after the other uses the same memory. */
  clear(): void {
    this.#count = 0;
  }

  /** A row that sees all slots up to its own. */
  add(sequence: number, slot: number): void {
    this.addBranch(sequence, slot, slot, slot + 1, 0);
  }

  /** A row that sees the first `prefix` slots and those of its branch, itself among them. */
  addBranch(sequence: number, slot: number, position: number, prefix: number, branch: number): void {
    const at = PLACE * this.#count++;
    if (at === this.#buffer.length) this.#grow();
    const buffer = this.#buffer;
    buffer[at] = sequence;
    buffer[at + 1] = slot;
    buffer[at + 2] = position;
    buffer[at + 3] = prefix;
    buffer[at + 4] = branch;
  }

  #grow(): void {
    const before = this.#buffer;
    this.#buffer = new Int32Array(Math.max(PLACE, 2 * before.length));
    this.#buffer.set(before);
  }

  /** Sequence of a row. */
  sequence(row: number): number {
    return this.#buffer[PLACE * row]!;
  }

  /** Slot of a row. */
  slot(row: number): number {
    return this.#buffer[PLACE * row + 1]!;
  }
}

/** Positions that lie together in the row kernels' cache of keys. */
const KEY_BLOCK = 16;
const blocksOf = (size: number) => Math.ceil(size / KEY_BLOCK);

/** Keys and values of one block of the model for several sequences, laid out for its kernels. */
export class CachedKeys implements Disposable {
  readonly keys: Tensor;
  readonly values: Tensor;

  constructor(
    readonly kernels: Kernels,
    size: {
      readonly sequences: number;
      readonly kvHeads: number;
      readonly slots: number;
      readonly width: number;
    },
    device: Device,
  ) {
    const { sequences: S, kvHeads: G, slots: C, width: W } = size;
    const zeros = (...shape: number[]) => unscoped(() => Tensor.zeros(shape, { dtype: "float32", device }));
    const isRows = kernels === "rows";
    this.keys = isRows ? zeros(S, G, blocksOf(C), W, KEY_BLOCK) : zeros(S, C, G, W);
    this.values = isRows ? zeros(S, G, C, KEY_BLOCK * blocksOf(W)) : zeros(S, C, G, W);
  }

  /** Copies what stands at slot `from` of a sequence to slot `to`. */
  move(sequence: number, from: number, to: number): void {
    check(native.ft_cache_move(this.keys.handle, this.values.handle, sequence, from, to));
  }

  [Symbol.dispose](): void {
    this.keys.free();
    this.values.free();
  }
}

/**
 * Causal attention with rotary positions, of new rows over the cache, which takes in their keys and values first.
 *
 * @param qkv (rows, (H + 2G) * W): queries, keys and values; its queries and keys may be rotated in place.
 * @param rotary cos and sin (positions, W / 2).
 * @returns (rows, H * W)
 * @throws {TorchError} when a place is outside the cache or the rotary tables.
 */
export function cachedAttention(
  qkv: Tensor,
  rotary: { readonly cos: Tensor; readonly sin: Tensor },
  cache: CachedKeys,
  heads: number,
  places: Places,
): Tensor {
  return new Tensor(
    native.ft_cached_attention(
      qkv.handle,
      rotary.cos.handle,
      rotary.sin.handle,
      cache.keys.handle,
      cache.values.handle,
      heads,
      places.buffer,
      places.count,
      codeOf(cache.kernels),
    ),
  );
}

let choiceBuffer = new Float64Array(1024);

/**
 * The index of the largest logit of each row of (rows, V), the first of equals; waits for the device.
 *
 * @throws {TorchError} when a row holds no number that is the largest (NaN).
 */
export function choices(logits: Tensor): number[] {
  let rows = native.ft_choices(logits.handle, choiceBuffer, choiceBuffer.length);
  if (rows < 0 && logits.shape[0]! > choiceBuffer.length) {
    choiceBuffer = new Float64Array(logits.shape[0]!);
    rows = native.ft_choices(logits.handle, choiceBuffer, choiceBuffer.length);
  }
  check(rows);
  const chosen: number[] = []; // a loop: Array.from() of a view costs a microsecond
  for (let row = 0; row < rows; row++) chosen.push(choiceBuffer[row]!);
  return chosen;
}

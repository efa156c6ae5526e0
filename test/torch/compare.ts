/** What the tensor tests compare with: random tensors, closeness with a stated tolerance, equality of bits. */
import assert from "node:assert/strict";
import { type Dtype, setThreads, Tensor, threads } from "../../src/torch/mod.ts";

/** Normal numbers that depend on the seed alone. */
export function normal(shape: readonly number[], seed: number, dtype: Dtype = "float32"): Tensor {
  return Tensor.zeros(shape, { dtype, device: "cpu" }).normal_(1, seed);
}

/** The same numbers in float64: the reference that float32 is measured against. */
export const wide = (t: Tensor): Tensor => t.to("float64", "cpu");

/** Fails where an element is off by more than `tolerance` times the largest expected magnitude (at least 1). */
export function assertClose(actual: Tensor, expected: Tensor, tolerance: number, what = "values"): void {
  assert.deepEqual(actual.shape, expected.shape, `${what}: shapes`);
  const [a, e] = [actual.toArray(), expected.toArray()];
  const scale = e.reduce((largest, x) => Math.max(largest, Math.abs(x)), 1);
  for (const [i, x] of e.entries()) {
    const off = Math.abs(a[i]! - x) / scale;
    assert.ok(
      off <= tolerance,
      `${what}: element ${i} is ${a[i]}, expected ${x} (off by ${off} of ${scale})`,
    );
  }
}

/** Fails unless both hold the same bits. */
export function assertSameBits(actual: Tensor, expected: Tensor, what = "values"): void {
  assert.deepEqual(actual.shape, expected.shape, `${what}: shapes`);
  assert.equal(actual.dtype, expected.dtype, `${what}: dtypes`);
  const [a, e] = [actual.toBytes(), expected.toBytes()];
  const at = e.findIndex((byte, i) => byte !== a[i]);
  assert.equal(at, -1, `${what}: bits differ from byte ${at} of ${e.length} on`);
}

/** Runs `body` with that many threads, and restores the number. One spares small ops a wait for a busy core. */
export function withThreads<T>(count: number, body: () => T): T {
  const before = threads();
  setThreads(count);
  try {
    return body();
  } finally {
    setThreads(before);
  }
}

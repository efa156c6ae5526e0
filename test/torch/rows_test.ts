/**
 * Proves what exact speculative decoding stands on: the row kernels give a row the same bits whether it comes alone or
 * among others, on one thread or two; and that what they give is right.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  attention,
  cachedAttention,
  cacheWrite,
  decodeLinear,
  FLOAT32_CPU,
  linear,
  linearCrossEntropy,
  noGrad,
  rmsNorm,
  rope,
  Scope,
  silu,
  swiglu,
  Tensor,
  TorchError,
} from "../../src/torch/mod.ts";
import { withFfi } from "../support.ts";
import { assertClose, assertSameBits, normal, wide, withThreads } from "./compare.ts";

// A sum of n products of numbers of size 1 is of size sqrt(n) and its rounding errors, 6e-8 each, add up like sqrt(n)
// too: a few units of the largest element.
const FLOAT32 = 2e-6;

const row = (t: Tensor, r: number): Tensor => t.slice(0, r, r + 1);

/** Fails unless each row of op(x) has the bits of op(that row alone). */
function assertRowsAlone(x: Tensor, op: (x: Tensor, first: number) => Tensor): void {
  const together = op(x, 0);
  for (let r = 0; r < x.shape[0]!; r++) {
    assertSameBits(row(together, r), op(row(x, r), r), `row ${r} of ${x.shape[0]}`);
  }
}

const onOneAndTwoThreads = (body: () => Tensor): [Tensor, Tensor] => [
  withThreads(1, body),
  withThreads(2, body),
];

withFfi("decodeLinear() by rows gives each of 1 to 17 rows the bits it has alone, and the right ones", () => {
  const shape = fc.record({
    rows: fc.integer({ min: 1, max: 17 }),
    inner: fc.integer({ min: 1, max: 70 }),
    outputs: fc.integer({ min: 1, max: 40 }),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(shape, ({ rows, inner, outputs, seed }) => {
      using _scope = new Scope();
      const [x, w] = [normal([rows, inner], seed), normal([outputs, inner], seed + 1)];
      assertRowsAlone(x, (x) => decodeLinear(x, w, "rows"));
      assertClose(decodeLinear(x, w, "rows"), linear(wide(x), wide(w)), FLOAT32);
    }),
    { numRuns: 100, examples: [[{ rows: 17, inner: 1, outputs: 1, seed: 1 }]] },
  );
});

withFfi("decodeLinear() by rows keeps its bits at the sizes of a model", () => {
  for (const [inner, outputs] of [[128, 320], [352, 128], [256, 1031]] as const) {
    using _scope = new Scope();
    const [x, w] = [normal([9, inner], 1), normal([outputs, inner], 2)];
    assertRowsAlone(x, (x) => decodeLinear(x, w, "rows"));
    const [one, two] = onOneAndTwoThreads(() => decodeLinear(x, w, "rows"));
    assertSameBits(two, one);
    assertClose(one, linear(wide(x), wide(w)), FLOAT32);
  }
});

withFfi("decodeLinear() takes more dimensions and follows the elements of a view", () => {
  using _scope = new Scope();
  const [x, w] = [normal([5, 2, 3], 1), normal([4, 3], 2)];
  assertSameBits(
    decodeLinear(x.transpose(0, 1), w, "rows").reshape(10, 4),
    decodeLinear(x.transpose(0, 1).reshape(10, 3), w, "rows"),
  );
  assertClose(decodeLinear(x, w, "rows"), decodeLinear(x, w, "aten"), FLOAT32);
});

withFfi("decodeLinear() by rows refuses what its kernels cannot read", () => {
  using _scope = new Scope();
  const w = normal([4, 3], 2);
  const refused: [Tensor, Tensor][] = [
    [normal([2, 4], 1), w],
    [normal([0, 3], 1), w],
    [normal([2, 3], 1, "float64"), w],
    [normal([2, 3], 1), wide(w)],
    [normal([2, 4], 1), w.transpose(0, 1)],
  ];
  for (const [x, weight] of refused) assert.throws(() => decodeLinear(x, weight, "rows"), TorchError);
});

/** Queries of the last `rows` positions of a sequence, its keys and values in a cache, and the plain attention. */
function sequence(rows: number, start: number, kvHeads: number, group: number, width: number, seed: number) {
  const [length, heads] = [start + rows, kvHeads * group];
  const [q, k, v] = [
    normal([length, heads, width], seed),
    normal([length, kvHeads, width], seed + 1),
    normal([length, kvHeads, width], seed + 2),
  ];
  const capacity = length + 3;
  const keys = Tensor.full([kvHeads, capacity, width], NaN, FLOAT32_CPU); // what lies beyond the sequence must not be read
  const values = Tensor.full([kvHeads, capacity, width], NaN, FLOAT32_CPU);
  cacheWrite(keys, k.slice(0, 0, start), 0);
  cacheWrite(keys, k.slice(0, start, length), start);
  cacheWrite(values, v, 0);
  const batch = (t: Tensor): Tensor => wide(t).transpose(0, 1).reshape(1, t.shape[1]!, length, width);
  const plain = attention(batch(q), batch(k), batch(v), true).transpose(1, 2).reshape(length, heads * width);
  return { q: q.slice(0, start, length), keys, values, expected: plain.slice(0, start, length) };
}

withFfi("cachedAttention() is plain attention, and by rows keeps the bits of each row alone", () => {
  const shape = fc.record({
    rows: fc.integer({ min: 1, max: 17 }),
    start: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 40 })),
    kvHeads: fc.integer({ min: 1, max: 3 }),
    group: fc.integer({ min: 1, max: 3 }),
    width: fc.integer({ min: 1, max: 34 }),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(shape, ({ rows, start, kvHeads, group, width, seed }) => {
      using _scope = new Scope();
      const { q, keys, values, expected } = sequence(rows, start, kvHeads, group, width, seed);
      assertRowsAlone(q, (q, first) => cachedAttention(q, keys, values, start + first, "rows"));
      for (const kernels of ["rows", "aten"] as const) {
        assertClose(cachedAttention(q, keys, values, start, kernels), expected, FLOAT32, kernels);
      }
    }),
    { numRuns: 60 },
  );
});

withFfi("cachedAttention() and cacheWrite() refuse positions outside the cache and other shapes", () => {
  using _scope = new Scope();
  const { q, keys, values } = sequence(2, 3, 2, 1, 4, 1); // capacity 8
  for (const kernels of ["rows", "aten"] as const) {
    for (const start of [7, -1]) {
      assert.throws(() => cachedAttention(q, keys, values, start, kernels), /cannot attend/);
    }
    assert.throws(() => cachedAttention(q.slice(2, 0, 3), keys, values, 3, kernels), /cannot attend/);
    assert.throws(() => cachedAttention(q.slice(0, 0, 0), keys, values, 3, kernels), /cannot attend/);
  }
  assert.throws(() => cachedAttention(q, keys, wide(values), 3, "rows"), TorchError);
  assert.throws(() => cacheWrite(keys, q, 7), /no room for 2 at 7/);
  assert.throws(() => cacheWrite(keys, q, -1), /no room for 2 at -1/);
  assert.throws(() => cacheWrite(keys, q.slice(1, 0, 1), 0), /cannot write/); // would be copied to both heads
});

for (const width of [2, 7, 8, 30, 128]) {
  withFfi(
    `rmsNorm(), swiglu(), silu() and rope() of width ${width} give each row the bits it has alone`,
    () => {
      noGrad(() => {
        for (const rows of [1, 2, 5, 17]) {
          using _scope = new Scope();
          const [x, weight] = [normal([rows, 1, 2 * width], 1), normal([2 * width], 2)];
          const [cos, sin] = [normal([rows + 3, width], 3), normal([rows + 3, width], 4)];
          assertRowsAlone(x, (x) => rmsNorm(x, weight, 1e-5));
          assertRowsAlone(x, (x) => swiglu(x));
          assertRowsAlone(x, (x) => silu(x));
          assertRowsAlone(x, (x, first) => rope(x, cos, sin, 1, 3 + first));
        }
      });
    },
  );
}

withFfi("rope() leaves the vectors after the first `rotated` as they are", () => {
  using _scope = new Scope();
  const x = normal([2, 3, 5, 4], 1);
  const [cos, sin] = [normal([3, 2], 2), normal([3, 2], 3)];
  assertSameBits(rope(x, cos, sin, 3).slice(2, 3, 5), x.slice(2, 3, 5));
  assertSameBits(rope(x, cos, sin, 0), x);
});

withFfi("rope(), rmsNorm() and swiglu() refuse shapes that their kernels would read past", () => {
  using _scope = new Scope();
  const x = normal([2, 3, 5, 4], 1);
  const [cos, sin] = [normal([3, 2], 2), normal([3, 2], 3)];
  for (const [rotated, start] of [[6, 0], [-1, 0], [5, 1], [5, -1]] as const) {
    assert.throws(() => rope(x, cos, sin, rotated, start), /cannot rotate/);
  }
  assert.throws(() => rope(x, cos.slice(1, 0, 1), sin.slice(1, 0, 1), 5), /cannot rotate/);
  assert.throws(() => rope(x, normal([2, 3], 2).transpose(0, 1), sin, 5), /contiguous float32/);
  assert.throws(() => rope(x, wide(cos), wide(sin), 5), /contiguous float32/);
  assert.throws(() => rmsNorm(x, normal([3], 1), 1e-5), /a norm over 4 and \[3\] weights/);
  assert.throws(() => rmsNorm(x, normal([4, 2], 1).slice(1, 0, 1).reshape(4), 1e-5).item(), TorchError);
  assert.throws(() => swiglu(normal([2, 3], 1)), /even last dimension/);
});

/** The outputs and all gradients of the fused ops at a size where two threads share the work, end to end. */
function fusedResults(): Tensor {
  using scope = new Scope();
  const [rows, width] = [700, 72];
  const x = normal([1, rows, 2, width], 1).requireGrad();
  const [weight, gateUp] = [normal([width], 2), normal([rows, 2 * width], 3)].map((t) => t.requireGrad());
  const [cos, sin] = [normal([rows, width / 2], 4), normal([rows, width / 2], 5)];
  const turned = rope(rmsNorm(x, weight!, 1e-5), cos, sin, 2);
  turned.backward(normal(turned.shape, 6));
  const gated = swiglu(gateUp!);
  gated.backward(normal(gated.shape, 7));
  const results = [turned, gated, x.grad, weight!.grad, gateUp!.grad].map((t) => t.toArray());
  return scope.keep(Tensor.from(Float32Array.from(results.flat())));
}

withFfi("the fused ops and their gradients have the same bits on 1 and 2 threads", () => {
  using _scope = new Scope();
  const [one, two] = onOneAndTwoThreads(fusedResults);
  assertSameBits(two, one);
});

withFfi("cachedAttention() by rows has the same bits on 1 and 2 threads", () => {
  using _scope = new Scope();
  const { q, keys, values } = sequence(8, 1000, 2, 2, 64, 3);
  const [one, two] = onOneAndTwoThreads(() => cachedAttention(q, keys, values, 1000, "rows"));
  assertSameBits(two, one);
});

withFfi("linearCrossEntropy() adds up the rows in one order on 1 and 2 threads", () => {
  using _scope = new Scope();
  // One input: the products have one term, so that libtorch's own sums cannot differ.
  const [x, weight] = [normal([500, 1], 1), normal([40, 1], 2)];
  const targets = Tensor.ids(Array.from({ length: 500 }, (_, i) => i % 40));
  const [one, two] = onOneAndTwoThreads(() => linearCrossEntropy(x, weight, targets, 1));
  assertSameBits(two, one);
});

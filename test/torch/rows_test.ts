/**
 * Proves what exact speculative decoding stands on: the row kernels give a row the same bits whether it comes alone or
 * among others, on one thread or two; and that what they give is right.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  attention,
  cachedAttention,
  CachedKeys,
  choices,
  decodeLinear,
  DecodeWeight,
  type Kernels,
  linear,
  linearCrossEntropy,
  noGrad,
  Places,
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

/** x times a weight that is packed for the one call. */
function packedLinear(
  x: Tensor,
  w: Tensor,
  around: Parameters<typeof decodeLinear>[2] = {},
  kernels: Kernels = "rows",
) {
  using weight = new DecodeWeight(w, kernels);
  return decodeLinear(x, weight, around);
}

withFfi("decodeLinear() by rows gives each of 1 to 40 rows the bits it has alone, and the right ones", () => {
  const shape = fc.record({
    rows: fc.integer({ min: 1, max: 40 }),
    inner: fc.integer({ min: 1, max: 70 }),
    outputs: fc.integer({ min: 1, max: 170 }),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(shape, ({ rows, inner, outputs, seed }) => {
      using _scope = new Scope();
      const [x, w] = [normal([rows, inner], seed), normal([outputs, inner], seed + 1)];
      assertRowsAlone(x, (x) => packedLinear(x, w));
      assertClose(packedLinear(x, w), linear(wide(x), wide(w)), FLOAT32);
    }),
    { numRuns: 100, examples: [[{ rows: 17, inner: 1, outputs: 1, seed: 1 }]] },
  );
});

withFfi("decodeLinear() by rows keeps its bits at the sizes of a model", () => {
  for (const [inner, outputs] of [[128, 320], [352, 128], [256, 1031], [1024, 384]] as const) {
    using _scope = new Scope();
    const [x, w] = [normal([19, inner], 1), normal([outputs, inner], 2)];
    assertRowsAlone(x, (x) => packedLinear(x, w));
    const [one, two] = onOneAndTwoThreads(() => packedLinear(x, w));
    assertSameBits(two, one);
    assertClose(one, linear(wide(x), wide(w)), FLOAT32);
  }
});

withFfi("decodeLinear() norms before, adds after and leaves outputs away, by both kernels", () => {
  using _scope = new Scope();
  const [x, w, weight] = [normal([5, 24], 1), normal([70, 24], 2), normal([24], 3)];
  const residual = normal([5, 40], 4);
  const norm = { weight, eps: 1e-5 };
  const all = linear(wide(rmsNorm(x, weight, 1e-5)), wide(w)).slice(1, 0, 40).add(wide(residual));
  for (const kernels of ["rows", "aten"] as const) {
    const around = { norm, residual, outputs: 40 };
    assertClose(packedLinear(x, w, around, kernels), all, FLOAT32, kernels);
    if (kernels === "aten") continue;
    assertRowsAlone(
      x,
      (x, first) =>
        packedLinear(x, w, { ...around, residual: residual.slice(0, first, first + x.shape[0]!) }),
    );
  }
  assertSameBits(normal([5, 40], 4), residual); // it was read only
});

withFfi("decodeLinear() by rows refuses what its kernels cannot read", () => {
  using _scope = new Scope();
  const w = normal([4, 3], 2);
  const refused: [Tensor, Parameters<typeof decodeLinear>[2]][] = [
    [normal([2, 4], 1), {}],
    [normal([0, 3], 1), {}],
    [normal([2, 3, 1], 1), {}],
    [normal([2, 3], 1, "float64"), {}],
    [normal([3, 2], 1).transpose(0, 1), {}],
    [normal([2, 3], 1), { outputs: 200 }],
    [normal([2, 3], 1), { norm: { weight: normal([4], 1), eps: 1e-5 } }],
    [normal([2, 3], 1), { residual: normal([2, 3], 1) }],
  ];
  for (const [x, around] of refused) assert.throws(() => packedLinear(x, w, around), TorchError);
  assert.throws(() => new DecodeWeight(normal([3], 1), "rows"), TorchError);
});

withFfi("a packed weight does not follow its matrix, whose values it had when it was packed", () => {
  using _scope = new Scope();
  const [x, w] = [normal([2, 8], 1), normal([5, 8], 2)];
  using weight = new DecodeWeight(w, "rows");
  const before = decodeLinear(x, weight);
  w.copy_(normal([5, 8], 3));
  assertSameBits(decodeLinear(x, weight), before);
});

/** Several sequences that go into a cache in steps, and what plain attention over each of them gives. */
interface Setting {
  readonly kvHeads: number;
  readonly group: number;
  /** Of a head; even. */
  readonly width: number;
  /** Rows of each sequence in each step. */
  readonly steps: readonly (readonly number[])[];
  readonly seed: number;
}

/** cos = 1, sin = 0: nothing turns, so that plain attention is the reference. */
function unturned(positions: number, width: number) {
  return {
    cos: Tensor.full([positions, width / 2], 1, { dtype: "float32", device: "cpu" }),
    sin: Tensor.zeros([positions, width / 2], { dtype: "float32", device: "cpu" }),
  };
}

function assertAttends({ kvHeads: G, group, width: W, steps, seed }: Setting, kernels: Kernels): void {
  using _scope = new Scope();
  const H = G * group;
  const sequences = steps[0]!.length;
  const lengths = Array.from({ length: sequences }, (_, s) => steps.reduce((sum, step) => sum + step[s]!, 0));
  const qkv = lengths.map((length, s) => normal([Math.max(1, length), H + 2 * G, W], seed + s));
  const expected = qkv.map((rows) => {
    const [T] = rows.shape as [number];
    const part = (from: number, to: number) =>
      wide(rows.slice(1, from, to)).transpose(0, 1).reshape(1, to - from, T, W);
    return attention(part(0, H), part(H, H + G), part(H + G, H + 2 * G), true).transpose(1, 2).reshape(
      T,
      H * W,
    );
  });
  const slots = Math.max(...lengths) + 3;
  using cache = new CachedKeys(kernels, { sequences, kvHeads: G, slots, width: W }, "cpu");
  const rotary = unturned(slots, W);
  const at = lengths.map(() => 0);
  for (const step of steps) {
    const places = new Places(step.reduce((sum, count) => sum + count, 0));
    if (places.buffer.length === 0) continue;
    const rows: number[] = [];
    const wanted: number[] = [];
    step.forEach((count, s) => {
      for (let i = 0; i < count; i++) {
        places.add(s, at[s]!);
        rows.push(...row(qkv[s]!, at[s]!).toArray());
        wanted.push(...row(expected[s]!, at[s]!).toArray());
        at[s]!++;
      }
    });
    const input = Tensor.from(Float32Array.from(rows), [places.count, (H + 2 * G) * W]);
    const mixed = cachedAttention(input, rotary, cache, H, places);
    assertClose(mixed, Tensor.from(Float64Array.from(wanted), [places.count, H * W]), FLOAT32, kernels);
  }
}

const settings: fc.Arbitrary<Setting> = fc.record({
  kvHeads: fc.integer({ min: 1, max: 3 }),
  group: fc.integer({ min: 1, max: 3 }),
  width: fc.integer({ min: 1, max: 18 }).map((half) => 2 * half),
  steps: fc.integer({ min: 1, max: 3 }).chain((sequences) =>
    fc.array(fc.array(fc.nat(20), { minLength: sequences, maxLength: sequences }), {
      minLength: 1,
      maxLength: 5,
    })
  ),
  seed: fc.nat(1e6),
});

for (const kernels of ["rows", "aten"] as const) {
  withFfi(
    `cachedAttention() by ${kernels} is plain attention for every sequence, in whatever steps they come`,
    () => {
      fc.assert(
        fc.property(settings, (setting) => assertAttends(setting, kernels)),
        {
          numRuns: 60,
          examples: [[{ kvHeads: 2, group: 2, width: 64, steps: [[70, 1], [1, 1], [4, 33]], seed: 1 }]],
        },
      );
    },
  );
}

withFfi("cachedAttention() turns queries and keys as rope() does, by the row's position", () => {
  using _scope = new Scope();
  const [H, G, W] = [4, 2, 8];
  const [cos, sin] = [normal([9, W / 2], 1), normal([9, W / 2], 2)];
  const x = normal([6, H + 2 * G, W], 3);
  const turned = noGrad(() => rope(x, cos, sin, H + G, 3));
  const run = (x: Tensor, rotary: { cos: Tensor; sin: Tensor }, kernels: Kernels): Tensor => {
    using cache = new CachedKeys(kernels, { sequences: 1, kvHeads: G, slots: 6, width: W }, "cpu");
    const places = new Places(6);
    for (let r = 0; r < 6; r++) places.addBranch(0, r, r + 3, r + 1, 0); // at positions 3 to 8
    return cachedAttention(x.clone().reshape(6, (H + 2 * G) * W), rotary, cache, H, places);
  };
  const expected = run(turned, unturned(9, W), "rows");
  assertSameBits(run(x, { cos, sin }, "rows"), expected);
  assertClose(run(x, { cos, sin }, "aten"), expected, FLOAT32);
});

withFfi("cachedAttention() refuses places outside the cache, rows out of order and other shapes", () => {
  using _scope = new Scope();
  const [H, G, W] = [2, 1, 4];
  const qkv = normal([2, (H + 2 * G) * W], 1);
  for (const kernels of ["rows", "aten"] as const) {
    using cache = new CachedKeys(kernels, { sequences: 2, kvHeads: G, slots: 5, width: W }, "cpu");
    const run = (places: readonly (readonly number[])[], x = qkv, heads = H, positions = 6) => {
      const all = new Places(places.length);
      for (const [sequence, slot, position, prefix, branch] of places) {
        all.addBranch(sequence!, slot!, position!, prefix!, branch!);
      }
      return cachedAttention(x, unturned(positions, W), cache, heads, all);
    };
    const fine = [[0, 0, 0, 1, 0], [1, 4, 4, 5, 0]] as const;
    assert.deepEqual(run(fine).shape, [2, H * W]);
    const bad: [readonly number[], string][] = [
      [[2, 0, 0, 1, 0], "sequence"],
      [[-1, 0, 0, 1, 0], "sequence"],
      [[1, 5, 4, 6, 0], "slot"],
      [[1, -1, 0, 1, 0], "slot"],
      [[1, 4, 6, 5, 0], "position"],
      [[1, 4, 4, 6, 0], "what it sees"],
      [[1, 4, 4, 4, 0], "itself"],
      [[1, 4, 4, 3, 0b100], "its branch"],
      [[1, 4, 4, -1, 0], "prefix"],
      [[0, 0, 0, 2 ** 31 - 1, 1], "no sum beyond 32 bits"],
    ];
    for (const [place, what] of bad) {
      assert.throws(
        () => run([fine[0], place]),
        { name: "TorchError", message: /cannot stand at slot/ },
        what,
      );
    }
    assert.throws(() => run([fine[1], fine[0]]), /sequence by sequence/);
    assert.throws(() => run(fine, normal([3, (H + 2 * G) * W], 1)), /cannot attend/);
    assert.throws(() => run(fine, normal([2, 3], 1)), /cannot attend/);
    assert.throws(() => run(fine, qkv, 3), /cannot attend/);
  }
});

withFfi("choices() takes the first of equals, of as many rows as there are, and no NaN", () => {
  using _scope = new Scope();
  const of = (values: number[], width: number) =>
    choices(Tensor.from(Float32Array.from(values), [values.length / width, width]));
  assert.deepEqual(of([1, 3, 3, 2, 5, 4], 3), [1, 1]);
  assert.deepEqual(of(Array.from({ length: 20 }, (_, i) => i === 17 ? 9 : 1), 20), [17]);
  assert.equal(
    of(Array.from({ length: 3 * 2000 }, (_, i) => i % 3), 3).filter((best) => best === 2).length,
    2000,
  );
  for (const bad of [NaN, Infinity, -Infinity]) {
    for (let at = 0; at < 21; at++) {
      assert.throws(() => of(Array.from({ length: 21 }, (_, i) => i === at ? bad : i), 21), /not finite/);
    }
  }
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
  const [H, G, W, T] = [4, 2, 64, 700];
  const rotary = { cos: normal([T, W / 2], 1), sin: normal([T, W / 2], 2) };
  const [one, two] = onOneAndTwoThreads(() => {
    using cache = new CachedKeys("rows", { sequences: 1, kvHeads: G, slots: T, width: W }, "cpu");
    const places = new Places(T);
    for (let t = 0; t < T; t++) places.add(0, t);
    return cachedAttention(normal([T, (H + 2 * G) * W], 3), rotary, cache, H, places);
  });
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

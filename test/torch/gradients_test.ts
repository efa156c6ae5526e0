/**
 * Proves the gradients of every differentiable op. In float64 against central differences. The float32 kernels of the
 * CPU, whose rounding would drown the differences, against the float64 path, at widths around the vector length.
 */
import assert from "node:assert/strict";
import {
  attention,
  cat,
  crossEntropy,
  embedding,
  FLOAT32_CPU,
  linear,
  linearCrossEntropy,
  rmsNorm,
  rope,
  Scope,
  selfAttention,
  silu,
  swiglu,
  Tensor,
} from "../../src/torch/mod.ts";
import { withFfi } from "../support.ts";
import { assertClose, normal, wide, withThreads } from "./compare.ts";

// Central differences err by h^2 f''' / 6, about 1e-10 here, and by the rounding of f over h: 1e-16 * 100 / 1e-5.
const H = 1e-5;
const DIFFERENCES = 1e-7;

/** d f / d input by central differences; f gives a scalar. */
function differences(input: Tensor, f: () => number): Tensor {
  const values = Float64Array.from(input.toArray());
  const bytes = new Uint8Array(values.buffer);
  const slopes = values.map((value, i) => {
    const at = (x: number): number => {
      values[i] = x;
      input.copyBytes_(bytes);
      return f();
    };
    const slope = (at(value + H) - at(value - H)) / (2 * H);
    at(value);
    return slope;
  });
  return Tensor.from(slopes, input.shape);
}

/** Compares backward() with central differences for each input, under a random gradient of the output. */
function checkDifferences(inputs: readonly Tensor[], op: (...inputs: Tensor[]) => Tensor): void {
  const value = (): Tensor => {
    const out = op(...inputs);
    return out.mul(normal(out.shape, 99, "float64")).sum();
  };
  const expected = inputs.map((input) =>
    differences(input, () => {
      using _scope = new Scope();
      return value().item();
    })
  );
  for (const input of inputs) input.requireGrad();
  value().backward();
  for (const [i, input] of inputs.entries()) {
    assertClose(input.grad, expected[i]!, DIFFERENCES, `gradient of input ${i}`);
  }
}

const DIFFERENTIABLE: Record<string, { shapes: number[][]; op: (...inputs: Tensor[]) => Tensor }> = {
  "add()": { shapes: [[2, 3], [2, 3]], op: (a, b) => a!.add(b!) },
  "add() that broadcasts": { shapes: [[2, 3, 4], [3, 1]], op: (a, b) => a!.add(b!) },
  "sub()": { shapes: [[2, 3], [3]], op: (a, b) => a!.sub(b!) },
  "mul()": { shapes: [[2, 3], [2, 1]], op: (a, b) => a!.mul(b!) },
  "mul() of a tensor with itself": { shapes: [[5]], op: (a) => a!.mul(a!) },
  "scale()": { shapes: [[4]], op: (a) => a!.scale(-2.5) },
  "sum()": { shapes: [[2, 3]], op: (a) => a!.sum() },
  "matmul()": { shapes: [[3, 4], [4, 2]], op: (a, b) => a!.matmul(b!) },
  "matmul() of batches": { shapes: [[2, 3, 4], [2, 4, 2]], op: (a, b) => a!.matmul(b!) },
  "linear()": { shapes: [[2, 3, 4], [5, 4]], op: (x, w) => linear(x!, w!) },
  "embedding()": { shapes: [[5, 3]], op: (w) => embedding(Tensor.ids([0, 4, 4, 2], [2, 2]), w!) },
  "reshape()": { shapes: [[2, 6]], op: (a) => a!.reshape(3, 4) },
  "transpose()": { shapes: [[2, 3, 2]], op: (a) => a!.transpose(0, 2) },
  "reshape() of a transposed view": { shapes: [[2, 3]], op: (a) => a!.transpose(0, 1).reshape(6) },
  "slice()": { shapes: [[3, 4]], op: (a) => a!.slice(1, 1, 3).slice(0, 2, 3) },
  "clone() and to()": { shapes: [[3]], op: (a) => a!.clone().to("float64", "cpu") },
  "attention()": {
    shapes: [[2, 2, 3, 4], [2, 2, 5, 4], [2, 2, 5, 4]],
    op: (q, k, v) => attention(q!, k!, v!, false),
  },
  "attention() with a causal mask": {
    shapes: [[1, 2, 4, 3], [1, 2, 4, 3], [1, 2, 4, 3]],
    op: (q, k, v) => attention(q!, k!, v!, true),
  },
  "attention() of grouped queries": {
    shapes: [[1, 4, 3, 2], [1, 2, 3, 2], [1, 2, 3, 2]],
    op: (q, k, v) => attention(q!, k!, v!, true),
  },
  "crossEntropy()": { shapes: [[4, 5]], op: (x) => crossEntropy(x!, Tensor.ids([0, 4, -1, 2])) },
  "rmsNorm()": { shapes: [[3, 5], [5]], op: (x, w) => rmsNorm(x!, w!, 1e-5) },
  "rope()": { shapes: [[2, 3, 3, 4]], op: (x) => rope(x!, ...angles(5, 2), 2, 1) },
  "selfAttention()": { shapes: [[2, 3, 3, 4]], op: (x) => selfAttention(x!, ...angles(5, 2), 1) },
  "selfAttention() of grouped queries": {
    shapes: [[1, 4, 8, 2]],
    op: (x) => selfAttention(x!, ...angles(4, 1), 4),
  },
  "swiglu()": { shapes: [[3, 8]], op: (x) => swiglu(x!) },
  "silu()": { shapes: [[2, 5]], op: (x) => silu(x!) },
  "cat()": { shapes: [[2, 3], [2, 4]], op: (a, b) => cat([a!, b!], 1) },
  "linearCrossEntropy()": {
    shapes: [[4, 3], [5, 3]],
    op: (x, w) => linearCrossEntropy(x!, w!, Tensor.ids([0, -1, 4, 2]), 0.7, { chunk: 3 }),
  },
};

/** cos and sin of random angles, (positions, half), in float64. */
function angles(positions: number, half: number): [Tensor, Tensor] {
  const theta = Float64Array.from(normal([positions, half], 5, "float64").toArray());
  return [
    Tensor.from(theta.map(Math.cos), [positions, half]),
    Tensor.from(theta.map(Math.sin), [positions, half]),
  ];
}

for (const [name, { shapes, op }] of Object.entries(DIFFERENTIABLE)) {
  withFfi(`${name} has the gradients that differences give`, () => {
    using _scope = new Scope();
    withThreads(1, () => checkDifferences(shapes.map((shape, i) => normal(shape, i + 1, "float64")), op));
  });
}

withFfi("gradients add up over several backward passes", () => {
  using _scope = new Scope();
  const x = Tensor.full([2], 3, FLOAT32_CPU).requireGrad();
  x.mul(x).sum().backward();
  x.scale(10).backward(Tensor.from(Float32Array.of(1, 2)));
  assertClose(x.grad, Tensor.from(Float32Array.of(6 + 10, 6 + 20)), 0);
});

// The kernels of the CPU for float32

const WIDTHS = [1, 7, 8, 9, 31, 64, 100];
const ROWS = [1, 3, 64, 65, 200]; // around the 64 rows that a thread takes

// Each value is a short chain of float32 operations on numbers of size 1, or a sum over a row whose error grows with
// the square root of its length: some 10 units of 6e-8. A gradient of the weights sums up to 200 rows: some 30.
const KERNELS = 2e-6;

/** Runs `op` forward and backward in float32 and in float64 on the same numbers and compares all results. */
function checkKernel(inputs: readonly Tensor[], op: (...inputs: Tensor[]) => Tensor, what: string): void {
  const wideInputs = inputs.map((t) => wide(t).requireGrad());
  for (const t of inputs) t.requireGrad();
  const [out, expected] = [op(...inputs), op(...wideInputs)];
  assertClose(out, expected, KERNELS, `${what}, output`);
  const gradient = normal(out.shape, 77);
  out.backward(gradient);
  expected.backward(wide(gradient));
  for (const [i, input] of inputs.entries()) {
    assertClose(input.grad, wideInputs[i]!.grad, KERNELS, `${what}, gradient of input ${i}`);
  }
}

/** Checks every kernel at one size. */
function checkKernels(width: number, rows: number): void {
  const what = `${rows} rows`;
  checkKernel([normal([rows, width], 1), normal([width], 2)], (x, w) => rmsNorm(x!, w!, 1e-5), what);
  checkKernel([normal([rows, 2 * width], 3)], (x) => swiglu(x!), what);
  const [cos, sin] = angles(rows + 2, width);
  checkKernel([normal([2, rows, 3, 2 * width], 4)], (x) => {
    const table = (t: Tensor) => t.to(x!.dtype, "cpu");
    return rope(x!, table(cos), table(sin), 2, 2);
  }, what);
  const targets = Tensor.ids(Array.from({ length: rows }, (_, i) => i % 5 === 4 ? -1 : i % width));
  checkKernel(
    [normal([rows, 6], 5), normal([width, 6], 6)],
    (x, w) => linearCrossEntropy(x!, w!, targets, 1 / rows, { chunk: 24 }),
    what,
  );
}

for (const width of WIDTHS) {
  withFfi(`the float32 kernels of width ${width} agree with float64, forward and backward`, () => {
    for (const rows of ROWS) {
      using _scope = new Scope();
      withThreads(1, () => checkKernels(width, rows));
    }
  });
}

// Around the 48 queries of a block and the 16 or 32 columns of a panel.
for (const [length, width] of [[1, 2], [47, 32], [48, 16], [49, 48], [130, 64], [97, 10]] as const) {
  withFfi(
    `selfAttention() of ${length} positions of width ${width} agrees with float64 and with attention()`,
    () => {
      for (const [heads, kvHeads] of [[2, 2], [4, 2], [3, 1]] as const) {
        using _scope = new Scope();
        const [N, rotated] = [heads + 2 * kvHeads, heads + kvHeads];
        const x = normal([2, length, N, width], 1);
        const tables = angles(length + 1, width / 2);
        const tablesOf = (t: Tensor) => tables.map((table) => table.to(t.dtype, "cpu")) as [Tensor, Tensor];
        const what = `${heads} heads on ${kvHeads}`;
        withThreads(1, () => checkKernel([x], (x) => selfAttention(x!, ...tablesOf(x!), heads), what));
        const turned = rope(x, ...tablesOf(x), rotated);
        const part = (from: number, to: number) => turned.slice(2, from, to).transpose(1, 2);
        const mixed = attention(part(0, heads), part(heads, rotated), part(rotated, N), true);
        const expected = mixed.transpose(1, 2).reshape(2, length, heads * width);
        assertClose(selfAttention(x, ...tablesOf(x), heads), expected, KERNELS, what);
      }
    },
  );
}

withFfi("selfAttention() refuses projections that do not divide into queries, keys and values", () => {
  using _scope = new Scope();
  for (const [vectors, heads] of [[3, 0], [3, 3], [4, 1], [7, 3], [8, 3]] as const) {
    const x = normal([1, 2, vectors, 4], 1);
    assert.throws(() => selfAttention(x, normal([2, 2], 1), normal([2, 2], 2), heads), /cannot attend/);
  }
  assert.throws(
    () => selfAttention(normal([1, 3, 3, 4], 1), normal([2, 2], 1), normal([2, 2], 2), 1),
    /cannot rotate/,
  );
});

withFfi("the float32 kernels follow views that do not lie in one piece", () => {
  using _scope = new Scope();
  const across = (t: Tensor): Tensor => t.transpose(0, 1);
  checkKernel([normal([9, 5], 1), normal([9], 2)], (x, w) => rmsNorm(across(x!), w!, 1e-5), "rmsNorm");
  checkKernel([normal([10, 3], 3)], (x) => swiglu(across(x!)), "swiglu");
  const targets = Tensor.ids([1, 2, 0, -1]);
  checkKernel(
    [normal([5, 4], 4), normal([3, 5], 5)],
    (x, w) => linearCrossEntropy(across(x!), w!, targets, 0.5, { chunk: 3 }),
    "linearCrossEntropy",
  );
});

withFfi("swiglu() stays finite and right where the sigmoid is 0 or 1 in float32", () => {
  using _scope = new Scope();
  for (const gate of [-1e4, -200, -100, -88.5, -87, -20, -1e-30, 0, 1e-30, 20, 87, 88.5, 100, 1e4]) {
    checkKernel([Tensor.from(Float32Array.of(gate, 1))], (x) => swiglu(x!), `gate ${gate}`);
  }
});

withFfi("swiglu() is exact to 3 units of 1e-7, relative to each element", () => {
  using _scope = new Scope();
  const gates = Float32Array.from({ length: 4001 }, (_, i) => (i - 2000) / 25 + 0.007); // -80 to 80, never 0
  const ups = new Float32Array(gates.length).fill(1);
  const out = swiglu(Tensor.from(Float32Array.of(...gates, ...ups))).toArray();
  for (const [i, gate] of gates.entries()) {
    const expected = gate / (1 + Math.exp(-gate));
    const off = Math.abs(out[i]! / expected - 1);
    assert.ok(off < 3e-7, `silu(${gate}) is ${out[i]}, expected ${expected}`);
  }
});

withFfi("linearCrossEntropy() stays finite and right with logits that are far apart", () => {
  using _scope = new Scope();
  const x = Tensor.full([3, 1], 1, FLOAT32_CPU);
  const weight = Tensor.from(Float32Array.of(-1000, 0, 500, 1000), [4, 1]);
  checkKernel(
    [x, weight],
    (x, w) => linearCrossEntropy(x!, w!, Tensor.ids([0, 3, 2]), 1e-3, { chunk: 2 }),
    "far apart",
  );
});

/** Proves the optimizer's step against the same step written out in numbers (Loshchilov & Hutter 2019, algorithm 2). */
import assert from "node:assert/strict";
import {
  type AdamOptions,
  type AdamState,
  adamw,
  clearGrads,
  clipGrads,
  type Dtype,
  FLOAT32_CPU,
  gradNorm,
  Scope,
  Tensor,
  TorchError,
} from "../../src/torch/mod.ts";
import { withFfi } from "../support.ts";
import { assertClose, assertSameBits, normal } from "./compare.ts";

const OPTIONS: AdamOptions = { lr: 0.01, beta1: 0.9, beta2: 0.95, eps: 1e-8, decay: 0.1 };

/** A parameter with its state, and the same in plain numbers. */
interface Trained {
  readonly parameter: Tensor;
  readonly state: AdamState;
  readonly numbers: { values: number[]; means: number[]; squares: number[]; steps: number };
}

function trained(shape: readonly number[], seed: number, dtype: Dtype): Trained {
  const parameter = normal(shape, seed, dtype).requireGrad();
  const values = parameter.toArray();
  const zeros = (): number[] => values.map(() => 0);
  return {
    parameter,
    state: {
      mean: Tensor.zeros(shape, { dtype, device: "cpu" }),
      square: Tensor.zeros(shape, { dtype, device: "cpu" }),
      step: Tensor.zeros([], FLOAT32_CPU),
    },
    numbers: { values, means: zeros(), squares: zeros(), steps: 0 },
  };
}

/** One step in numbers. */
function stepByHand({ numbers }: Trained, gradient: readonly number[], options: AdamOptions): void {
  const { lr, beta1, beta2, eps, decay } = options;
  numbers.steps++;
  for (const [i, g] of gradient.entries()) {
    numbers.means[i] = beta1 * numbers.means[i]! + (1 - beta1) * g;
    numbers.squares[i] = beta2 * numbers.squares[i]! + (1 - beta2) * g * g;
    const mean = numbers.means[i]! / (1 - beta1 ** numbers.steps);
    const square = numbers.squares[i]! / (1 - beta2 ** numbers.steps);
    numbers.values[i]! -= lr * decay * numbers.values[i]! + lr * mean / (Math.sqrt(square) + eps);
  }
}

/** Gives each parameter a gradient made from `seed`, and returns the gradients in numbers. */
function giveGradients(all: readonly Trained[], seed: number): number[][] {
  clearGrads(all.map((t) => t.parameter));
  return all.map(({ parameter }, i) => {
    const gradient = normal(parameter.shape, seed * 100 + i, parameter.dtype);
    parameter.backward(gradient);
    return gradient.toArray();
  });
}

function assertAsByHand({ parameter, state, numbers }: Trained, tolerance: number): void {
  const expect = (actual: Tensor, expected: readonly number[], what: string): void =>
    assertClose(actual, Tensor.from(Float64Array.from(expected), actual.shape), tolerance, what);
  expect(parameter, numbers.values, "parameter");
  expect(state.mean, numbers.means, "mean");
  expect(state.square, numbers.squares, "square");
  assert.equal(state.step.item(), numbers.steps);
}

const step = (all: readonly Trained[], options: AdamOptions): void =>
  adamw(
    all.map((t) => t.parameter),
    all.map((t) => t.state),
    options,
    gradNorm(all.map((t) => t.parameter)),
  );

// Ten steps of some ten roundings each; odd sizes reach the vector code and its tail.
for (const [dtype, tolerance] of [["float64", 1e-13], ["float32", 2e-6]] as const) {
  withFfi(`adamw() takes the steps that the formula gives, in ${dtype}, for two groups`, () => {
    using _scope = new Scope();
    const matrices = [trained([3, 7], 1, dtype), trained([41], 2, dtype)];
    const vectors = [trained([5], 3, dtype)];
    const groups = [[matrices, OPTIONS], [vectors, { ...OPTIONS, decay: 0 }]] as const;
    for (let s = 1; s <= 10; s++) {
      using _scope = new Scope();
      const lr = OPTIONS.lr / s; // a schedule
      for (const [group, options] of groups) {
        const gradients = giveGradients(group, s);
        step(group, { ...options, lr });
        for (const [i, t] of group.entries()) stepByHand(t, gradients[i]!, { ...options, lr });
      }
    }
    for (const t of [...matrices, ...vectors]) assertAsByHand(t, tolerance);
  });
}

withFfi("adamw() corrects the bias of each parameter by its own count of steps", () => {
  using _scope = new Scope();
  const all = [trained([4], 1, "float64"), trained([4], 2, "float64")];
  for (let s = 1; s <= 6; s++) {
    const awake = s <= 3 ? all.slice(0, 1) : all; // the second one sleeps for three steps
    const gradients = giveGradients(awake, s);
    step(awake, OPTIONS);
    for (const [i, t] of awake.entries()) stepByHand(t, gradients[i]!, OPTIONS);
  }
  assert.deepEqual(all.map((t) => t.state.step.item()), [6, 3]);
  for (const t of all) assertAsByHand(t, 1e-13);
});

withFfi("adamw() changes nothing when the norm is not finite", () => {
  using _scope = new Scope();
  const all = [trained([9], 1, "float32"), trained([2, 2], 2, "float32")];
  giveGradients(all, 1);
  step(all, OPTIONS);
  const held = (): Tensor[] => all.flatMap(({ parameter: p, state: s }) => [p, s.mean, s.square, s.step]);
  const before = held().map((t) => t.clone());
  for (const bad of [NaN, Infinity, -Infinity]) {
    giveGradients(all, 2);
    all[0]!.parameter.grad.slice(0, 4, 5).copy_(Tensor.full([1], bad, FLOAT32_CPU));
    const norm = gradNorm(all.map((t) => t.parameter));
    assert.ok(!Number.isFinite(norm.item()));
    clipGrads(all.map((t) => t.parameter), norm, 1);
    adamw(all.map((t) => t.parameter), all.map((t) => t.state), OPTIONS, norm);
    for (const [i, t] of held().entries()) assertSameBits(t, before[i]!, `after a gradient of ${bad}`);
  }
  const gradients = giveGradients(all, 3);
  assert.equal(gradients.length, 2);
  step(all, OPTIONS);
  assert.equal(all[0]!.state.step.item(), 2);
  assert.notDeepEqual(all[0]!.parameter.toArray(), before[0]!.toArray());
});

withFfi("adamw() of no parameters does nothing", () => {
  using _scope = new Scope();
  adamw([], [], OPTIONS, Tensor.full([], 1, FLOAT32_CPU));
});

withFfi("gradNorm() is the root of the sum of all squares", () => {
  using _scope = new Scope();
  const all = [trained([3, 7], 1, "float32"), trained([41], 2, "float32")];
  const squares = giveGradients(all, 1).flat().reduce((sum, g) => sum + g * g, 0);
  assertClose(gradNorm(all.map((t) => t.parameter)), Tensor.full([], Math.sqrt(squares), FLOAT32_CPU), 1e-6);
});

withFfi("clipGrads() scales the gradients to the limit, and leaves those below it alone", () => {
  using _scope = new Scope();
  const all = [trained([3, 7], 1, "float64"), trained([41], 2, "float64")];
  const parameters = all.map((t) => t.parameter);
  for (const ratio of [0.1, 0.999, 1, 1.001, 10]) {
    const gradients = giveGradients(all, 1);
    const norm = gradNorm(parameters);
    const limit = norm.item() * ratio;
    clipGrads(parameters, norm, limit);
    const factor = ratio < 1 ? limit / (norm.item() + 1e-6) : 1; // 1e-6: PyTorch's guard against a norm of 0
    for (const [i, p] of parameters.entries()) {
      const expected = Tensor.from(Float64Array.from(gradients[i]!), p.shape).scale(factor);
      assertClose(p.grad, expected, 1e-14, `ratio ${ratio}`);
    }
  }
});

withFfi("gradNorm(), clipGrads() and adamw() name a parameter without a gradient", () => {
  using _scope = new Scope();
  const all = [trained([3], 1, "float32"), trained([2, 5], 2, "float32")];
  const parameters = all.map((t) => t.parameter);
  giveGradients(all.slice(0, 1), 1);
  const norm = Tensor.full([], 2, FLOAT32_CPU);
  const missing = { name: "TorchError", message: "a parameter of shape [2, 5] has no gradient" };
  assert.throws(() => gradNorm(parameters), missing);
  assert.throws(() => clipGrads(parameters, norm, 1), missing);
  const before = all[0]!.parameter.toArray();
  assert.throws(() => adamw(parameters, all.map((t) => t.state), OPTIONS, norm), missing);
  assert.deepEqual(all[0]!.parameter.toArray(), before);
  assert.deepEqual(all.map((t) => t.state.step.item()), [0, 0], "the counters stay too");
});

withFfi("clearGrads() forgets gradients, and hasGrad says so", () => {
  using _scope = new Scope();
  const { parameter } = trained([3], 1, "float32");
  assert.equal(parameter.hasGrad, false);
  assert.throws(() => parameter.grad, TorchError);
  parameter.sum().backward();
  assert.equal(parameter.hasGrad, true);
  clearGrads([parameter]);
  assert.equal(parameter.hasGrad, false);
});

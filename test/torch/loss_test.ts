/** Proves that unembedding and cross entropy in chunks give what the plain formula gives: values and gradients. */
import assert from "node:assert/strict";
import {
  crossEntropy,
  type Dtype,
  FLOAT32_CPU,
  linear,
  linearCrossEntropy,
  linearNll,
  Scope,
  Tensor,
  TorchError,
} from "../../src/torch/mod.ts";
import { withFfi } from "../support.ts";
import { assertClose, assertSameBits, normal } from "./compare.ts";

const [N, D, V] = [13, 6, 11];
const CHUNKS = [1, 4, 5, N, 10 * N];

// float32: sums of D or N products of size 1, some units of 6e-8; float64: the same of 1e-16.
const TOLERANCE: Partial<Record<Dtype, number>> = { float32: 2e-6, float64: 1e-14 };

const SOME_IGNORED = Array.from({ length: N }, (_, i) => i % 4 === 2 ? -1 - i : (i * 5) % V);
const ALL_IGNORED = SOME_IGNORED.map(() => -1);

const inputs = (dtype: Dtype): { x: Tensor; weight: Tensor } => ({
  x: normal([N, D], 1, dtype).requireGrad(),
  weight: normal([V, D], 2, dtype).requireGrad(),
});

/** Value and gradients of `upstream` times a loss. */
function results(dtype: Dtype, upstream: number, loss: (x: Tensor, weight: Tensor) => Tensor): Tensor[] {
  const { x, weight } = inputs(dtype);
  const value = loss(x, weight);
  value.scale(upstream).backward();
  return [value, x.grad, weight.grad];
}

/** The same through libtorch's cross entropy over all logits at once. */
const plainResults = (dtype: Dtype, targets: Tensor, scale: number, upstream: number): Tensor[] =>
  results(dtype, upstream, (x, weight) => crossEntropy(linear(x, weight), targets).scale(scale));

for (const dtype of ["float32", "float64"] as const) {
  for (const chunk of CHUNKS) {
    withFfi(`linearCrossEntropy() is crossEntropy(linear()) in ${dtype} with chunks of ${chunk} rows`, () => {
      for (const [scale, upstream] of [[1, 1], [0.25, 1], [1, -3], [0.25, 8], [0, 1]] as const) {
        using _scope = new Scope();
        const targets = Tensor.ids(SOME_IGNORED);
        const expected = plainResults(dtype, targets, scale, upstream);
        const actual = results(dtype, upstream, (x, w) => linearCrossEntropy(x, w, targets, scale, chunk));
        for (const [i, what] of ["value", "gradient of x", "gradient of the weight"].entries()) {
          assertClose(
            actual[i]!,
            expected[i]!,
            TOLERANCE[dtype]!,
            `${what}, scale ${scale}, upstream ${upstream}`,
          );
        }
      }
    });
  }

  withFfi(`linearCrossEntropy() of ignored targets alone is 0, and so are its gradients, in ${dtype}`, () => {
    using _scope = new Scope();
    const zero = results(dtype, 1, (x, w) => linearCrossEntropy(x, w, Tensor.ids(ALL_IGNORED), 1, 4));
    for (const t of zero) assert.ok(t.toArray().every((element) => element === 0));
  });

  withFfi(`linearNll() is crossEntropy(linear()) of each row, and its argmax, in ${dtype}`, () => {
    using _scope = new Scope();
    const { x, weight } = inputs(dtype);
    const logits = linear(x, weight).detach();
    const each = SOME_IGNORED.map((target, i) =>
      crossEntropy(logits.slice(0, i, i + 1), Tensor.ids([target])).item()
    );
    const expected = Tensor.from(Float64Array.from(each));
    for (const chunk of CHUNKS) {
      const { nll, best } = linearNll(x, weight, Tensor.ids(SOME_IGNORED), chunk);
      assertClose(nll, expected, TOLERANCE[dtype]!);
      assertSameBits(best, logits.argmax(1));
    }
  });
}

withFfi("linearCrossEntropy() starts at the entropy of a uniform guess", () => {
  using _scope = new Scope();
  const value = linearCrossEntropy(
    normal([N, D], 1),
    Tensor.zeros([V, D], FLOAT32_CPU),
    Tensor.ids(SOME_IGNORED),
    1,
  );
  const valid = SOME_IGNORED.filter((target) => target >= 0).length;
  assertClose(value, Tensor.full([], valid * Math.log(V), FLOAT32_CPU), 1e-7);
});

withFfi("several losses on one input add up their gradients", () => {
  using _scope = new Scope();
  const { x, weight } = inputs("float32");
  const targets = Tensor.ids(SOME_IGNORED);
  const loss = (): Tensor => linearCrossEntropy(x, weight, targets, 1, 4);
  loss().backward();
  const [xGrad, weightGrad] = [x.grad.clone(), weight.grad.clone()];
  loss().add(loss()).backward();
  assertClose(x.grad, xGrad.scale(3), 1e-6);
  assertClose(weight.grad, weightGrad.scale(3), 1e-6);
});

withFfi("a logit that is not a number makes the loss so", () => {
  using _scope = new Scope();
  const x = normal([2, 1], 1);
  for (const bad of [NaN, Infinity, -Infinity]) {
    for (const at of [0, 4, 8, 9]) {
      const weight = Float32Array.from({ length: 10 }, (_, i) => i === at ? bad : i);
      const loss = linearCrossEntropy(x, Tensor.from(weight, [10, 1]), Tensor.ids([1, at]), 1);
      assert.ok(!Number.isFinite(loss.item()), `${bad} at ${at} gave ${loss.item()}`);
    }
  }
});

withFfi("a target that is no class is an error", () => {
  using _scope = new Scope();
  for (const dtype of ["float32", "float64"] as const) {
    const { x, weight } = inputs(dtype);
    const targets = Tensor.ids(SOME_IGNORED.with(3, V));
    assert.throws(() => linearCrossEntropy(x, weight, targets, 1, 4), TorchError);
    assert.throws(() => linearNll(x, weight, targets, 4), TorchError);
    assert.throws(() => crossEntropy(linear(x, weight), targets), TorchError);
  }
});

withFfi("shapes, dtypes and chunks that do not fit are errors", () => {
  using _scope = new Scope();
  const { x, weight } = inputs("float32");
  const targets = Tensor.ids(SOME_IGNORED);
  const refused: [Tensor, Tensor, Tensor, number][] = [
    [x, normal([V, D + 1], 1), targets, 4],
    [x, weight, targets.slice(0, 0, N - 1), 4],
    [x, weight, targets.to("int32", "cpu"), 4],
    [x, weight.to("float64", "cpu"), targets, 4],
    [x, weight, targets, 0],
  ];
  for (const [x, weight, targets, chunk] of refused) {
    assert.throws(() => linearCrossEntropy(x, weight, targets, 1, chunk), TorchError);
    assert.throws(() => linearNll(x, weight, targets, chunk), TorchError);
  }
});

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
        const actual = results(
          dtype,
          upstream,
          (x, w) => linearCrossEntropy(x, w, targets, scale, { chunk }),
        );
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
    const zero = results(
      dtype,
      1,
      (x, w) => linearCrossEntropy(x, w, Tensor.ids(ALL_IGNORED), 1, { chunk: 4 }),
    );
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

/** Sum over targets of the square of logsumexp, by ops whose gradients are libtorch's. */
function squaredLogSums(x: Tensor, weight: Tensor, targets: readonly number[]): Tensor {
  const logits = linear(x, weight);
  const rows = targets.flatMap((target, i) => target < 0 ? [] : [logits.slice(0, i, i + 1)]);
  return rows.map((row) => {
    const chosen = row.slice(1, 0, 1).reshape(); // logsumexp = NLL of class 0 + its logit
    const logSum = crossEntropy(row, Tensor.ids([0])).add(chosen);
    return logSum.mul(logSum);
  }).reduce((sum, term) => sum.add(term));
}

for (const dtype of ["float32", "float64"] as const) {
  withFfi(`zLoss adds z times the squared logsumexp of each target to the gradients, in ${dtype}`, () => {
    const [scale, zLoss] = [0.25, 0.3];
    for (const chunk of CHUNKS) {
      using _scope = new Scope();
      const targets = Tensor.ids(SOME_IGNORED);
      const expected = results(dtype, 2, (x, w) => {
        const nll = crossEntropy(linear(x, w), targets);
        return nll.add(squaredLogSums(x, w, SOME_IGNORED).scale(zLoss)).scale(scale);
      });
      const actual = results(dtype, 2, (x, w) => linearCrossEntropy(x, w, targets, scale, { chunk, zLoss }));
      assertClose(actual[1]!, expected[1]!, TOLERANCE[dtype]!, `gradient of x, chunks of ${chunk}`);
      assertClose(actual[2]!, expected[2]!, TOLERANCE[dtype]!, `gradient of the weight, chunks of ${chunk}`);
      const plain = results(dtype, 2, (x, w) => linearCrossEntropy(x, w, targets, scale, { chunk }));
      assertSameBits(actual[0]!, plain[0]!, "the value is the NLL's");
    }
  });
}

withFfi("linearCrossEntropy() gives what is frozen no gradient, and the rest the same bits", () => {
  using _scope = new Scope();
  const targets = Tensor.ids(SOME_IGNORED);
  const { x, weight } = inputs("float32");
  linearCrossEntropy(x, weight, targets, 1, { chunk: 4 }).backward();
  const [frozenX, frozenWeight] = [x.detach(), weight.detach()];
  const [moving, movingWeight] = [x.detach().requireGrad(), weight.detach().requireGrad()];
  linearCrossEntropy(moving, frozenWeight, targets, 1, { chunk: 4 }).backward();
  linearCrossEntropy(frozenX, movingWeight, targets, 1, { chunk: 4 }).backward();
  assertSameBits(moving.grad, x.grad);
  assertSameBits(movingWeight.grad, weight.grad);
  assert.equal(frozenX.hasGrad || frozenWeight.hasGrad, false);
});

withFfi("bfloat16 rows meet a float32 weight: sums and the weight's gradient stay float32", () => {
  using _scope = new Scope();
  const { x, weight } = inputs("float32");
  const rounded = x.detach().to("bfloat16", "cpu").requireGrad();
  const targets = Tensor.ids(SOME_IGNORED);
  const value = linearCrossEntropy(rounded, weight, targets, 0.25, { chunk: 4, zLoss: 0.01 });
  value.backward();
  const [plain, plainWeight] = [
    rounded.detach().to("float32", "cpu").requireGrad(),
    weight.detach().requireGrad(),
  ];
  const expected = linearCrossEntropy(plain, plainWeight, targets, 0.25, { zLoss: 0.01 });
  expected.backward();
  assert.deepEqual([value.dtype, rounded.grad.dtype, weight.grad.dtype], ["float32", "bfloat16", "float32"]);
  // Weights, logits and their gradients are rounded to 8 bits: 2^-9 each, over sums of D products.
  assertClose(value, expected, 0.02);
  assertClose(rounded.grad.to("float32", "cpu"), plain.grad, 0.02);
  assertClose(weight.grad, plainWeight.grad, 0.02);
  const nll = linearNll(rounded, weight, targets, 4);
  assert.equal(nll.nll.dtype, "float32");
  assertClose(nll.nll.sum().scale(0.25), value, 1e-5);
});

withFfi("the weight's gradient of bfloat16 rows is summed over the chunks in float32", () => {
  using _scope = new Scope();
  const rows = 2048; // equal ones: their sum stands still at 256 terms where it is rounded to 8 bits
  const weight = Tensor.zeros([4, 8], { dtype: "float32", device: "cpu" }).requireGrad();
  const x = Tensor.full([rows, 8], 1, { dtype: "bfloat16", device: "cpu" });
  const targets = Tensor.ids(Array.from({ length: rows }, () => 0));
  linearCrossEntropy(x, weight, targets, 1, { chunk: 1 }).backward();
  // Uniform guess: a quarter for each class, less one for the target.
  const expected = Array.from({ length: 32 }, (_, i) => rows * (i < 8 ? -0.75 : 0.25));
  assertClose(weight.grad, Tensor.from(Float32Array.from(expected), [4, 8]), 1e-3);
});

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
  const loss = (): Tensor => linearCrossEntropy(x, weight, targets, 1, { chunk: 4 });
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
    assert.throws(() => linearCrossEntropy(x, weight, targets, 1, { chunk: 4 }), TorchError);
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
    assert.throws(() => linearCrossEntropy(x, weight, targets, 1, { chunk }), TorchError);
    assert.throws(() => linearNll(x, weight, targets, chunk), TorchError);
  }
});

/**
 * Proves the float32 matrix products behind linear(): right at the edges of tiles, panels and blocks, on views, and with
 * gradients; and where our own tiles make them, that a row has the same bits alone, among others and on two threads.
 */
import { linear, noGrad, Scope, Tensor, versions } from "../../src/torch/mod.ts";
import { withFfi } from "../support.ts";
import { assertClose, assertSameBits, normal, wide, withThreads } from "./compare.ts";

/** Sums of `inner` products of normal numbers: the error grows with the root of their number, some units of 6e-8. */
const tolerance = (inner: number): number => 3e-7 * Math.sqrt(inner);

/** Compares linear() of rows x inner by outputs x inner, and its gradients, with float64. */
function checkLinear(x: Tensor, weight: Tensor, what: string): void {
  const [wideX, wideWeight] = [wide(x).requireGrad(), wide(weight).requireGrad()];
  x.requireGrad();
  weight.requireGrad();
  const [y, expected] = [linear(x, weight), linear(wideX, wideWeight)];
  const gradient = normal(y.shape, 9);
  y.backward(gradient);
  expected.backward(wide(gradient));
  const [rows, outputs, inner] = [y.shape[0]!, y.shape[1]!, x.shape[1]!];
  assertClose(y, expected, tolerance(inner), `${what}, output`);
  assertClose(x.grad, wideX.grad, tolerance(outputs), `${what}, gradient of x`);
  assertClose(weight.grad, wideWeight.grad, tolerance(rows), `${what}, gradient of the weight`);
}

// Tiles of 12 or 6 rows with rests of 4 and 1, panels of 32 or 16 columns, blocks of 96 rows and an inner length of 256,
// 1024 columns at a time.
const SIZES = [
  [1, 1, 1],
  [3, 2, 5],
  [11, 15, 3],
  [12, 16, 8],
  [13, 17, 255],
  [97, 33, 257],
  [100, 64, 31],
  [7, 1030, 6],
  [259, 50, 40],
] as const;

for (const [rows, outputs, inner] of SIZES) {
  withFfi(
    `linear() of ${rows} x ${inner} by ${outputs} x ${inner} agrees with float64, gradients too`,
    () => {
      using _scope = new Scope();
      const what = `${rows} x ${outputs} x ${inner}`;
      withThreads(1, () => checkLinear(normal([rows, inner], 1), normal([outputs, inner], 2), what));
    },
  );
}

withFfi("linear() follows views whose rows or columns do not lie in one piece", () => {
  using _scope = new Scope();
  const across = (rows: number, columns: number, seed: number): Tensor =>
    normal([columns, rows], seed).transpose(0, 1);
  const part = (rows: number, columns: number, seed: number): Tensor =>
    normal([2, rows, 2 * columns], seed).slice(0, 1, 2).slice(2, 0, columns).reshape(rows, columns);
  noGrad(() => {
    for (
      const [x, weight] of [
        [across(40, 30, 1), normal([20, 30], 2)],
        [normal([40, 30], 1), across(20, 30, 2)],
        [across(40, 30, 1), across(20, 30, 2)],
        [part(40, 30, 1), part(20, 30, 2)],
      ] as const
    ) assertClose(linear(x, weight), linear(wide(x), wide(weight)), tolerance(30));
  });
});

withFfi("linear() takes more dimensions, and a weight or an input that needs no gradient", () => {
  using _scope = new Scope();
  const [x, weight] = [normal([2, 3, 5, 8], 1), normal([4, 8], 2)];
  assertClose(linear(x, weight), linear(wide(x), wide(weight)), tolerance(8));
  const frozen = normal([4, 8], 2);
  const learning = normal([3, 8], 3).requireGrad();
  linear(learning, frozen).sum().backward();
  assertClose(
    learning.grad,
    Tensor.full([3, 4], 1, { dtype: "float32", device: "cpu" }).matmul(frozen),
    1e-6,
  );
});

withFfi("linear() and its gradients have the same bits on 1 and 2 threads, and for a row alone", () => {
  if (versions().products === "libtorch") return;
  using _scope = new Scope();
  const results = (threads: number): Tensor[] =>
    withThreads(threads, () => {
      const [x, weight] = [normal([301, 260], 1).requireGrad(), normal([150, 260], 2).requireGrad()];
      const y = linear(x, weight);
      y.backward(normal(y.shape, 3));
      return [y, x.grad, weight.grad];
    });
  const [one, two] = [results(1), results(2)];
  for (const [i, t] of one.entries()) assertSameBits(two[i]!, t);
  const alone = linear(normal([301, 260], 1).slice(0, 170, 171), normal([150, 260], 2));
  assertSameBits(alone, one[0]!.slice(0, 170, 171));
});

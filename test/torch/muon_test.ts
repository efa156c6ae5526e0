/** Proves Muon against PyTorch's own, and the exchange and the running mean of weights against what they should be. */
import assert from "node:assert/strict";
import {
  FLOAT32_CPU,
  gradNorm,
  lerp,
  muon,
  type MuonMatrix,
  type MuonOptions,
  type MuonState,
  Scope,
  swap,
  Tensor,
  TorchError,
} from "../../src/torch/mod.ts";
import { withPeers } from "../peers.ts";
import { withFfi } from "../support.ts";
import { assertClose, assertSameBits, normal } from "./compare.ts";

const OPTIONS: MuonOptions = { lr: 0.02, momentum: 0.95, decay: 0.1 };

/** Rows of the matrices in each parameter, and columns: wide, tall, square, and several sizes in one. */
const SHAPES: readonly (readonly [rows: readonly number[], columns: number])[] = [
  [[5], 9],
  [[12], 4],
  [[8, 4, 4], 8],
  [[5, 7], 9],
];

interface Trained extends MuonMatrix {
  readonly state: MuonState;
}

function trained(rows: readonly number[], columns: number, seed: number): Trained {
  const height = rows.reduce((sum, n) => sum + n);
  const parameter = normal([height, columns], seed).requireGrad();
  return {
    parameter,
    rows,
    state: { momentum: Tensor.zeros([height, columns], FLOAT32_CPU), step: Tensor.zeros([], FLOAT32_CPU) },
  };
}

const all = (): Trained[] => SHAPES.map(([rows, columns], i) => trained(rows, columns, i));

/** One step with gradients that `seed` decides; returns them. */
function step(matrices: readonly Trained[], seed: number, options = OPTIONS): Tensor[] {
  const gradients = matrices.map(({ parameter }, i) => normal(parameter.shape, 100 * seed + i));
  const parameters = matrices.map(({ parameter }) => parameter);
  for (const [i, parameter] of parameters.entries()) {
    if (parameter.hasGrad) parameter.grad.copy_(gradients[i]!);
    else parameter.backward(gradients[i]!);
  }
  muon(matrices, matrices.map(({ state }) => state), options, gradNorm(parameters));
  return gradients;
}

/** The matrices of a parameter, as rows of numbers. */
function matricesOf({ rows, parameter }: MuonMatrix, tensor: Tensor): number[][][] {
  const columns = parameter.shape[1]!;
  const numbers = tensor.toArray();
  let at = 0;
  return rows.map((height) => Array.from({ length: height }, () => numbers.slice(at, at += columns)));
}

withPeers(
  "muon() takes PyTorch's steps, for matrices of any form and for each one in a stack",
  async (python) => {
    using _scope = new Scope();
    const matrices = all();
    const weights = matrices.flatMap((m) => matricesOf(m, m.parameter));
    const gradients = Array.from({ length: 6 }, (_, s) => {
      const given = step(matrices, s + 1);
      return matrices.flatMap((m, i) => matricesOf(m, given[i]!));
    });
    const task = { ...OPTIONS, weights, gradients };
    const peer = JSON.parse(await python(["test/torch/plain_muon.py"], JSON.stringify(task)));
    const compare = (ours: number[][][], theirs: number[][][], what: string) => {
      for (const [i, matrix] of ours.entries()) {
        const flat = (numbers: number[][]) => Tensor.from(Float32Array.from(numbers.flat()));
        assertClose(flat(matrix), flat(theirs[i]!), 2e-5, `${what} ${i}`); // five cubic steps in float32
      }
    };
    compare(matrices.flatMap((m) => matricesOf(m, m.parameter)), peer.weights, "matrix");
    compare(matrices.flatMap((m) => matricesOf(m, m.state.momentum)), peer.means, "mean");
    assert.deepEqual(matrices.map(({ state }) => state.step.item()), [6, 6, 6, 6]);
  },
);

withFfi(
  "muon() moves each matrix by about lr * 0.2 a weight, whatever its gradient's size: AdamW's usual step",
  () => {
    using _scope = new Scope();
    for (const size of [1e-6, 1, 1e6]) {
      const matrix = trained([48], 64, 1);
      matrix.parameter.backward(normal([48, 64], 2).scale(size));
      const before = matrix.parameter.toArray();
      muon([matrix], [matrix.state], { ...OPTIONS, decay: 0 }, gradNorm([matrix.parameter]));
      const moves = matrix.parameter.toArray().map((x, i) => x - before[i]!);
      const rms = Math.hypot(...moves) / Math.sqrt(moves.length);
      // Singular values end between 0.7 and 1.2, and 48 of them of size 1 over 48 x 64 weights, times sqrt(64), are 1.
      assert.ok(rms > 0.02 * 0.2 * 0.7 && rms < 0.02 * 0.2 * 1.2, `gradients of ${size} moved by ${rms}`);
    }
  },
);

withFfi(
  "muon() changes nothing when the norm is not finite, and nothing but by decay without a gradient",
  () => {
    using _scope = new Scope();
    const matrices = all();
    step(matrices, 1);
    const held = () => matrices.flatMap(({ parameter, state }) => [parameter, state.momentum, state.step]);
    const before = held().map((tensor) => tensor.clone());
    for (const bad of [NaN, Infinity]) {
      matrices[0]!.parameter.grad.slice(0, 1, 2).copy_(Tensor.full([1, 9], bad, FLOAT32_CPU));
      const norm = gradNorm(matrices.map(({ parameter }) => parameter));
      muon(matrices, matrices.map(({ state }) => state), OPTIONS, norm);
      for (const [i, tensor] of held().entries()) assertSameBits(tensor, before[i]!, `after ${bad}`);
    }
    const idle = trained([3], 4, 9);
    const was = idle.parameter.detach().clone();
    idle.parameter.backward(Tensor.zeros([3, 4], FLOAT32_CPU));
    muon([idle], [idle.state], OPTIONS, gradNorm([idle.parameter]));
    assertClose(idle.parameter.detach(), was.scale(1 - 0.02 * 0.1), 1e-7);
  },
);

withFfi("muon() refuses parts that do not make up their parameter", () => {
  using _scope = new Scope();
  const matrix = { ...trained([5], 4, 1), rows: [2, 2] };
  matrix.parameter.backward(normal([5, 4], 2));
  const norm = gradNorm([matrix.parameter]);
  assert.throws(() => muon([matrix], [matrix.state], OPTIONS, norm), TorchError);
});

withFfi("lerp() moves means by a share of their way, and those that are there stay to the bit", () => {
  using _scope = new Scope();
  const [mean, value] = [normal([7], 1), normal([7], 2)];
  const [was, still] = [mean.toArray(), value.clone()];
  lerp([mean, still], [value, value], 0.25);
  const expected = value.toArray().map((v, i) => was[i]! + 0.25 * (v - was[i]!));
  assertClose(mean, Tensor.from(Float32Array.from(expected)), 1e-7);
  assertSameBits(still, value);
});

withFfi("swap() exchanges what tensors hold, and gradients go where they went", () => {
  using _scope = new Scope();
  const [parameter, other] = [normal([3, 2], 1).requireGrad(), normal([3, 2], 2)];
  const [a, b] = [parameter.detach().clone(), other.clone()];
  swap([parameter], [other]);
  assertSameBits(parameter.detach(), b);
  assertSameBits(other, a);
  parameter.mul(parameter).sum().backward();
  assertClose(parameter.grad, b.scale(2), 1e-7);
  swap([parameter], [other]);
  assertSameBits(parameter.detach(), a);
  assert.equal(parameter.requiresGrad && !other.requiresGrad, true);
  assert.throws(() => swap([parameter], [normal([2, 3], 1)]), TorchError);
});

withFfi("freeze() ends a leaf's gradients, requireGrad() begins them again", () => {
  using _scope = new Scope();
  const [x, w] = [normal([3], 1), normal([3], 2).requireGrad()];
  assert.equal(x.mul(w).requiresGrad, true);
  w.freeze();
  assert.equal(x.mul(w).requiresGrad, false);
  w.requireGrad();
  x.mul(w).sum().backward();
  assertSameBits(w.grad, x);
});

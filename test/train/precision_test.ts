/** Proves bf16 on the CPU: gradients as near to the truth as PyTorch's autocast has them, float32 where it matters. */
import assert from "node:assert/strict";
import { MtpModel } from "../../src/model/mod.ts";
import { cudaDevices, Scope, TorchError } from "../../src/torch/mod.ts";
import { choosePrecision } from "../../src/train/precision.ts";
import { lossScales } from "../../src/train/step.ts";
import type { Case, Result } from "../model/plain.ts";
import {
  countsOf,
  gradientsOf,
  someSequences,
  tensorsOf,
  tinyOptions,
  withNoise,
  withOneThread,
} from "../model/tiny.ts";
import { type Python, withPeers } from "../peers.ts";

const OPTIONS = { ...tinyOptions(), width: 32, ffn: 48, context: 24 };
const CASE: Case = { options: OPTIONS, ...someSequences(OPTIONS, 4), weights: [1, 0.5, 2], loss: "sum" };

/** Size of the difference over the size of what it should be, over all numbers of a tensor. */
function errorOf(actual: readonly number[], expected: readonly number[]): number {
  return Math.hypot(...actual.map((x, i) => x - expected[i]!)) / Math.hypot(...expected);
}

/** By PyTorch: in float64, and under its autocast. */
async function peerResults(python: Python): Promise<{ truth: Result; autocast: Result }> {
  const script = new URL("autocast_model.py", import.meta.url).pathname;
  return JSON.parse(await python(["-B", script], JSON.stringify(CASE)));
}

/** Losses by head and gradients by parameter, in the given precision. */
function ours(compute: "float32" | "bfloat16", plain = CASE) {
  using model = withNoise(new MtpModel(plain.options, 1, "cpu", compute));
  using _scope = new Scope();
  const scales = lossScales(plain, countsOf(plain));
  const terms = model.backward(tensorsOf(plain), scales).map((term) => term!);
  assert.deepEqual(new Set(terms.map(({ dtype }) => dtype)), new Set(["float32"]));
  for (const parameter of model.parameters.tensors()) {
    assert.deepEqual([parameter.dtype, parameter.grad.dtype], ["float32", "float32"]);
  }
  const losses = terms.map((term, i) => term.item() / plain.weights[i]!);
  return { losses, gradients: gradientsOf(model) };
}

withPeers(
  "bf16 is as near to the truth as autocast: losses and the gradient of every parameter",
  async (python) => {
    const { truth, autocast } = await peerResults(python);
    const { losses, gradients } = ours("bfloat16");
    for (const [i, loss] of losses.entries()) {
      assert.ok(
        Math.abs(loss / truth.losses[i]! - 1) < 0.01,
        `head ${i + 1}: ${loss}, expected ${truth.losses[i]}`,
      );
    }
    for (const [name, expected] of Object.entries(truth.gradients)) {
      const [found, peer] = [
        errorOf(gradients.get(name)!, expected!),
        errorOf(autocast.gradients[name]!, expected!),
      ];
      // The residual stream is bfloat16 here and float32 under autocast. Both round some hundred times by up to 2^-9.
      assert.ok(found < Math.max(0.02, 2.5 * peer), `${name}: off by ${found}, autocast by ${peer}`);
    }
  },
);

for (const kind of ["linear", "transformer", "residual", "sequential"] as const) {
  withOneThread(`bf16 differs from fp32, and not by much, with ${kind} heads`, () => {
    const options = { ...OPTIONS, layers: 4, tied: kind === "residual", heads: { kind, count: 3 } };
    const plain = { ...CASE, options };
    const [exact, rounded] = [ours("float32", plain), ours("bfloat16", plain)];
    for (const [i, loss] of rounded.losses.entries()) assert.ok(Math.abs(loss / exact.losses[i]! - 1) < 0.02);
    for (const [name, gradient] of exact.gradients) {
      const error = errorOf(rounded.gradients.get(name)!, gradient!);
      assert.ok(error > 1e-4 && error < 0.15, `${name}: ${error}`);
    }
  });
}

withOneThread("choosePrecision() says what it chose, and why", () => {
  assert.deepEqual(choosePrecision("auto", "cpu"), { compute: "float32", inWords: "precision: fp32 (cpu)" });
  assert.deepEqual(choosePrecision("bf16", "cpu"), {
    compute: "bfloat16",
    inWords: "precision: bf16 (asked for), float32 weights and optimizer state",
  });
  assert.deepEqual(choosePrecision("fp32", "cuda:0"), {
    compute: "float32",
    inWords: "precision: fp32 (asked for), TF32 off",
  });
});

withOneThread("choosePrecision() asks the driver about a GPU, and says so where there is none", () => {
  if (cudaDevices() > 0) {
    assert.match(choosePrecision("auto", "cuda:0").inWords, /^precision: \w+ \(.+ has (it|no bf16)\)/);
  } else assert.throws(() => choosePrecision("auto", "cuda:0"), TorchError);
});

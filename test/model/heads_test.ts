/**
 * Proves the kinds of heads: scores, losses and gradients equal those of the same model written plainly in PyTorch, the
 * blocks' activations may be made anew to the same bits, and a frozen trunk is left as it is.
 */
import assert from "node:assert/strict";
import { flopsPerToken } from "../../src/model/account.ts";
import { Block } from "../../src/model/block.ts";
import { HEAD_KINDS, type HeadKind, type ModelOptions, MtpModel, shapeOf } from "../../src/model/mod.ts";
import { Scope } from "../../src/torch/mod.ts";
import { lossScales } from "../../src/train/step.ts";
import { withPeers } from "../peers.ts";
import { assertNear, type Case, compareWithPlain, plainResults } from "./plain.ts";
import {
  type Changes,
  countsOf,
  gradientsOf,
  noise,
  someIds,
  tensorsOf,
  tinyOptions,
  withNoise,
  withOneThread,
} from "./tiny.ts";

/** Options with four layers, of which `transformer` heads leave one or more. */
function optionsOf(
  kind: HeadKind,
  { K = 3, layers = 1, ...changes }: Changes & { layers?: number } = {},
): ModelOptions {
  const heads = { kind, count: K, ...(kind === "residual" && { layers }) };
  return { ...tinyOptions(changes), layers: 4, heads };
}

/**
 * Sequences cut from a stream of documents, as training cuts them: a target is there where it belongs to the document
 * of its position, and what follows the last position is in `stream` only.
 */
function fromStream(
  options: ModelOptions,
  rows: number,
): Pick<Case, "ids" | "targets"> & { stream: number[][] } {
  const { vocab, context: T, heads: { count: K } } = options;
  const stream = Array.from({ length: rows }, (_, b) => someIds(`stream/${b}`, T + K, vocab));
  // The last document of each row ends a little before, at, or behind the row's end.
  const documentAt = (b: number, t: number) => t < 4 ? 0 : t < T - 3 + 2 * b ? 1 : 2;
  const targets = Array.from(
    { length: K },
    (_, k) =>
      stream.map((row, b) =>
        Array.from(
          { length: T },
          (_, t) => documentAt(b, t) === documentAt(b, t + k + 1) ? row[t + k + 1]! : -1,
        )
      ),
  );
  return { ids: stream.map((row) => row.slice(0, T)), targets, stream };
}

const caseOf = (options: ModelOptions, weights: number[], loss: "sum" | "mean" = "sum") => ({
  options,
  weights,
  loss,
  ...fromStream(options, 3),
});

const CASES = [
  caseOf(optionsOf("transformer"), [1, 1, 1]),
  caseOf(optionsOf("transformer", { K: 1 }), [1]),
  caseOf(optionsOf("transformer", { tied: true }), [1, 0, 0.5], "mean"),
  caseOf(optionsOf("transformer", { K: 2, kv_heads: 1 }), [0, 1]),
  caseOf(optionsOf("residual"), [1, 1, 1]),
  caseOf(optionsOf("residual", { layers: 2, tied: true }), [1, 0.5, 0.25], "mean"),
  caseOf(optionsOf("residual", { K: 4 }), [1, 0, 0, 2]),
  caseOf(optionsOf("sequential"), [1, 1, 1]),
  caseOf(optionsOf("sequential", { K: 1 }), [1]),
  caseOf(optionsOf("sequential", { K: 4, tied: true }), [1, 0.3, 0.3, 0.3]),
  caseOf(optionsOf("sequential", { K: 4 }), [1, 1, 0, 0], "mean"),
  caseOf(optionsOf("sequential"), [1, 0, 1]), // module 2 runs for head 3, and learns from it
];

withPeers("heads of every kind equal PyTorch's: weights, tied, grouped queries", async (python) => {
  const results = await plainResults(python, CASES);
  for (const [n, result] of results.entries()) compareWithPlain(CASES[n]!, result);
  assert.ok(results.at(-1)!.gradients["heads.2.qkv"] !== null);
  for (const [n, { forward_flops }] of results.entries()) {
    const { options, ids } = CASES[n]!;
    const tokens = ids.length * options.context;
    assert.equal(
      forward_flops,
      flopsPerToken(shapeOf(options), options.heads.count) / 3 * tokens,
      `case ${n}`,
    );
  }
});

/** A model of size-1 numbers, its sequences, and the scales of heads that are all awake. */
function prepared(kind: HeadKind, changes: Changes = {}) {
  const options = optionsOf(kind, changes);
  const plain = caseOf(options, Array.from({ length: options.heads.count }, () => 1));
  const model = withNoise(new MtpModel(options, 1, "cpu"));
  return { model, plain, scales: lossScales(plain, countsOf(plain)) };
}

for (const kind of HEAD_KINDS) {
  withOneThread(`recompute gives the same bits as kept activations, with ${kind} heads`, () => {
    for (const tied of [false, true]) {
      const { model: kept, plain, scales } = prepared(kind, { tied });
      const { model: anew } = prepared(kind, { tied });
      using _models = new DisposableStack();
      _models.use(kept), _models.use(anew);
      using _scope = new Scope();
      for (const _ of [1, 2]) { // the second time adds to gradients
        const terms = kept.backward(tensorsOf(plain), scales).map((term) => term!.item());
        const again = anew.backward(tensorsOf(plain), scales, { recompute: true }).map((term) =>
          term!.item()
        );
        assert.deepEqual(again, terms);
      }
      assert.deepEqual(gradientsOf(anew), gradientsOf(kept));
    }
  });

  withOneThread(`recompute keeps no graph of a block, and runs each again, with ${kind} heads`, () => {
    const { model, plain, scales } = prepared(kind);
    using _model = model;
    using _scope = new Scope();
    const { forward } = Block.prototype;
    let graphs: boolean[] = [];
    Block.prototype.forward = function (...given) {
      const output = forward.apply(this, given);
      graphs.push(output.requiresGrad);
      return output;
    };
    try {
      model.backward(tensorsOf(plain), scales);
      assert.ok(graphs.length > 0 && graphs.every((is) => is), "kept");
      // `transformer` heads are one block each, whose graph goes before the next one's is made.
      const [alone, before] = [kind === "transformer" ? 3 : 0, graphs.length];
      graphs = [];
      model.backward(tensorsOf(plain), scales, { recompute: true });
      const [first, again] = [graphs.filter((is) => !is).length, graphs.filter((is) => is).length];
      assert.deepEqual([first, again], [before - alone, before]);
    } finally {
      Block.prototype.forward = forward;
    }
  });

  withOneThread(`a frozen trunk gets no gradient, and ${kind} heads those that they get anyway`, () => {
    for (const tied of [false, true]) {
      const { model: free, plain, scales } = prepared(kind, { tied });
      const { model: frozen } = prepared(kind, { tied });
      using _models = new DisposableStack();
      _models.use(free), _models.use(frozen);
      using _scope = new Scope();
      const terms = free.backward(tensorsOf(plain), scales).map((term) => term!.item());
      for (const [name, tensor] of frozen.parameters.entries()) {
        if (!name.startsWith("heads.")) tensor.freeze();
      }
      const again = frozen.backward(tensorsOf(plain), scales);
      assert.deepEqual(again.map((term) => term!.item()), terms);
      const expected = gradientsOf(free);
      for (const [name, gradient] of gradientsOf(frozen)) {
        assert.deepEqual(gradient, name.startsWith("heads.") ? expected.get(name) : null, name);
      }
    }
  });

  withOneThread(`backward() of ${kind} heads gives what finite differences give`, () => {
    const { model, plain, scales } = prepared(kind, { K: 2 });
    using _model = model;
    using _scope = new Scope();
    const objective = () =>
      model.score(tensorsOf(plain)).reduce(
        (sum, { nll }, i) => sum + scales[i]! * nll.toArray().reduce((a, b) => a + b, 0),
        0,
      );
    model.backward(tensorsOf(plain), scales);
    const gradients = gradientsOf(model);
    for (const [name, tensor] of model.parameters.entries()) {
      // One direction for each parameter: noise of size 1; the difference is exact to the step's square.
      const before = tensor.toArray();
      const direction = before.map((_, i) => noise(`direction/${name}`, i));
      const at = (step: number) => {
        const moved = Float32Array.from(before, (x, i) => x + step * direction[i]!);
        tensor.copyBytes_(new Uint8Array(moved.buffer));
        return objective();
      };
      const step = 1 / 256;
      const slope = (at(step) - at(-step)) / (2 * step);
      at(0);
      const expected = gradients.get(name)!.reduce((sum, g, i) => sum + g * direction[i]!, 0);
      const size = Math.hypot(...gradients.get(name)!) * Math.hypot(...direction);
      assert.ok(Math.abs(slope - expected) < 0.01 * size, `${name}: ${slope}, expected ${expected}`);
    }
  });

  withOneThread(`bfloat16 activations give about the same gradients, in float32, with ${kind} heads`, () => {
    const { model: exact, plain, scales } = prepared(kind);
    using rounded = withNoise(new MtpModel(exact.options, 1, "cpu", "bfloat16"));
    using _exact = exact;
    using _scope = new Scope();
    for (const model of [exact, rounded]) model.backward(tensorsOf(plain), scales);
    const expected = gradientsOf(exact);
    for (const [name, gradient] of gradientsOf(rounded)) {
      using grad = rounded.parameters.get(name).grad;
      assert.equal(grad.dtype, "float32");
      const off = Math.hypot(...gradient!.map((x, i) => x - expected.get(name)![i]!));
      const size = Math.hypot(...expected.get(name)!);
      assert.ok(off < 0.05 * size, `${name} is off by ${off / size} of its size`);
    }
    for (const { nll } of rounded.score(tensorsOf(plain))) assert.ok(nll.toArray().every(Number.isFinite));
  });

  withOneThread(`a head without a weight costs no gradient, with ${kind} heads`, () => {
    const { model, plain, scales } = prepared(kind);
    using _model = model;
    using _scope = new Scope();
    const terms = model.backward(tensorsOf(plain), [scales[0]!, 0, 0]);
    assert.deepEqual(terms.slice(1), [null, null]);
    for (const [name, gradient] of gradientsOf(model)) {
      assert.equal(gradient === null, /^heads\.[23]/.test(name), name);
    }
    model.backward(tensorsOf(plain), [0, 0, 0]);
  });
}

withOneThread("a model with one head is the plain model of the same layers, whatever the kind", () => {
  const plain = caseOf(optionsOf("linear", { K: 1 }), [1]);
  using linear = withNoise(new MtpModel(plain.options, 1, "cpu"));
  for (const kind of ["transformer", "residual", "sequential"] as const) {
    using model = new MtpModel(optionsOf(kind, { K: 1 }), 1, "cpu");
    using _scope = new Scope();
    const [expected] = linear.score(tensorsOf(plain));
    assert.equal(model.parameters.tensors().length, linear.parameters.tensors().length, kind);
    for (const [name, tensor] of model.parameters.entries()) {
      const counterpart = name.replace("unembedding", "heads.1").replace(/^heads\.1\./, "blocks.3.");
      tensor.copy_(linear.parameters.get(counterpart));
    }
    const [actual] = model.score(tensorsOf(plain));
    assertNear(actual!.nll.toArray(), expected!.nll.toArray(), kind);
  }
});

withOneThread("transformer heads take no more parameters than a model with one head", () => {
  const sizes = [1, 2, 3].map((K) => {
    using model = new MtpModel(optionsOf("transformer", { K }), 1, "cpu");
    return model.parameters.tensors().reduce((sum, tensor) => sum + tensor.size, 0);
  });
  assert.deepEqual(sizes, [sizes[0], sizes[0], sizes[0]]);
});

withOneThread("copyHead() gives a head the weights of its neighbour", () => {
  const copied = (kind: HeadKind, to: number, tied = false) => {
    using model = withNoise(new MtpModel(optionsOf(kind, { tied }), 1, "cpu"));
    const before = new Map(model.parameters.entries().map(([name, tensor]) => [name, tensor.toArray()]));
    model.copyHead(to);
    return model.parameters.entries().flatMap(([name, tensor]) => {
      const now = String(tensor.toArray());
      if (now === String(before.get(name))) return [];
      const source = [...before].find(([, values]) => String(values) === now);
      return [`${name} from ${source?.[0]}`];
    });
  };
  assert.deepEqual(copied("linear", 2), ["heads.2 from heads.1"]);
  assert.deepEqual(copied("linear", 3), ["heads.3 from heads.2"]);
  assert.deepEqual(copied("linear", 2, true), ["heads.2 from embedding"]);
  assert.deepEqual(copied("residual", 2), ["heads.2 from heads.1"]);
  assert.deepEqual(copied("residual", 3), ["heads.3.blocks.0 from heads.2.blocks.0", "heads.3 from heads.2"]);
  assert.equal(copied("transformer", 2).length, 6);
  assert.deepEqual(copied("sequential", 2), []);
  assert.equal(copied("sequential", 3).length, 9);
});

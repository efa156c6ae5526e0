/**
 * Proves the model: logits, losses and gradients equal those of the same model written plainly in PyTorch
 * (plain_model.py; its results for three cases are committed), and the head-by-head backward pass equals autograd's on
 * the whole graph. Every test ends with the live tensors that it began with.
 */
import assert from "node:assert/strict";
import { type ModelOptions, MtpModel, shapeOf } from "../../src/model/mod.ts";
import { crossEntropy, linear, noGrad, Scope, Tensor } from "../../src/torch/mod.ts";
import { lossScales } from "../../src/train/step.ts";
import { withPeers } from "../peers.ts";
import { assertNear, type Case, compareWithPlain, plainResults, type Result } from "./plain.ts";
import {
  countsOf,
  gradientsOf,
  type PlainSequences,
  someSequences,
  tensorsOf,
  tinyModel,
  tinyOptions,
  withOneThread,
} from "./tiny.ts";

for (const [n, what] of ["all heads", "weights, a sleeping head, the mean", "tied, one key head"].entries()) {
  withOneThread(`the model equals PyTorch's in the committed case of ${what}`, () => {
    const path = new URL("../golden/mtp.json", import.meta.url);
    const golden: { case: Case; result: Result }[] = JSON.parse(Deno.readTextFileSync(path));
    compareWithPlain(golden[n]!.case, golden[n]!.result);
  });
}

const CASES: readonly Case[] = [
  ...[1, 2, 3, 4].map((K) => makeCase(tinyOptions({ K }), Array.from({ length: K }, () => 1))),
  makeCase(tinyOptions(), [1, 0, 0]),
  makeCase(tinyOptions(), [0, 1, 0]),
  makeCase(tinyOptions({ K: 4 }), [1, 0, 0.25, 3]),
  makeCase(tinyOptions({ K: 4 }), [1, 1, 1, 0], "mean"),
  makeCase(tinyOptions({ K: 2 }), [0.3, 2], "mean"),
  makeCase(tinyOptions({ tied: true }), [1, 1, 1]),
  makeCase(tinyOptions({ tied: true }), [0, 0, 1]),
  makeCase(tinyOptions({ kv_heads: 1 }), [1, 1, 1]),
  makeCase(tinyOptions({ kv_heads: 4, rope_theta: 10_000 }), [1, 1, 1]),
  makeCase(tinyOptions({ attention_heads: 1, kv_heads: 1, layers: 1, norm_eps: 0.1 }), [1, 1, 1]),
];

function makeCase(options: ModelOptions, weights: number[], loss: "sum" | "mean" = "sum"): Case {
  return { options, weights, loss, ...someSequences(options, 3) };
}

withPeers("the model equals PyTorch's: heads, weights, tied, grouped queries", async (python) => {
  const results = await plainResults(python, CASES);
  for (const [n, result] of results.entries()) compareWithPlain(CASES[n]!, result);
});

withOneThread("backward() gives the gradients that autograd gives for the whole graph", () => {
  for (const scales of [[0.1, 0.2, 0.3], [0.5, 0, 0.01], [0, 0, 1], [0.1, 0, 0]]) {
    for (const tied of [false, true]) {
      using model = tinyModel({ tied });
      using naive = tinyModel({ tied });
      using _scope = new Scope();
      const sequences = tensorsOf(someSequences(model.shape, 2));
      model.backward(sequences, scales);
      const ours = gradientsOf(model);

      const z_PD = naive.trunk(sequences.inputs).reshape(-1, naive.shape.width);
      const terms = scales.flatMap((scale, i) => {
        if (scale === 0) return [];
        const head = naive.parameters.get(i === 0 && tied ? "embedding" : `heads.${i + 1}`);
        const targets = sequences.targets.slice(0, i, i + 1).reshape(-1);
        return [crossEntropy(linear(z_PD, head), targets).scale(scale)];
      });
      terms.reduce((sum, term) => sum.add(term)).backward();
      for (const [name, expected] of gradientsOf(naive)) {
        if (expected === null) assert.equal(ours.get(name), null, name);
        else assertNear(ours.get(name) ?? [], expected, `${name} with scales ${scales}`);
      }
    }
  }
});

withOneThread("backward() adds to the gradients that are there", () => {
  using model = tinyModel();
  using other = tinyModel();
  using _scope = new Scope();
  const [all, scales] = [someSequences(model.shape, 2), [0.1, 0.2, 0.3]];
  const rows = (from: number, to: number): PlainSequences => ({
    ids: all.ids.slice(from, to),
    targets: all.targets.map((head) => head.slice(from, to)),
  });
  for (const part of [rows(0, 1), rows(1, 2)]) model.backward(tensorsOf(part), scales);
  const inParts = gradientsOf(model);
  other.backward(tensorsOf(all), scales);
  for (const [name, expected] of gradientsOf(other)) assertNear(inParts.get(name)!, expected!, name);
});

withOneThread("a head of scale 0 is not run: no term, no gradient; without any head nothing gets one", () => {
  using model = tinyModel();
  using _scope = new Scope();
  const sequences = tensorsOf(someSequences(model.shape, 2));
  assert.deepEqual(model.backward(sequences, [0, 0, 0]), [null, null, null]);
  assert.deepEqual([...gradientsOf(model).values()].filter((gradient) => gradient !== null), []);

  const terms = model.backward(sequences, [0.1, 0, 0.1]);
  assert.deepEqual(terms.map((term) => term === null), [false, true, false]);
  const asleep = [...gradientsOf(model)].flatMap(([name, gradient]) => gradient === null ? [name] : []);
  assert.deepEqual(asleep, ["heads.2"]);
});

withOneThread("every head starts close to the entropy of a uniform guess", () => {
  const options = tinyOptions({ vocab: 320, K: 4 });
  using model = new MtpModel(options, 1337, "cpu");
  using _scope = new Scope();
  const plain = someSequences(options, 4);
  const scales = lossScales({ weights: [1, 1, 1, 1], loss: "sum" }, countsOf(plain));
  for (const term of model.backward(tensorsOf(plain), scales)) {
    const off = Math.abs(term!.item() - Math.log(320));
    assert.ok(off < 0.02, `${term!.item()} nats, expected about ${Math.log(320)}`); // logits have a deviation of 0.08
  }
});

withOneThread(
  "the same seed gives the same trunk and the same first heads whatever K is, another seed others",
  () => {
    using one = new MtpModel(tinyOptions({ K: 1 }), 7, "cpu");
    using four = new MtpModel(tinyOptions({ K: 4 }), 7, "cpu");
    using other = new MtpModel(tinyOptions({ K: 1 }), 8, "cpu");
    for (const [name, tensor] of one.parameters.entries()) {
      const bytes = tensor.toBytes();
      assert.deepEqual(four.parameters.get(name).toBytes(), bytes, name);
      if (tensor.shape.length > 1) assert.notDeepEqual(other.parameters.get(name).toBytes(), bytes, name);
    }
    const distinct = new Set(
      four.parameters.entries().map(([, tensor]) => tensor.toArray().slice(0, 4).join()),
    );
    const norms = 2 * four.shape.layers + 1; // all of them ones
    assert.equal(distinct.size, four.parameters.entries().length - norms + 1, "two matrices are alike");
  },
);

withOneThread("a model has one matrix a head, less the first where it is tied", () => {
  const names = (tied: boolean): string[] => {
    using model = new MtpModel(tinyOptions({ tied }), 1, "cpu");
    return model.parameters.entries().map(([name]) => name).filter((name) => name.startsWith("heads"));
  };
  assert.deepEqual(names(false), ["heads.1", "heads.2", "heads.3"]);
  assert.deepEqual(names(true), ["heads.2", "heads.3"]);
});

withOneThread("a position does not see what comes after it", () => {
  using model = tinyModel();
  using _scope = new Scope();
  const { vocab, context, width } = model.shape;
  const [ids] = someSequences(model.shape, 1).ids;
  const output = (ids: number[]) =>
    noGrad(() => model.trunk(Tensor.ids(ids, [1, context])).reshape(context, width));
  const before = output(ids!);
  for (const changed of [0, 5, context - 1]) {
    const after = output(ids!.with(changed, (ids![changed]! + 1) % vocab));
    const row = (z_TD: Tensor, t: number) => z_TD.slice(0, t, t + 1).toArray();
    for (let t = 0; t < changed; t++) assert.deepEqual(row(after, t), row(before, t), `position ${t}`);
    assert.notDeepEqual(row(after, changed), row(before, changed));
  }
});

withOneThread(
  "score() gives the NLL of every target and the first choice of every head, and no graph",
  () => {
    using model = tinyModel();
    using _scope = new Scope();
    const plain = someSequences(model.shape, 2);
    const sequences = tensorsOf(plain);
    const z_PD = noGrad(() => model.trunk(sequences.inputs).reshape(-1, model.shape.width));
    model.score(sequences).forEach(({ nll, best }, i) => {
      const logits_PV = noGrad(() => linear(z_PD, model.parameters.get(`heads.${i + 1}`)));
      assert.deepEqual(best.toArray(), logits_PV.argmax(1).toArray());
      const expected = plain.targets[i]!.flat().map((target, p) =>
        crossEntropy(logits_PV.slice(0, p, p + 1), Tensor.ids([target])).item()
      );
      assertNear(nll.toArray(), expected, `NLL of head ${i + 1}`);
    });
    assert.ok(model.parameters.tensors().every((tensor) => !tensor.hasGrad));
  },
);

Deno.test("shapeOf() names the constraint that sizes break", () => {
  const broken = (changes: Partial<ModelOptions>) => () => shapeOf({ ...tinyOptions(), ...changes });
  assert.throws(broken({ width: 18 }), {
    name: "RangeError",
    message: "width 18 is not a multiple of 4 attention heads",
  });
  assert.throws(broken({ kv_heads: 3 }), {
    name: "RangeError",
    message: "4 attention heads are not a multiple of 3 key and value heads",
  });
  assert.throws(broken({ width: 12 }), {
    name: "RangeError",
    message: "rotary positions need an even head width, not 3",
  });
  assert.equal(shapeOf(tinyOptions()).headWidth, 4);
  assert.equal(shapeOf(tinyOptions()).projections, 8);
});

withOneThread(
  "sizes that do not fit leave no tensor behind, and neither do parameters inside a scope",
  () => {
    assert.throws(() => new MtpModel(tinyOptions({ width: 18 }), 1, "cpu"), RangeError);
    using _scope = new Scope();
    assert.throws(() => new MtpModel(tinyOptions(), 1, "cpu"), /Parameter embedding would go with the scope/);
  },
);

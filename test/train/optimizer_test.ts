/** Proves who is trained: sleeping heads stand still to the bit, only matrices decay, and no bad step changes anything. */
import assert from "node:assert/strict";
import { MtpModel, Parameters } from "../../src/model/mod.ts";
import { FLOAT32_CPU, Scope, Tensor } from "../../src/torch/mod.ts";
import { Optimizer, type OptimizerOptions } from "../../src/train/optimizer.ts";
import { someSequences, tensorsOf, tinyOptions, withOneThread } from "../model/tiny.ts";

const OPTIONS: OptimizerOptions = { beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: 0.1, clip: 1 };
const LR = 0.01;

/** Bytes by name. */
type Snapshot = Map<string, Uint8Array>;

const snapshot = (entries: [string, Tensor][]): Snapshot =>
  new Map(entries.map(([name, tensor]) => [name, tensor.toBytes()]));

/** Names of what is not the same any more; what is new counts. */
const changed = (before: Snapshot, after: Snapshot): string[] =>
  [...after].filter(([name, bytes]) => String(before.get(name)) !== String(bytes)).map(([name]) => name);

/** A model and its optimizer. */
class Training implements Disposable {
  readonly model: MtpModel;
  readonly optimizer: Optimizer;

  constructor(changes: { readonly tied?: boolean } = {}, options: Partial<OptimizerOptions> = {}) {
    this.model = new MtpModel(tinyOptions(changes), 1, "cpu");
    this.optimizer = new Optimizer(this.model.parameters, { ...OPTIONS, ...options });
  }

  /** Gradients from the text that `name` decides, then a step; returns the norm. */
  step(name: string, scales: readonly number[], lr = LR): number {
    using _scope = new Scope();
    this.model.backward(tensorsOf(someSequences(this.model.shape, 2, name)), scales);
    return this.optimizer.step(lr).item();
  }

  /** Bytes of parameters, moments and counters. */
  get state(): Snapshot {
    return snapshot([...this.model.parameters.entries(), ...this.optimizer.entries()]);
  }

  /** Steps that a parameter has taken; undefined before its first. */
  steps(name: string): number | undefined {
    return this.optimizer.entries().find(([entry]) => entry === `${name}.step`)?.[1].item();
  }

  [Symbol.dispose](): void {
    this.optimizer[Symbol.dispose]();
    this.model[Symbol.dispose]();
  }
}

withOneThread("a head that never was awake has its first weights and no state at all", () => {
  using training = new Training();
  const before = training.state;
  for (const name of ["a", "b", "c"]) training.step(name, [0.02, 0, 0.02]);
  assert.deepEqual(training.state.get("heads.2"), before.get("heads.2"));
  const known = new Set(
    training.optimizer.entries().map(([name]) => name.replace(/\.(mean|square|step)$/, "")),
  );
  const all = training.model.parameters.entries().map(([name]) => name);
  assert.deepEqual([...known].sort(), all.filter((name) => name !== "heads.2").sort());
});

withOneThread(
  "a head that falls asleep keeps its weights, moments and counter to the bit, then goes on",
  () => {
    using training = new Training();
    for (const name of ["a", "b"]) training.step(name, [0.02, 0.02, 0.02]);
    const before = training.state;
    for (const name of ["c", "d", "e"]) training.step(name, [0.02, 0, 0.02]);
    const others = [...before.keys()].filter((name) => !name.startsWith("heads.2"));
    assert.deepEqual(changed(before, training.state).sort(), others.sort());
    assert.equal(training.steps("heads.2"), 2);
    assert.equal(training.steps("heads.1"), 5);

    training.step("f", [0.02, 0.02, 0.02]);
    assert.equal(training.steps("heads.2"), 3);
    assert.equal(training.steps("heads.1"), 6);
    const awake = changed(before, training.state).filter((name) => name.startsWith("heads.2"));
    assert.deepEqual(awake, ["heads.2", "heads.2.mean", "heads.2.square", "heads.2.step"]);
  },
);

withOneThread(
  "the first step of a head that wakes late is a first step: its bias is corrected by its own counter",
  () => {
    using late = new Training();
    for (const name of ["a", "b", "c"]) late.step(name, [0.02, 0, 0.02]);
    using fresh = new Training();
    for (const [name, tensor] of late.model.parameters.entries()) {
      fresh.model.parameters.get(name).copyBytes_(tensor.toBytes());
    }
    for (const training of [late, fresh]) training.step("d", [0.02, 0.02, 0.02]);
    for (const name of ["heads.2", "heads.2.mean", "heads.2.square", "heads.2.step"]) {
      assert.deepEqual(late.state.get(name), fresh.state.get(name), name);
    }
    assert.notDeepEqual(late.state.get("heads.1"), fresh.state.get("heads.1"));
  },
);

withOneThread("a tied matrix is one parameter with one state, and trains while head 1 sleeps", () => {
  using training = new Training({ tied: true });
  const before = training.state;
  training.step("a", [0, 0.02, 0]);
  assert.equal(training.steps("embedding"), 1);
  assert.notDeepEqual(training.state.get("embedding"), before.get("embedding"));
});

withOneThread("step() forgets the gradients", () => {
  using training = new Training();
  training.step("a", [0.02, 0.02, 0.02]);
  assert.ok(training.model.parameters.tensors().every((tensor) => !tensor.hasGrad));
});

/** A matrix and a vector whose gradients are `value` everywhere. */
function pair(value: number): Parameters {
  const parameters = new Parameters("cpu", 1);
  parameters.normal("matrix", [3, 4], 1);
  parameters.ones("vector", 4);
  using _scope = new Scope();
  for (const tensor of parameters.tensors()) tensor.backward(Tensor.full(tensor.shape, value, FLOAT32_CPU));
  return parameters;
}

withOneThread("decay shrinks matrices and leaves vectors alone", () => {
  using parameters = pair(0); // without gradients AdamW does nothing but decay
  const [matrix, vector] = parameters.tensors().map((tensor) => tensor.toArray());
  using optimizer = new Optimizer(parameters, { ...OPTIONS, weight_decay: 0.5 });
  using _norm = optimizer.step(0.1);
  const shrunk = parameters.get("matrix").toArray();
  matrix!.forEach((x, i) => assert.ok(Math.abs(shrunk[i]! - 0.95 * x) < 1e-7));
  assert.deepEqual(parameters.get("vector").toArray(), vector);
});

withOneThread("the norm is that of all gradients together, before they are clipped", () => {
  const step = (clip: number): { norm: number; mean: number } => {
    using parameters = pair(3);
    using optimizer = new Optimizer(parameters, { ...OPTIONS, clip });
    using norm = optimizer.step(LR);
    const [, mean] = optimizer.entries().find(([name]) => name === "vector.mean")!;
    return { norm: norm.item(), mean: mean.toArray()[0]! };
  };
  const norm = 3 * Math.sqrt(16); // 12 numbers in the matrix, 4 in the vector
  for (const [clip, factor] of [[0, 1], [100, 1], [6, 0.5], [1, 1 / 12]] as const) {
    const { norm: found, mean } = step(clip);
    assert.ok(Math.abs(found - norm) < 1e-5, `norm ${found}`);
    assert.ok(Math.abs(mean - 0.1 * 3 * factor) < 1e-6, `clip ${clip}: mean ${mean}`);
  }
});

for (const bad of [NaN, Infinity]) {
  withOneThread(`a gradient of ${bad} changes nothing, moments and counters included`, () => {
    using training = new Training();
    training.step("a", [0.02, 0.02, 0.02]);
    const before = training.state;
    {
      using _scope = new Scope();
      const { model } = training;
      model.backward(tensorsOf(someSequences(model.shape, 2, "b")), [0.02, 0.02, 0.02]);
      const norm = model.parameters.get("norm");
      norm.backward(Tensor.full(norm.shape, bad, FLOAT32_CPU)); // added to what is there
    }
    using norm = training.optimizer.step(LR);
    assert.ok(!Number.isFinite(norm.item()));
    assert.deepEqual(changed(before, training.state), []);
    training.step("c", [0.02, 0.02, 0.02]);
    assert.equal(training.steps("norm"), 2);
  });
}

withOneThread(
  "muon trains the matrices of blocks with a momentum, AdamW the rest; sleeping heads stand still",
  () => {
    using training = new Training({}, { optimizer: "muon" });
    for (const name of ["a", "b"]) training.step(name, [0.02, 0.02, 0.02]);
    const before = training.state;
    const byMuon = training.optimizer.entries().map(([name]) => name).filter((name) =>
      name.endsWith(".momentum")
    );
    const matrices = ["qkv", "attention_out", "gate_up", "down"];
    assert.deepEqual(
      byMuon.toSorted(),
      ["blocks.0", "blocks.1"].flatMap((block) => matrices.map((name) => `${block}.${name}.momentum`))
        .toSorted(),
    );
    training.step("c", [0.02, 0, 0.02]);
    const others = [...before.keys()].filter((name) => !name.startsWith("heads.2"));
    assert.deepEqual(changed(before, training.state).sort(), others.sort());
    assert.equal(training.steps("blocks.1.qkv"), 3);
  },
);

withOneThread("lr_scale multiplies the rates of heads and embedding, and no others", () => {
  const moves = (lr_scale: { heads: number; embedding: number }) => {
    using training = new Training({}, { lr_scale, clip: 0, weight_decay: 0 });
    const numbers = () =>
      new Map(training.model.parameters.entries().map(([n, tensor]) => [n, tensor.toArray()]));
    const before = numbers();
    training.step("a", [0.02, 0.02, 0.02]);
    return new Map([...numbers()].map(([name, values]) => [
      name,
      values.reduce((sum, x, i) => sum + Math.abs(x - before.get(name)![i]!), 0),
    ]));
  };
  const [plain, scaled] = [moves({ heads: 1, embedding: 1 }), moves({ heads: 2, embedding: 0.5 })];
  for (const [name, move] of plain) {
    const factor = name.startsWith("heads.") ? 2 : name === "embedding" ? 0.5 : 1;
    assert.ok(Math.abs(scaled.get(name)! / move - factor) < 1e-3, name);
  }
});

withOneThread("forget() makes the next step of a parameter its first", () => {
  using training = new Training();
  for (const name of ["a", "b"]) training.step(name, [0.02, 0.02, 0.02]);
  training.optimizer.forget("heads.2");
  assert.equal(training.steps("heads.2"), undefined);
  training.step("c", [0.02, 0.02, 0.02]);
  assert.deepEqual([training.steps("heads.2"), training.steps("heads.1")], [1, 3]);
});

withOneThread("a step without any gradient changes nothing and has norm 0", () => {
  using training = new Training();
  const before = training.state;
  using norm = training.optimizer.step(LR);
  assert.equal(norm.item(), 0);
  assert.deepEqual(changed(before, training.state), []);
});

withOneThread("Muon takes the queries, keys and values of a stacked matrix one by one", () => {
  const rows = { queries: 8, keys: 4, values: 4 };
  const options = { ...OPTIONS, optimizer: "muon", clip: 0 } as const;
  const step = (names: Readonly<Record<string, readonly number[]>>): number[] => {
    using parameters = new Parameters("cpu", 1);
    const all: number[] = [];
    for (const [name, parts] of Object.entries(names)) {
      parameters.normal(name, [parts.reduce((sum, n) => sum + n), 8], 0, parts);
    }
    using optimizer = new Optimizer(parameters, options);
    using _scope = new Scope();
    let at = 0;
    for (const tensor of parameters.tensors()) {
      const gradient = Float32Array.from({ length: tensor.size }, () => Math.sin(++at));
      tensor.backward(Tensor.from(gradient, tensor.shape));
    }
    optimizer.step(LR);
    for (const tensor of parameters.tensors()) all.push(...tensor.toArray());
    return all;
  };
  const stacked = step({ "blocks.0.qkv": Object.values(rows) });
  const apart = step(
    Object.fromEntries(Object.entries(rows).map(([name, height]) => [`blocks.0.${name}`, [height]])),
  );
  stacked.forEach((x, i) => assert.ok(Math.abs(x - apart[i]!) < 1e-6, `${x}, expected ${apart[i]}`));
});

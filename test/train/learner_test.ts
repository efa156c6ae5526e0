/** Proves what a curriculum does to a model: what sleeps or is frozen stays to the bit, and who wakes starts from whom. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { TrainConfig } from "../../src/config/schema.ts";
import { verifyShards } from "../../src/data/shards.ts";
import { type Tensor, TorchError } from "../../src/torch/mod.ts";
import { Learner } from "../../src/train/learner.ts";
import { choosePrecision } from "../../src/train/precision.ts";
import { configs, makeText, withRuns } from "./fixture.ts";

type Kind = TrainConfig["model"]["heads"]["kind"];
const KINDS: readonly Kind[] = ["linear", "transformer", "residual", "sequential"];

/** A learner on small text; K = 3 heads. */
function open(folder: string, ...overrides: string[]): Learner {
  const { arm } = configs(
    "arm.train.warmup=0",
    "arm.train.schedule=constant",
    "arm.model.layers=4",
    ...overrides,
  );
  const set = verifyShards(join(folder, "text"));
  return new Learner(arm, set, "cpu", choosePrecision(arm.train.precision, "cpu"));
}

/** Takes the step; returns its losses. */
function take(learner: Learner, step: number): (number | null)[] {
  const { losses, norm } = learner.step(step, step * 4);
  const read = losses.map((loss) => loss?.item() ?? null);
  for (const tensor of [norm, ...losses]) tensor?.free();
  return read;
}

type Snapshot = Map<string, string>;

/** Bits of parameters, moments, counters and means, by name. */
function snapshot({ model, optimizer, ema }: Learner): Snapshot {
  const means = ema?.entries().map(([name, tensor]) => [`${name}.ema`, tensor] as const) ?? [];
  const all = [...model.parameters.entries(), ...optimizer.entries(), ...means];
  return new Map(all.map(([name, tensor]) => [name, tensor.toBytes().toBase64()]));
}

/** Names of parameters that are not the same any more. */
function moved({ model }: Learner, before: Snapshot, after: Snapshot): string[] {
  return model.parameters.entries().map(([name]) => name).filter((name) =>
    before.get(name) !== after.get(name)
  );
}

const phases = (...list: object[]) => `arm.curriculum=${JSON.stringify({ phases: list })}`;

for (const kind of KINDS) {
  withRuns(
    `${kind} heads: what a phase freezes stays to the bit, moments and all, and then goes on`,
    async (folder) => {
      await makeText(folder);
      using learner = open(
        folder,
        `arm.model.heads={kind: ${kind}, count: 3}`,
        "arm.train.optimizer=muon",
        phases(
          { until: 1 / 3, weights: [1, 1, 1] },
          { until: 2 / 3, weights: [1, 1, 1], freeze: ["trunk", "head2"] },
          { until: 1, weights: [1, 1, 1] },
        ),
      );
      const names = learner.model.parameters.entries().map(([name]) => name);
      const frozen = names.filter((name) => /^(blocks|norm|unembedding|heads\.2)/.test(name));
      for (let step = 0; step < 4; step++) take(learner, step);
      const before = snapshot(learner);
      for (let step = 4; step < 8; step++) take(learner, step);
      const after = snapshot(learner);
      assert.deepEqual(
        moved(learner, before, after).sort(),
        names.filter((name) => !frozen.includes(name)).sort(),
      );
      for (const [name, bits] of before) {
        if (frozen.some((part) => name.startsWith(`${part}.`))) assert.equal(after.get(name), bits, name);
      }
      take(learner, 8);
      assert.deepEqual(moved(learner, after, snapshot(learner)).sort(), names.toSorted());
    },
  );

  withRuns(
    `${kind} heads: the refresh of reverse-refresh trains heads 2 to K and nothing else`,
    async (folder) => {
      await makeText(folder);
      using learner = open(
        folder,
        `arm.model.heads={kind: ${kind}, count: 3}`,
        "arm.curriculum={preset: reverse-refresh, refresh: 0.25}",
      );
      for (let step = 0; step < 9; step++) take(learner, step);
      const before = snapshot(learner);
      const losses = [9, 10, 11].map((step) => take(learner, step));
      assert.ok(losses.every(([first, ...others]) => first === null && others.every((loss) => loss! > 0)));
      const expected = learner.model.parameters.entries().map(([name]) => name)
        .filter((name) => /^heads\.[23]/.test(name));
      assert.deepEqual(moved(learner, before, snapshot(learner)).sort(), expected.sort());
    },
  );
}

withRuns(
  "a frozen head still has its loss, and a frozen embedding leaves the blocks to learn",
  async (folder) => {
    await makeText(folder);
    for (const recompute of ["none", "blocks"]) {
      using learner = open(
        folder,
        `arm.train.recompute=${recompute}`,
        phases({ until: 1, weights: [1, 1, 0], freeze: ["embedding", "head1"] }),
      );
      const before = snapshot(learner);
      const [first, second, third] = take(learner, 0);
      assert.ok(first! > 5 && second! > 5 && third === null); // ln 320 is 5.8
      const names = moved(learner, before, snapshot(learner));
      assert.deepEqual([...new Set(names.map((name) => name.split(".")[0]))].sort(), [
        "blocks",
        "heads",
        "norm",
      ]);
      assert.deepEqual(names.filter((name) => name.startsWith("heads")), ["heads.2"]);
    }
  },
);

withRuns("a tied matrix stands still when the embedding or head 1 is frozen", async (folder) => {
  await makeText(folder);
  for (const part of ["embedding", "head1"]) {
    using learner = open(
      folder,
      "arm.model.tied=true",
      phases({ until: 1, weights: [1, 1, 1], freeze: [part] }),
    );
    const before = snapshot(learner);
    take(learner, 0);
    assert.equal(moved(learner, before, snapshot(learner)).includes("embedding"), false);
  }
});

withRuns(
  "wake: copy starts a head from the one before it, with moments of its own; fresh from itself",
  async (folder) => {
    await makeText(folder);
    const lr = 1e-6; // a first step of AdamW moves every weight by about that much
    const distance = (a: readonly number[], b: readonly number[]) =>
      a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
    for (const wake of ["copy", "fresh"]) {
      using learner = open(
        folder,
        `arm.curriculum={preset: forward, wake: ${wake}}`,
        `arm.train.lr=${lr}`,
        "arm.train.weight_decay=0",
        "arm.train.ema=0.9",
      );
      const weights = (head: number) => learner.model.parameters.get(`heads.${head}`).toArray();
      for (let step = 0; step < 4; step++) take(learner, step);
      const [first, second] = [weights(1), weights(2)];
      take(learner, 4);
      const source = wake === "copy" ? first : second;
      assert.ok(distance(weights(2), source) < 1.1 * lr, wake);
      assert.ok(distance(weights(2), wake === "copy" ? second : first) > 1e-3);
      const steps = new Map(learner.optimizer.entries().map(([name, tensor]) => [name, tensor]));
      assert.equal(steps.get("heads.2.step")!.item(), 1);
      assert.equal(steps.get("heads.1.step")!.item(), 5);
      const mean = learner.ema!.entries().find(([name]) => name === "heads.2")![1].toArray();
      assert.ok(distance(mean, source) < 1.1 * lr);
      for (let step = 5; step < 9; step++) take(learner, step);
      assert.ok(distance(weights(3), weights(2)) < (wake === "copy" ? 6 * lr : Infinity));
    }
  },
);

withRuns("heads that wake at once with wake: copy all start from the one that was awake", async (folder) => {
  await makeText(folder);
  using learner = open(
    folder,
    "arm.train.lr=1e-6",
    `arm.curriculum=${
      JSON.stringify({
        wake: "copy",
        phases: [{ until: 0.5, weights: [1, 0, 0] }, { until: 1, weights: [1, 1, 1] }],
      })
    }`,
  );
  for (let step = 0; step < 7; step++) take(learner, step);
  const [first, second, third] = [1, 2, 3].map((head) =>
    learner.model.parameters.get(`heads.${head}`).toArray()
  );
  for (const [i, x] of first!.entries()) {
    assert.ok(Math.abs(second![i]! - x) < 1e-5 && Math.abs(third![i]! - x) < 1e-5);
  }
});

withRuns(
  "a head that sleeps again and wakes with its own weights goes on with its own moments",
  async (folder) => {
    await makeText(folder);
    using learner = open(
      folder,
      phases({ until: 1 / 3, weights: [1, 1, 0] }, { until: 2 / 3, weights: [1, 0, 0] }, {
        until: 1,
        weights: [1, 1, 0],
      }),
    );
    for (let step = 0; step < 4; step++) take(learner, step);
    const before = snapshot(learner);
    for (let step = 4; step < 8; step++) take(learner, step);
    const asleep = snapshot(learner);
    for (const name of ["heads.2", "heads.2.mean", "heads.2.square", "heads.2.step"]) {
      assert.equal(asleep.get(name), before.get(name), name);
    }
    take(learner, 8);
    assert.equal(learner.optimizer.entries().find(([name]) => name === "heads.2.step")![1].item(), 5);
  },
);

withRuns(
  "a head that sleeps again and wakes as a copy begins its moments and its mean anew",
  async (folder) => {
    await makeText(folder);
    using learner = open(
      folder,
      "arm.train.ema=0.9",
      "arm.train.lr=1e-6",
      `arm.curriculum=${
        JSON.stringify({
          wake: "copy",
          phases: [
            { until: 1 / 3, weights: [1, 1, 0] },
            { until: 2 / 3, weights: [1, 0, 0] },
            { until: 1, weights: [1, 1, 0] },
          ],
        })
      }`,
    );
    for (let step = 0; step < 9; step++) take(learner, step);
    const tensors = new Map([...learner.optimizer.entries(), ...learner.model.parameters.entries()]);
    assert.equal(tensors.get("heads.2.step")!.item(), 1);
    assert.equal(tensors.get("heads.1.step")!.item(), 9);
    const mean = learner.ema!.entries().find(([name]) => name === "heads.2")![1].toArray();
    tensors.get("heads.1")!.toArray().forEach((x, i) => assert.ok(Math.abs(mean[i]! - x) < 1e-5));
  },
);

withRuns(
  "evaluated() runs with the running mean where the run keeps one, and with the weights where not",
  async (folder) => {
    await makeText(folder);
    for (const decay of [0.9, 0]) {
      using learner = open(folder, `arm.train.ema=${decay}`);
      for (let step = 0; step < 3; step++) take(learner, step);
      const bits = (entries: readonly [string, Tensor][]) =>
        entries.map(([name, tensor]) => [name, tensor.toBytes().toBase64()]);
      const weights = bits(learner.model.parameters.entries());
      const expected = learner.ema === null ? weights : bits(learner.ema.entries());
      assert.deepEqual(learner.evaluated(() => bits(learner.model.parameters.entries())), expected);
      assert.deepEqual(bits(learner.model.parameters.entries()), weights);
      if (decay > 0) assert.notDeepEqual(expected, weights);
    }
  },
);

for (const kind of KINDS) {
  withRuns(
    `z_loss reaches the gradients of every ${kind} head, and no loss that is shown`,
    async (folder) => {
      await makeText(folder);
      const after = (z: number) => {
        using learner = open(
          folder,
          `arm.model.heads={kind: ${kind}, count: 3}`,
          "arm.curriculum=mtp",
          `arm.train.z_loss=${z}`,
        );
        return { losses: take(learner, 0), bits: snapshot(learner) };
      };
      const [plain, held] = [after(0), after(0.1)];
      assert.deepEqual(held.losses, plain.losses);
      for (const [name, bits] of plain.bits) {
        if (/^(heads\.\d|unembedding).*mean$/.test(name)) assert.notEqual(held.bits.get(name), bits, name);
      }
    },
  );
}

withRuns(
  "predict_first decides whether head 1 has the first tokens of documents as targets",
  async (folder) => {
    await makeText(folder);
    const bytes = [true, false].map((first) => {
      using learner = open(
        folder,
        "arm.model.context=64",
        "arm.train.batch=64",
        `arm.train.predict_first=${first}`,
      );
      const { bytes, norm, losses } = learner.step(0, 0);
      for (const tensor of [norm, ...losses]) tensor?.free();
      return bytes;
    });
    assert.ok(bytes[1]! < bytes[0]!, `${bytes}`);
  },
);

withRuns("recompute reaches the backward pass of every micro-batch", async (folder) => {
  await makeText(folder);
  for (const recompute of ["none", "blocks"]) {
    using learner = open(folder, `arm.train.recompute=${recompute}`);
    const asked: unknown[] = [];
    const backward = learner.model.backward.bind(learner.model);
    learner.model.backward = (sequences, scales, options) => {
      asked.push(options?.recompute);
      return backward(sequences, scales, options);
    };
    take(learner, 0);
    assert.deepEqual(asked, [recompute === "blocks", recompute === "blocks"]); // accumulate: 2
  }
});

withRuns("a step that does not fit the memory says what it holds and what to lower", async (folder) => {
  await makeText(folder);
  using learner = open(folder);
  learner.model.backward = () => {
    throw new TorchError(
      "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8000000000 bytes.",
    );
  };
  assert.throws(() => learner.step(4, 16), {
    name: "UserError",
    message:
      "Out of memory for step 5: 2 x 2 x 16 tokens, their activations, gradients and the optimizer's state " +
      "(8.00 GB more): lower train.batch (and raise train.accumulate as much, for the same steps) or model.context, " +
      "or set train.recompute to blocks",
  });
});

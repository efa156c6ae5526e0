/** Proves one optimizer step: what a target counts depends neither on micro-batches nor on documents' ends. */
import assert from "node:assert/strict";
import { MtpModel } from "../../src/model/mod.ts";
import { type Blocks, Scope } from "../../src/torch/mod.ts";
import { Optimizer } from "../../src/train/optimizer.ts";
import { lossScales, type Objective, trainStep } from "../../src/train/step.ts";
import { countsOf, someSequences, tensorsOf, tinyOptions, withOneThread } from "../model/tiny.ts";

const ROWS = 8;
const SUM: Objective = { weights: [1, 0.5, 0.25], loss: "sum" };
/** A large eps makes the step proportional to the gradients, so that their rounding cannot flip its sign. */
const OPTIONS = { beta1: 0.9, beta2: 0.95, eps: 1, weight_decay: 0, clip: 0 };

/** Rows whose share of targets differs a lot: half of them have hardly any beyond head 1. */
function unevenRows() {
  const plain = someSequences(tinyOptions(), ROWS);
  const targets = plain.targets.map((head, k) =>
    head.map((row, b) => row.map((id, t) => b % 2 === 0 && k > 0 && t > k ? -1 : id))
  );
  return { ids: plain.ids, targets };
}

/** The same as {@link Blocks}; targets of head 1 that are bytes do not matter here. */
function blocksOf(plain: ReturnType<typeof unevenRows>): Blocks {
  return { ...tensorsOf(plain), counts: countsOf(plain), bytes: 0 };
}

interface Outcome {
  readonly losses: (number | null)[];
  readonly norm: number;
  /** How far each parameter moved. */
  readonly moves: Map<string, number[]>;
}

function stepWith(batch: number, objective: Objective, plain = unevenRows()): Outcome {
  using model = new MtpModel(tinyOptions(), 1, "cpu");
  using optimizer = new Optimizer(model.parameters, OPTIONS);
  const before = new Map(model.parameters.entries().map(([name, tensor]) => [name, tensor.toArray()]));
  using _scope = new Scope();
  const { losses, norm } = trainStep(model, optimizer, blocksOf(plain), batch, objective, 1);
  const moves = model.parameters.entries().map(([name, tensor]): [string, number[]] => [
    name,
    tensor.toArray().map((x, i) => x - before.get(name)![i]!),
  ]);
  return {
    losses: losses.map((loss) => loss?.item() ?? null),
    norm: norm.item(),
    moves: new Map(moves),
  };
}

/** Sums of the same numbers in another order: some units of float32's 6e-8, for weights of up to 1. */
const TOLERANCE = 1e-6;

function assertNear(actual: number, expected: number, what: string, tolerance = TOLERANCE): void {
  assert.ok(
    Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)),
    `${what}: ${actual}, expected ${expected}`,
  );
}

withOneThread("a step over 1 x 8 rows is a step over 4 x 2, 2 x 4, 8 x 1, and over 3 + 3 + 2", () => {
  const whole = stepWith(8, SUM);
  assert.ok(whole.norm > 0.01, "nothing is compared");
  for (const batch of [2, 4, 1, 3]) {
    const parts = stepWith(batch, SUM);
    assertNear(parts.norm, whole.norm, "norm");
    parts.losses.forEach((loss, i) => assertNear(loss!, whole.losses[i]!, `loss of head ${i + 1}`));
    for (const [name, move] of whole.moves) {
      move.forEach((x, i) =>
        assertNear(parts.moves.get(name)![i]!, x, `${name}, ${batch} rows a micro-batch`)
      );
    }
  }
});

withOneThread("each term is the weighted mean over the head's own targets of the whole step", () => {
  const plain = unevenRows();
  const counts = countsOf(plain);
  assert.ok(counts[0]! > 1.5 * counts[1]!, "all heads have as many targets");
  for (const objective of [SUM, { ...SUM, loss: "mean" } as const]) {
    const { losses } = stepWith(2, objective);
    using model = new MtpModel(tinyOptions(), 1, "cpu");
    using _scope = new Scope();
    model.score(tensorsOf(plain)).forEach(({ nll }, i) => {
      const mean = nll.toArray().reduce((sum, x) => sum + x, 0) / counts[i]!;
      const expected = SUM.weights[i]! / (objective.loss === "mean" ? 1.75 : 1) * mean;
      assertNear(losses[i]!, expected, `head ${i + 1}, ${objective.loss}`);
    });
  }
});

withOneThread("the mean is the sum over the sum of the weights: losses and gradients alike", () => {
  const [sum, mean] = [stepWith(4, SUM), stepWith(4, { ...SUM, loss: "mean" })];
  const divisor = 1 + 0.5 + 0.25;
  assertNear(mean.norm * divisor, sum.norm, "norm");
  sum.losses.forEach((loss, i) => assertNear(mean.losses[i]! * divisor, loss!, `head ${i + 1}`));
});

withOneThread("a head without weight, or without a target in the step, sleeps", () => {
  assert.deepEqual(stepWith(4, { weights: [1, 0, 1], loss: "sum" }).losses.map((loss) => loss === null), [
    false,
    true,
    false,
  ]);
  const plain = unevenRows();
  const without = {
    ...plain,
    targets: plain.targets.map((head, k) => k === 2 ? head.map((row) => row.map(() => -1)) : head),
  };
  const { losses, moves } = stepWith(4, SUM, without);
  assert.equal(losses[2], null);
  assert.ok(moves.get("heads.3")!.every((x) => x === 0));
  assert.ok(moves.get("heads.2")!.some((x) => x !== 0));
});

withOneThread(
  "the losses and the norm of a step outlive the scope inside it, and belong to the caller",
  () => {
    using model = new MtpModel(tinyOptions(), 1, "cpu");
    using optimizer = new Optimizer(model.parameters, OPTIONS);
    const blocks = blocksOf(unevenRows()); // outside any scope: ours to free
    const { losses, norm } = trainStep(model, optimizer, blocks, 4, SUM, 1);
    for (const tensor of [norm, ...losses]) {
      assert.ok(Number.isFinite(tensor!.item()));
      tensor!.free();
    }
    blocks.inputs.free();
    blocks.targets.free();
  },
);

Deno.test("lossScales() divides each weight by the head's targets, and for the mean by all weights", () => {
  assert.deepEqual(lossScales({ weights: [1, 0.5, 0, 2], loss: "sum" }, [10, 5, 5, 0]), [0.1, 0.1, 0, 0]);
  assert.deepEqual(lossScales({ weights: [1, 3], loss: "mean" }, [10, 5]), [1 / 4 / 10, 3 / 4 / 5]);
});

/** Proves the totals of scored batches against their definitions, written out over plain arrays. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { addScores, emptyScores, type MtpModel, type Sequences, summarize } from "../../src/model/mod.ts";
import { linear, noGrad, Scope, Tensor } from "../../src/torch/mod.ts";
import { someSequences, tensorsOf, tinyModel, withOneThread } from "./tiny.ts";

/** What a model with these first choices would give: all that {@link addScores} asks of one. */
interface Batch {
  readonly rows: number;
  readonly length: number;
  /** [head][row * length + t] */
  readonly best: number[][];
  readonly targets: number[][];
  readonly nll: number[][];
}

const batches: fc.Arbitrary<Batch> = fc.record({
  K: fc.integer({ min: 1, max: 4 }),
  rows: fc.integer({ min: 1, max: 3 }),
  length: fc.integer({ min: 1, max: 7 }),
}).chain(({ K, rows, length }) => {
  const perHead = (value: fc.Arbitrary<number>) =>
    fc.array(fc.array(value, { minLength: rows * length, maxLength: rows * length }), {
      minLength: K,
      maxLength: K,
    });
  return fc.record({
    rows: fc.constant(rows),
    length: fc.constant(length),
    best: perHead(fc.nat({ max: 2 })), // few classes, so that many drafts are accepted
    targets: perHead(fc.integer({ min: -1, max: 2 })),
    nll: perHead(fc.integer({ min: 0, max: 64 }).map((n) => n / 8)),
  });
});

/** Stands in for a model: {@link addScores} asks it for nothing but scores. */
const scored = ({ best, nll }: Batch): MtpModel =>
  ({
    score: () =>
      best.map((ids, i) => ({ best: Tensor.ids(ids), nll: Tensor.from(Float32Array.from(nll[i]!)) })),
  }) as unknown as MtpModel;

const sequencesOf = ({ rows, length, targets }: Batch): Sequences => ({
  inputs: Tensor.zeros([rows, length], { dtype: "int64", device: "cpu" }),
  targets: Tensor.ids(targets.flat(), [targets.length, rows, length]),
});

/**
 * By the definition: a draft of head d at t stands for the token at t + d; it is proposed where all its heads up to d
 * have a target, head 1 is asked inside the row, and the drafts before it were accepted; it is accepted where head 1
 * chooses the same at t + d - 1.
 */
function draftsByHand({ rows, length, best, targets }: Batch): { proposed: number[]; accepted: number[] } {
  const agrees = (d: number, p: number) => best[d - 1]![p] === best[0]![p + d - 1];
  const upTo = (d: number) => Array.from({ length: d - 1 }, (_, i) => i + 2); // depths 2 to d
  const places = Array.from({ length: rows * length }, (_, p) => p);
  const depths = upTo(best.length);
  const isProposed = (d: number, p: number) =>
    p % length + d - 1 < length && upTo(d).every((e) => targets[e - 1]![p]! >= 0) &&
    upTo(d - 1).every((e) => agrees(e, p));
  return {
    proposed: depths.map((d) => places.filter((p) => isProposed(d, p)).length),
    accepted: depths.map((d) => places.filter((p) => isProposed(d, p) && agrees(d, p)).length),
  };
}

withOneThread(
  "addScores() counts losses, first choices and drafts by their definitions, over several batches",
  () => {
    fc.assert(
      fc.property(batches, (batch) => {
        using _scope = new Scope();
        const totals = emptyScores(batch.best.length);
        for (const _ of [1, 2]) addScores(totals, scored(batch), sequencesOf(batch));
        const twice = ({ proposed, accepted }: { proposed: number[]; accepted: number[] }) => ({
          proposed: proposed.map((n) => 2 * n),
          accepted: accepted.map((n) => 2 * n),
        });
        assert.deepEqual(
          { proposed: totals.proposed, accepted: totals.accepted },
          twice(draftsByHand(batch)),
        );
        totals.heads.forEach((head, i) => {
          const valid = batch.targets[i]!.flatMap((target, p) => target < 0 ? [] : [{ target, p }]);
          assert.equal(head.targets, 2 * valid.length);
          assert.equal(
            head.correct,
            2 * valid.filter(({ target, p }) => batch.best[i]![p] === target).length,
          );
          assert.equal(head.nll, 2 * batch.nll[i]!.reduce((sum, nll) => sum + nll, 0)); // eighths: exact
        });
      }),
      { numRuns: 200 },
    );
  },
);

withOneThread("addScores() scores what the model's own logits say", () => {
  using model = tinyModel({ vocab: 3 });
  using _scope = new Scope();
  const plain = someSequences(model.shape, 3);
  const sequences = tensorsOf(plain);
  const totals = emptyScores(model.headCount);
  addScores(totals, model, sequences);

  const z_PD = noGrad(() => model.trunk(sequences.inputs).reshape(-1, model.shape.width));
  const logits = [1, 2, 3].map((head) =>
    rowsOf(linear(z_PD, model.parameters.get(`heads.${head}`)).toArray(), 3)
  );
  const targets = plain.targets.map((head) => head.flat());
  const best = logits.map((rows) => rows.map((row) => row.indexOf(Math.max(...row))));
  const expected = draftsByHand({ rows: 3, length: model.shape.context, best, targets, nll: [] });
  assert.deepEqual({ proposed: totals.proposed, accepted: totals.accepted }, expected);
  assert.ok(
    expected.accepted[0]! > 0 && expected.accepted[0]! < expected.proposed[0]!,
    "nothing is compared",
  );
  totals.heads.forEach((head, i) => {
    const nlls = targets[i]!.map((target, p) => target < 0 ? 0 : nllOf(logits[i]![p]!, target));
    const sum = nlls.reduce((total, nll) => total + nll, 0);
    assert.ok(Math.abs(head.nll - sum) < 1e-4, `${head.nll}, expected ${sum}`); // 30 terms of size 1 in float32
    assert.equal(head.correct, targets[i]!.filter((target, p) => best[i]![p] === target).length);
  });
});

const rowsOf = (values: number[], width: number): number[][] =>
  Array.from({ length: values.length / width }, (_, row) => values.slice(row * width, (row + 1) * width));

/** -log softmax, in double precision. */
const nllOf = (logits: number[], target: number): number =>
  Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0)) - logits[target]!;

Deno.test("summarize() gives bits per text byte of head 1, means by head, and the expected tokens a forward", () => {
  const totals = {
    heads: [
      { nll: 12, correct: 3, targets: 6 },
      { nll: 10, correct: 1, targets: 5 },
      { nll: 4, correct: 0, targets: 4 },
    ],
    proposed: [8, 4],
    accepted: [4, 1],
  };
  const { heads, bitsPerByte, acceptance, expectedTokensPerForward } = summarize(totals, 5);
  assert.deepEqual(heads, [{ loss: 2, accuracy: 1 / 2 }, { loss: 2, accuracy: 1 / 5 }, {
    loss: 1,
    accuracy: 0,
  }]);
  assert.ok(Math.abs(bitsPerByte - 12 / Math.log(2) / 5) < 1e-15);
  assert.deepEqual(acceptance, [0.5, 0.25]);
  assert.equal(expectedTokensPerForward, 1 + 0.5 + 0.5 * 0.25);
});

Deno.test("summarize() of a uniform guess over 256 bytes is 8 bits a byte, and of one head one token a forward", () => {
  const totals = emptyScores(1);
  Object.assign(totals.heads[0]!, { nll: 100 * Math.log(256), targets: 100 });
  const { bitsPerByte, expectedTokensPerForward, acceptance } = summarize(totals, 100);
  assert.ok(Math.abs(bitsPerByte - 8) < 1e-12);
  assert.equal(expectedTokensPerForward, 1);
  assert.deepEqual(acceptance, []);
});

Deno.test("summarize() says 0 where no draft was proposed, and NaN where a head had no target", () => {
  const totals = emptyScores(3);
  Object.assign(totals.heads[0]!, { nll: 1, targets: 1 });
  const { heads, acceptance, expectedTokensPerForward } = summarize(totals, 1);
  assert.deepEqual(acceptance, [0, 0]);
  assert.equal(expectedTokensPerForward, 1);
  assert.ok(Number.isNaN(heads[1]!.loss));
});

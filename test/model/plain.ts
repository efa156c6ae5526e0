/** The comparison with plain_model.py: what it takes and gives, and our model's figures against its. */
import assert from "node:assert/strict";
import { type ModelOptions, MtpModel } from "../../src/model/mod.ts";
import { Scope } from "../../src/torch/mod.ts";
import { lossScales } from "../../src/train/step.ts";
import type { Python } from "../peers.ts";
import { logitsByRow, withCache } from "./decoding.ts";
import { countsOf, gradientsOf, type PlainSequences, tensorsOf, withNoise } from "./tiny.ts";

/** What plain_model.py takes. */
export interface Case extends PlainSequences {
  readonly options: ModelOptions;
  readonly weights: number[];
  readonly loss: "sum" | "mean";
}

/** What it gives. */
export interface Result {
  /** [head][row][position][token] */
  readonly logits: number[][][][];
  /** Of matrix products, by PyTorch's own counter; the committed cases have none. */
  readonly forward_flops?: number;
  readonly losses: (number | null)[];
  readonly gradients: Readonly<Record<string, number[] | null>>;
}

export async function plainResults(python: Python, cases: readonly Case[]): Promise<Result[]> {
  const script = new URL("plain_model.py", import.meta.url).pathname;
  const results: Result[] = JSON.parse(await python(["-B", script], JSON.stringify(cases)));
  assert.equal(results.length, cases.length);
  return results;
}

/**
 * The reference is float64, so what is left is our float32: each number goes through some hundred roundings of 6e-8 of
 * its size. Measured: at most 2e-6 of a tensor's largest number.
 */
const TOLERANCE = 1e-5;

/** Fails where a number is off by more than the tolerance times the largest expected one. */
export function assertNear(actual: readonly number[], expected: readonly number[], what: string): void {
  assert.equal(actual.length, expected.length, what);
  const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  assert.ok(largest > 0, `${what} is all zeros: nothing is compared`);
  for (const [i, x] of expected.entries()) {
    const off = Math.abs(actual[i]! - x) / largest;
    assert.ok(
      off <= TOLERANCE,
      `${what}: number ${i} is ${actual[i]}, expected ${x} (off by ${off} of ${largest})`,
    );
  }
}

/** Our logits, scores, losses and gradients against those of {@link Result}. */
export function compareWithPlain(plain: Case, expected: Result): void {
  const { options, weights, loss } = plain;
  using model = withNoise(new MtpModel(options, 1, "cpu"));
  using _scope = new Scope();
  compareScores(model, plain, expected);
  compareLogits(model, plain, expected);

  const scales = lossScales({ weights, loss }, countsOf(plain));
  const terms = model.backward(tensorsOf(plain), scales);
  const sumOfWeights = weights.reduce((sum, w) => sum + w, 0);
  expected.losses.forEach((nll, i) => {
    if (nll === null) return assert.equal(terms[i], null, `head ${i + 1} sleeps`);
    const weight = weights[i]! / (loss === "mean" ? sumOfWeights : 1);
    assertNear([terms[i]!.item()], [weight * nll], `loss of head ${i + 1}`);
  });

  const gradients = gradientsOf(model);
  assert.deepEqual([...gradients.keys()].sort(), Object.keys(expected.gradients).sort());
  for (const [name, gradient] of Object.entries(expected.gradients)) {
    if (gradient === null) assert.equal(gradients.get(name), null, `${name} gets no gradient`);
    else assertNear(gradients.get(name) ?? [], gradient, `gradient of ${name}`);
  }
}

/** The NLL and the first choice of every head wherever it has a target. */
function compareScores(model: MtpModel, plain: Case, { logits }: Result): void {
  model.score(tensorsOf(plain)).forEach(({ nll, best }, i) => {
    const rows = logits[i]!.flat();
    const targets = plain.targets[i]!.flat();
    const expected = rows.map((row, p) => targets[p]! < 0 ? 0 : logSumExp(row) - row[targets[p]!]!);
    assertNear(nll.toArray(), expected, `NLL of head ${i + 1}`);
    const scored = <Value>(values: readonly Value[]) => values.filter((_, p) => targets[p]! >= 0);
    const first = rows.map((row) => row.indexOf(Math.max(...row)));
    assert.deepEqual(scored(best.toArray()), scored(first), `first choices of head ${i + 1}`);
  });
}

const logSumExp = (row: readonly number[]): number => Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0));

/** The logits of the heads that read the row which head 1 reads, through the cache. */
function compareLogits(model: MtpModel, { ids, options: { heads } }: Case, { logits }: Result): void {
  const readers = heads.kind === "linear" || heads.kind === "residual" ? heads.count : 1;
  using decoder = model.decoder("aten");
  ids.forEach((row, b) => {
    using _scope = new Scope();
    withCache(decoder, (cache) => {
      const rows = decoder.extend(row, cache);
      if (readers === 1) {
        return assertNear(decoder.logits(rows.first).toArray(), logits[0]![b]!.flat(), "logits of head 1");
      }
      logitsByRow(decoder, rows).forEach((heads, t) =>
        heads.forEach((actual, i) =>
          assertNear(actual.toArray(), logits[i]![b]![t]!, `logits of head ${i + 1} at ${t}`)
        )
      );
    });
  });
}

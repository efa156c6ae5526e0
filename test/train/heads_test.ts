/**
 * Proves the stages with every kind of heads: training resumes to the same bits in any phase, evaluation scores every
 * head, and speculative decoding gives what plain decoding gives.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { TrainConfig } from "../../src/config/schema.ts";
import { run as decode } from "../../src/decode/decode.ts";
import { run as evaluate } from "../../src/eval/eval.ts";
import { HEAD_KINDS } from "../../src/model/mod.ts";
import {
  armOf,
  configs,
  ioFor,
  makeText,
  readJson,
  results,
  stopAfter,
  textOf,
  trainArm,
  withRuns,
} from "./fixture.ts";

/** What decode.json and eval.json say of one arm, as far as it is read here. */
interface Figures {
  readonly arms: readonly {
    readonly id: string;
    readonly heads: unknown;
    readonly domains?: readonly {
      readonly batches: readonly {
        readonly measurements: readonly {
          readonly heads: number;
          readonly tokens: number;
          readonly tokens_per_forward: number;
          readonly equal: { readonly different: number };
        }[];
      }[];
    }[];
  }[];
}

/** An arm of one kind: four layers, three heads, sharing what the kind shares. */
function armWith(kind: typeof HEAD_KINDS[number], id: string, ...overrides: string[]): TrainConfig {
  const { arm } = configs(
    "arm.model.layers=4",
    "arm.train.steps=6",
    "arm.train.checkpoint_every=6",
    ...overrides,
  );
  return { ...arm, id, model: { ...arm.model, heads: { kind, count: 3 } } };
}

withRuns("a run with heads of any kind, stopped in any phase, goes on to the same bits", async (folder) => {
  await makeText(folder);
  for (const kind of HEAD_KINDS) {
    await trainArm(folder, armWith(kind, `${kind}-whole`));
    const parts = armWith(kind, `${kind}-parts`);
    for (const steps of [1, 2]) { // in the first phase, then in the second
      await assert.rejects(trainArm(folder, parts, stopAfter(steps)), { name: "Interrupted" });
    }
    await trainArm(folder, parts);
    assert.deepEqual(results(join(folder, `${kind}-parts`)), results(join(folder, `${kind}-whole`)), kind);
  }
});

withRuns("recompute trains to the same bits, with heads of any kind", async (folder) => {
  await makeText(folder);
  const weights = (id: string) => results(join(folder, id)).model;
  for (const kind of HEAD_KINDS) {
    await trainArm(folder, armWith(kind, `${kind}-kept`));
    await trainArm(folder, armWith(kind, `${kind}-anew`, "arm.train.recompute=blocks"));
    assert.equal(weights(`${kind}-anew`), weights(`${kind}-kept`), kind);
  }
});

withRuns(
  "every kind of heads is evaluated, and speculative decoding with its drafts gives the plain text",
  async (folder) => {
    await makeText(folder);
    for (const kind of HEAD_KINDS) await trainArm(folder, armWith(kind, kind));
    const needs = [textOf(folder), ...HEAD_KINDS.map((kind) => armOf(folder, kind))];
    const { scores, speed } = configs("scores.tokens=2000", "speed.mode=strict");
    await evaluate(scores, ioFor(folder, "scores", { needs }));
    const evaluated = readJson(join(folder, "scores/eval.json")) as unknown as Figures;
    assert.deepEqual(
      evaluated.arms.map(({ id, heads }) => [id, (heads as unknown[]).length]),
      HEAD_KINDS.map((k) => [k, 3]),
    );
    const io = ioFor(folder, "speed", { needs });
    await decode(speed, io);
    const decoded = readJson(join(folder, "speed/decode.json")) as unknown as Figures;
    for (const { id, domains } of decoded.arms) {
      const measurements = domains![0]!.batches[0]!.measurements;
      assert.deepEqual(measurements.map(({ heads }) => heads), [1, 2, 3]);
      for (const { heads, tokens, tokens_per_forward, equal } of measurements) {
        assert.ok(tokens > 0 && tokens_per_forward >= 1 && tokens_per_forward <= heads, id);
        assert.equal(equal.different, 0, id);
      }
    }
  },
);

/** A stopped run goes on to the same bits whatever it trains: kinds of heads, curricula, optimizers, EMA. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { rngState, seed } from "../../src/torch/mod.ts";
import { checkpointsIn, readState, writeState } from "../../src/train/checkpoint.ts";
import { configs, interrupted, makeText, results, stopAfter, trainArm, withRuns } from "./fixture.ts";

const RUNS: Record<string, readonly string[]> = {
  "transformer heads, forward-reverse": [
    "arm.model={width: 16, layers: 4, attention_heads: 2, kv_heads: 1, ffn: 24, context: 16, heads: {kind: transformer, count: 3}}",
    "arm.curriculum=forward-reverse",
  ],
  "sequential heads, reverse-refresh, Muon": [
    "arm.model.heads={kind: sequential, count: 3}",
    "arm.curriculum={preset: reverse-refresh, refresh: 0.25}",
    "arm.train.optimizer=muon",
  ],
  "residual heads that wake as copies, EMA": [
    "arm.model.heads={kind: residual, count: 3}",
    "arm.curriculum={preset: forward, wake: copy}",
    "arm.train.ema=0.8",
  ],
  "adaptive, weights in a line, recomputed blocks": [
    "arm.curriculum={preset: adaptive, window: 2, threshold: 0.9, min_steps: 2}",
    "arm.train.recompute=blocks",
    "arm.train.schedule=wsd",
  ],
  "phases with weights in a line, a frozen trunk and a schedule of their own": [
    "arm.curriculum={phases: [{until: 0.5, weights: [1, 0, 0], to: [1, 1, 1]}, {until: 1, weights: [0, 1, 1], freeze: [trunk], lr: {lr: 0.01}}]}",
    "arm.train.z_loss=0.001",
    "arm.train.lr_scale={heads: 2, embedding: 0.5}",
  ],
};

for (const [what, changes] of Object.entries(RUNS)) {
  withRuns(`resume to the bit: ${what}`, async (folder) => {
    await makeText(folder);
    const { arm } = configs(...changes);
    await trainArm(folder, { ...arm, id: "whole" });
    const expected = results(join(folder, "whole"));
    for (const stops of [[5], [7, 2]]) {
      const stopped = { ...arm, id: `stopped${stops.length}` };
      for (const steps of stops) {
        await assert.rejects(trainArm(folder, stopped, stopAfter(steps)), { name: "Interrupted" });
      }
      await trainArm(folder, stopped);
      assert.deepEqual(results(join(folder, stopped.id)), expected, `stopped after ${stops}`);
    }
  });
}

withRuns(
  "a run goes on with the random numbers that its checkpoint holds, not with its seed's",
  async (folder) => {
    const { arm, checkpoint } = await interrupted(folder);
    const { state, sha256 } = readState(checkpoint, "");
    seed(99);
    const rng = rngState().toBase64();
    assert.notEqual(state.rng, rng);
    writeState(checkpoint, { ...state, rng }, sha256);
    await trainArm(folder, arm);
    assert.equal(readState(checkpointsIn(join(folder, "arm")).at(-1)!, "").state.rng, rng); // nothing draws in a step
  },
);

/** TensorBoard shows what metrics.jsonl holds, each step once, however often the run was stopped. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Interrupted } from "../../src/stage/errors.ts";
import { TensorBoard } from "../../src/train/tensorboard.ts";
import { withPeers } from "../peers.ts";
import { inFolder, withFiles } from "../support.ts";
import { configs, makeText, metricsOf, stopAfter, trainArm } from "./fixture.ts";

/** Prints steps and values of each tag of a folder. */
const READ = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
events.Reload()
print(json.dumps({tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}))
`;

withPeers(
  "TensorBoard reads what metrics.jsonl holds, after stops and a kill",
  (python) =>
    inFolder(async (folder) => {
      await makeText(folder);
      const { arm } = configs("arm.train.log_every=1");
      await assert.rejects(trainArm(folder, arm, stopAfter(3)), Interrupted);
      await assert.rejects(trainArm(folder, arm, stopAfter(4)), Interrupted);
      // As if killed at step 9, which no checkpoint knows of.
      const lost = new TensorBoard(join(folder, "arm"), 7);
      const line = metricsOf(join(folder, "arm")).findLast(({ kind }) => kind === "step")!;
      lost.write({ ...line, step: 9, lr: 99 } as unknown as Parameters<typeof lost.write>[0]);
      lost[Symbol.dispose]();
      await trainArm(folder, arm);

      const read = JSON.parse(await python(["-c", READ, join(folder, "arm/tensorboard")], ""));
      const lines = metricsOf(join(folder, "arm"));
      const pairs = (kind: string, value: (line: Record<string, unknown>) => unknown) =>
        lines.filter((line) => line.kind === kind).map((
          line,
        ) => [line.step, Math.fround(value(line) as number)]);
      assert.deepEqual(read["loss/objective"], pairs("step", ({ loss }) => loss));
      assert.deepEqual(read["optimizer/learning_rate"], pairs("step", ({ lr }) => lr));
      assert.deepEqual(read["weight/head_2"], pairs("step", ({ weights }) => (weights as number[])[1]));
      assert.deepEqual(
        read["validation/bits_per_byte"],
        pairs("validation", ({ bits_per_byte }) => bits_per_byte),
      );
      // Head 3 sleeps up to step 8.
      assert.deepEqual(read["loss/head_3"].map(([step]: [number]) => step), [9, 10, 11, 12]);
      assert.deepEqual(Object.keys(read).sort(), [
        ...["loss/head_1", "loss/head_2", "loss/head_3", "loss/objective", "memory/bytes"],
        ...["optimizer/clipped_share", "optimizer/gradient_norm", "optimizer/learning_rate"],
        ...["speed/mfu", "speed/tokens_per_second"],
        ...["validation/accuracy_head_1", "validation/accuracy_head_2", "validation/accuracy_head_3"],
        ...["validation/bits_per_byte", "validation/expected_tokens_per_forward"],
        ...["validation/loss_head_1", "validation/loss_head_2", "validation/loss_head_3"],
        ...["weight/head_1", "weight/head_2", "weight/head_3"],
      ]);
    }),
);

withFiles(
  "each attempt has a file of its own, named in the order of the attempts whatever the clock says",
  (folder) => {
    for (const now of [100.7, 100.9, 50, 2000]) new TensorBoard(folder, 0, () => now)[Symbol.dispose]();
    assert.deepEqual([...Deno.readDirSync(join(folder, "tensorboard"))].map(({ name }) => name).sort(), [
      "events.out.tfevents.100.foretoken",
      "events.out.tfevents.101.foretoken",
      "events.out.tfevents.102.foretoken",
      "events.out.tfevents.2000.foretoken",
    ]);
  },
);

/**
 * Proves the train stage as a whole: a run that was stopped goes on to the same bits, what is damaged or does not fit is
 * refused in a sentence, and a number that is not finite ends the run before it is saved.
 */
import assert from "node:assert/strict";
import { SplitWriter, writeMeta } from "../../src/data/shard_writer.ts";
import { join } from "node:path";
import type { TrainConfig } from "../../src/config/schema.ts";
import { sha256OfFile } from "../../src/formats/atomic.ts";
import { SafetensorsFile, type TensorEntry, writeSafetensors } from "../../src/formats/safetensors.ts";
import { Interrupted, UserError } from "../../src/stage/errors.ts";
import { flopsPerToken } from "../../src/model/account.ts";
import { shapeOf } from "../../src/model/shape.ts";
import { cudaDevices } from "../../src/torch/mod.ts";
import { openArm } from "../../src/train/arm.ts";
import { checkpointsIn, readState, type RunState, writeState } from "../../src/train/checkpoint.ts";
import { withFiles } from "../support.ts";
import {
  armOf,
  configs,
  interrupted,
  type Json,
  makeText,
  metricsOf,
  readJson,
  results,
  stopAfter,
  trainArm,
  without,
  withRuns,
} from "./fixture.ts";

/** Trains and is stopped after that many steps of this attempt, then again, ... and at last is let through. */
async function trainWithStops(
  folder: string,
  config: TrainConfig,
  stops: readonly number[],
): Promise<string[]> {
  let step = 0;
  for (const steps of stops) {
    step += steps;
    await assert.rejects(trainArm(folder, config, stopAfter(steps)), {
      name: "Interrupted",
      message: `stopped after step ${step} of ${config.train.steps}, which is saved`,
    });
  }
  return await trainArm(folder, config);
}

withRuns(
  "a stopped run goes on to the same bits, wherever it was stopped and however often",
  async (folder) => {
    await makeText(folder);
    const { arm } = configs();
    await trainArm(folder, arm);
    const expected = results(join(folder, "arm"));
    // Phases change after steps 4 and 8; lines come after 5, 10, 12, validations after 6 and 12, checkpoints after 4, 8, 12.
    const stops = [
      [1],
      [2],
      [4],
      [5],
      [6],
      [7],
      [11],
      [1, 1, 1],
      [3, 4, 4],
      Array.from({ length: 11 }, () => 1),
    ];
    for (const [n, steps] of stops.entries()) {
      const lines = await trainWithStops(folder, { ...arm, id: `arm${n}` }, steps);
      assert.ok(lines.includes(`resumed from step ${steps.reduce((sum, s) => sum + s)}`));
      assert.deepEqual(results(join(folder, `arm${n}`)), expected, `stopped after ${steps}`);
      Deno.removeSync(join(folder, `arm${n}`), { recursive: true });
    }
  },
);

withRuns(
  "a stopped run goes on to the same bits over several epochs, with a mean and with phases of its own",
  async (folder) => {
    await makeText(
      folder,
      "It was the best of times, it was the worst of times, it was the age of wisdom, ".repeat(3),
    );
    const { arm } = configs(
      "arm.curriculum={phases: [{until: 0.3, weights: [0, 0.5, 2]}, {until: 1, weights: [1, 0, 0.25]}]}",
      "arm.train.loss=mean",
      "arm.train.steps=20",
      "arm.train.predict_first=false",
      "arm.model.tied=true",
    );
    await trainArm(folder, arm);
    const { summary } = results(join(folder, "arm"));
    assert.ok((summary as { tokens: number }).tokens > 3 * 240, "less than an epoch");
    for (const steps of [[6], [13], [5, 5]]) {
      await trainWithStops(folder, { ...arm, id: "again" }, steps);
      assert.deepEqual(
        results(join(folder, "again")),
        results(join(folder, "arm")),
        `stopped after ${steps}`,
      );
      Deno.removeSync(join(folder, "again"), { recursive: true });
    }
  },
);

withRuns("a finished run that is run again keeps its bits and its lines", async (folder) => {
  await makeText(folder);
  const { arm } = configs();
  await trainArm(folder, arm);
  const expected = results(join(folder, "arm"));
  Deno.removeSync(join(folder, "arm/train.json"));
  await trainArm(folder, arm);
  assert.deepEqual(results(join(folder, "arm")), expected);
});

withRuns(
  "what a killed run left is put right: half a checkpoint, lines from after it, half a line",
  async (folder) => {
    await makeText(folder);
    const { arm } = configs();
    await trainArm(folder, arm);
    const expected = results(join(folder, "arm"));

    const killed = { ...arm, id: "killed" };
    await assert.rejects(trainArm(folder, killed, stopAfter(6)), Interrupted);
    const checkpoints = join(folder, "killed/checkpoints");
    const half = join(checkpoints, "step-00000008.partial");
    Deno.mkdirSync(half);
    Deno.writeTextFileSync(join(half, "model.safetensors.partial"), "half a tensor");
    Deno.writeTextFileSync(join(half, "state.json"), "{}");
    const metrics = join(folder, "killed/metrics.jsonl");
    const line = { ...metricsOf(join(folder, "killed"))[0]!, step: 7, loss: 999 };
    Deno.writeTextFileSync(metrics, `${JSON.stringify(line)}\n{"kind":"step","st`, { append: true });

    const lines = await trainArm(folder, killed);
    assert.ok(lines.includes("resumed from step 6"));
    assert.deepEqual(results(join(folder, "killed")), expected);
    const left = [...Deno.readDirSync(checkpoints)].map(({ name }) => name).sort();
    assert.deepEqual(left, ["checkpoints.json", "step-00000008", "step-00000012"]);
  },
);

withRuns("metrics.jsonl and train.json say what was done", async (folder) => {
  await makeText(folder);
  const { arm } = configs();
  const lines = await trainArm(folder, arm);
  assert.deepEqual(lines.slice(0, 3), [
    "device: cpu (asked for), 1 thread",
    "precision: fp32 (cpu)",
    "22,448 parameters, 3 heads, curriculum forward, 12 steps",
  ]);
  const metrics = metricsOf(join(folder, "arm"));
  assert.deepEqual(metrics.map(({ kind, step }) => [kind, step]), [
    ["validation", 4], // each checkpoint is judged
    ["step", 5],
    ["validation", 6],
    ["validation", 8],
    ["step", 10],
    ["step", 12],
    ["validation", 12],
  ]);
  for (const line of metrics.filter(({ kind }) => kind === "step")) {
    assert.deepEqual(Object.keys(line), [
      ...["kind", "step", "tokens", "bytes", "loss", "heads", "weights", "active_heads", "lr", "grad_norm"],
      ...["clipped", "tokens_per_s", "mfu", "rss_bytes", "memory_bytes"],
    ]);
    const [step, tokens, bytes, rate] = ["step", "tokens", "bytes", "tokens_per_s"].map((key) =>
      line[key] as number
    );
    assert.equal(tokens, step! * 2 * 2 * 16);
    assert.ok(bytes! <= tokens! && bytes! > 0.9 * tokens!);
    assert.ok(rate! > 0);
    assert.ok((line.mfu as number) > 0 && (line.memory_bytes as number) > 1e7);
  }
  const [first, second, third] = metrics.filter(({ kind }) => kind === "step") as {
    heads: (number | null)[];
    weights: number[];
    loss: number;
    lr: number;
  }[];
  // MFU counts the heads that are awake: two in the first line, three in the second, at one peak.
  const [two, three] = metrics.filter(({ kind }) => kind === "step").map(({ mfu, tokens_per_s }) =>
    (mfu as number) / (tokens_per_s as number)
  );
  const flops = (awake: number) => flopsPerToken(shapeOf({ ...arm.model, vocab: 320 }), awake);
  assert.ok(Math.abs(two! / three! - flops(2) / flops(3)) < 1e-6);
  // Steps 1 to 5: head 2 has been awake for one of them, the last.
  assert.deepEqual(first!.heads.map((nll) => nll === null), [false, false, true]);
  assert.deepEqual([first!.weights, second!.weights], [[1, 1, 0], [1, 1, 1]]);
  const sum = third!.heads.reduce<number>((total, nll) => total + nll!, 0); // all awake, weights 1
  assert.ok(Math.abs(third!.loss - sum) < 1e-6);
  assert.ok(Math.abs(third!.lr - 3e-4) < 1e-12);
  for (const line of metrics.filter(({ kind }) => kind === "validation")) {
    assert.deepEqual(Object.keys(without(line, "kind")), [
      ...["step", "bits_per_byte", "heads", "acceptance", "expected_tokens_per_forward"],
    ]);
    assert.equal((line.heads as Json[]).length, 3);
    assert.deepEqual(Object.keys((line.heads as Json[])[0]!), ["loss", "accuracy"]);
    assert.equal((line.acceptance as number[]).length, 2);
  }

  const summary = readJson(join(folder, "arm/train.json"));
  assert.deepEqual(without(summary, "seconds", "tokens_per_s", "energy", "peak_rss_bytes", "versions"), {
    steps: 12,
    tokens: 768,
    bytes: metrics.at(-2)!.bytes,
    parameters: { embedding: 5120, trunk: 1968, heads: [5120, 5120, 5120], total: 22448 },
    model: { ...arm.model, vocab: 320 },
    curriculum: {
      name: "forward",
      heads: 3,
      phases: [
        { from: 0, to: 4, weights: [1, 0, 0] },
        { from: 4, to: 8, weights: [1, 1, 0] },
        { from: 8, to: 12, weights: [1, 1, 1] },
      ],
    },
    validation: metrics.at(-1),
    device: "cpu",
    threads: 1,
    precision: "fp32",
  });
});

withRuns(
  "training lowers the loss of every head, and arms share their first steps whatever K is",
  async (folder) => {
    await makeText(folder);
    const { arm } = configs("arm.train.steps=60", "arm.train.lr=0.01", "arm.train.log_every=1");
    await trainArm(folder, { ...arm, curriculum: "mtp" });
    const heads = metricsOf(join(folder, "arm")).filter(({ kind }) => kind === "step").map(({ heads }) =>
      heads as number[]
    );
    for (const i of [0, 1, 2]) {
      assert.ok(Math.abs(heads[0]![i]! - Math.log(320)) < 0.1);
      assert.ok(heads.at(-1)![i]! < 4, `head ${i + 1} ended at ${heads.at(-1)![i]} nats`);
    }

    // While head 1 alone is awake, K only adds matrices that nobody reads.
    const losses = async (id: string, K: number) => {
      const train = { ...arm.train, steps: 12, log_every: 1 };
      const model = { ...arm.model, heads: { kind: "linear" as const, count: K } };
      await trainArm(folder, { ...arm, id, model, train, curriculum: K === 1 ? "ntp" : "forward" });
      return metricsOf(join(folder, id)).filter(({ kind }) => kind === "step").slice(0, 4).map(({ loss }) =>
        loss
      );
    };
    assert.deepEqual(await losses("forward", 3), await losses("ntp", 1));
  },
);

/** Rewrites a file of tensors, and the checksum that state.json has of it: damage that only the loader can see. */
function rewrite(
  checkpoint: string,
  part: "model" | "optimizer",
  change: (tensors: TensorEntry[]) => TensorEntry[],
): void {
  const path = join(checkpoint, `${part}.safetensors`);
  let tensors: TensorEntry[];
  {
    using file = new SafetensorsFile(path);
    tensors = file.names.map((name) => {
      const bytes = file.read(name);
      return { ...file.info(name), bytes: () => bytes };
    });
  }
  const { sha256 } = writeSafetensors(path, change(tensors), { format: "pt" });
  const { state, sha256: checksums } = readState(checkpoint, "");
  writeState(checkpoint, state, { ...checksums, [part]: sha256 });
}

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** What can be wrong with a checkpoint, and what the sentence about it says after the name of the file. */
const DAMAGES: readonly [what: string, file: string, damage: (checkpoint: string) => void, says: RegExp][] = [
  [
    "whose model is cut short",
    "model.safetensors",
    (checkpoint) => Deno.truncateSync(join(checkpoint, "model.safetensors"), 1000),
    /" is damaged: SHA-256 is \w{64}, state\.json says \w{64}; move .* train again/,
  ],
  [
    "of which one bit is another",
    "optimizer.safetensors",
    (checkpoint) => {
      const path = join(checkpoint, "optimizer.safetensors");
      const bytes = Deno.readFileSync(path);
      bytes[bytes.length - 5]! ^= 1;
      Deno.writeFileSync(path, bytes);
    },
    /" is damaged: SHA-256/,
  ],
  [
    "without its optimizer",
    "optimizer.safetensors",
    (checkpoint) => Deno.removeSync(join(checkpoint, "optimizer.safetensors")),
    /": no such file/,
  ],
  [
    "without state.json",
    "state.json",
    (checkpoint) => Deno.removeSync(join(checkpoint, "state.json")),
    /": [Nn]o such file.*; move .* train again/,
  ],
  [
    "whose state.json is cut short",
    "state.json",
    (checkpoint) => Deno.truncateSync(join(checkpoint, "state.json"), 100),
    /": .*JSON.*; move .* train again/,
  ],
  [
    "whose state.json lacks a key",
    "state.json",
    (checkpoint) => {
      const { state, sha256 } = readState(checkpoint, "");
      writeState(checkpoint, without(state, "position") as unknown as RunState, sha256);
    },
    /": state\.position: .*; move .* train again/,
  ],
  [
    "whose state.json was edited",
    "state.json",
    (checkpoint) => {
      const path = join(checkpoint, "state.json");
      Deno.writeTextFileSync(path, Deno.readTextFileSync(path).replace('"step": 6', '"step": 7'));
    },
    /" is damaged: its checksum does not fit; move .* train again/,
  ],
  [
    "with a tensor missing",
    "model.safetensors",
    (checkpoint) =>
      rewrite(checkpoint, "model", (tensors) => tensors.filter(({ name }) => name !== "blocks.0.qkv")),
    /^No tensor "blocks\.0\.qkv" in "/,
  ],
  [
    "with a tensor too many",
    "model.safetensors",
    (checkpoint) =>
      rewrite(checkpoint, "model", (tensors) => [...tensors, { ...tensors[0]!, name: "heads.9" }]),
    /" holds a tensor "heads\.9" that this model has not/,
  ],
  [
    "with a tensor of another shape",
    "model.safetensors",
    (checkpoint) =>
      rewrite(
        checkpoint,
        "model",
        (tensors) =>
          tensors.map((tensor) =>
            tensor.name === "heads.2" ? { ...tensor, shape: tensor.shape.toReversed() } : tensor
          ),
      ),
    /" holds "heads\.2" as F32 \[16,320\]; this model has it as F32 \[320,16\]/,
  ],
  [
    "with the moments of a parameter that there is not",
    "optimizer.safetensors",
    (checkpoint) =>
      rewrite(checkpoint, "optimizer", (tensors) => [...tensors, { ...tensors[0]!, name: "heads.9.step" }]),
    /" holds a tensor "heads\.9\.step" that this model has not/,
  ],
  [
    "with half the moments of a parameter",
    "optimizer.safetensors",
    (checkpoint) =>
      rewrite(checkpoint, "optimizer", (tensors) => tensors.filter(({ name }) => name !== "norm.square")),
    /^No tensor "norm\.square" in "/,
  ],
];

for (const [what, file, damage, says] of DAMAGES) {
  withRuns(`a checkpoint ${what} is refused in a sentence that names the file`, async (folder) => {
    const { arm, checkpoint } = await interrupted(folder);
    damage(checkpoint);
    await assert.rejects(trainArm(folder, arm), (error: Error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, says);
      assert.match(error.message, new RegExp(escaped(join(checkpoint, file))));
      return true;
    });
  });
}

withRuns(
  "a damaged checkpoint can be moved away: the run goes on from the one before, to the same bits",
  async (folder) => {
    const { arm, checkpoint } = await interrupted(folder);
    Deno.truncateSync(join(checkpoint, "model.safetensors"), 1000);
    await assert.rejects(trainArm(folder, arm), UserError);
    Deno.renameSync(checkpoint, join(folder, "away"));
    assert.ok((await trainArm(folder, arm)).includes("resumed from step 4"));
    await trainArm(folder, { ...arm, id: "whole" });
    assert.deepEqual(results(join(folder, "arm")), results(join(folder, "whole")));
  },
);

withRuns(
  "a checkpoint of another configuration is refused, and every difference is named",
  async (folder) => {
    const { arm, checkpoint } = await interrupted(folder);
    const changed = configs("arm.train.lr=0.001", "arm.model.layers=2", "arm.curriculum=mtp", "seed=1").arm;
    await assert.rejects(trainArm(folder, changed), {
      name: "UserError",
      message: `"${checkpoint}" is of another run: seed: 1337 in the checkpoint, 1 now; ` +
        `model.layers: 1 in the checkpoint, 2 now; curriculum: "forward" in the checkpoint, "mtp" now; ` +
        `train.lr: 0.003 in the checkpoint, 0.001 now. Start under a new name, or with --force to throw it away`,
    });
    await assert.rejects(
      trainArm(folder, configs("arm.model.heads.count=2").arm),
      /model\.heads\.count: 3 in the checkpoint, 2 now/,
    );

    Deno.removeSync(join(folder, "text"), { recursive: true });
    await makeText(folder, "Another text. ".repeat(40));
    const message = /of another run: text: "\w{64}" in the checkpoint, "\w{64}" now\. Start/;
    await assert.rejects(trainArm(folder, arm), { name: "UserError", message });
  },
);

withRuns("how often a run is logged, validated and saved may change under way", async (folder) => {
  const { arm } = await interrupted(folder);
  const often =
    configs("arm.train.log_every=1", "arm.train.validate_every=3", "arm.train.checkpoint_every=5").arm;
  await trainArm(folder, { ...often, train: { ...often.train, keep: 1 } });
  await trainArm(folder, { ...arm, id: "whole" });
  const tensors = (id: string) => {
    const { model, optimizer } = results(join(folder, id));
    return { model, optimizer };
  };
  assert.deepEqual(tensors("arm"), tensors("whole"));
});

withRuns("another number of threads is a warning, since the bits may differ", async (folder) => {
  const { arm } = await interrupted(folder, 11); // one step with two threads: on a busy machine it takes a second
  const lines = await trainArm(folder, { ...arm, threads: 2 });
  assert.ok(
    lines.includes("warning: not to the same bits as before: threads: 1 in the checkpoint, 2 now"),
    String(lines),
  );
});

withRuns(
  "a rate that blows the model up stops the run, which names the step; no later checkpoint is made",
  async (folder) => {
    await makeText(folder);
    const { arm } = configs("arm.train.lr=1e30", "arm.train.warmup=0", "arm.train.checkpoint_every=1");
    await assert.rejects(trainArm(folder, arm), {
      name: "UserError",
      message:
        /^Training stopped at step 2: loss .*gradient norm NaN, in blocks 4 to 7 of the order.*Lower lr/,
    });
    assert.deepEqual(checkpointsIn(join(folder, "arm")).map((path) => path.slice(-8)), ["00000001"]);
  },
);

withRuns(
  "a parameter that is not a number stops the run at the next step and leaves the good checkpoint",
  async (folder) => {
    const { arm, checkpoint } = await interrupted(folder);
    rewrite(checkpoint, "model", (tensors) =>
      tensors.map((tensor) => {
        if (tensor.name !== "heads.1") return tensor;
        const bytes = tensor.bytes();
        new DataView(bytes.buffer, bytes.byteOffset).setFloat32(400, NaN, true);
        return { ...tensor, bytes: () => bytes };
      }));
    const before = sha256OfFile(join(checkpoint, "model.safetensors"));
    await assert.rejects(trainArm(folder, arm), {
      name: "UserError",
      message: /^Training stopped at step 7: loss NaN \(head 1: NaN, head 2: \d\.\d+, head 3: asleep\)/,
    });
    assert.equal(checkpointsIn(join(folder, "arm")).at(-1), checkpoint);
    assert.equal(sha256OfFile(join(checkpoint, "model.safetensors")), before);
  },
);

withRuns("a last step that ruins the model is found by the validation, and not saved", async (folder) => {
  await makeText(folder);
  const { arm } = configs("arm.train.lr=1e38", "arm.train.warmup=0", "arm.train.steps=1");
  await assert.rejects(trainArm(folder, arm), {
    name: "UserError",
    message: /^Training stopped after step 1: NaN bits per byte held out\. This step is not saved/,
  });
  assert.deepEqual(checkpointsIn(join(folder, "arm")), []);
});

withRuns("text shorter than a block is refused, naming the split", async (folder) => {
  await makeText(folder, "Fourteen bytes");
  await assert.rejects(trainArm(folder, configs().arm), {
    name: "UserError",
    message: "The train split has fewer tokens than one block of 16: " +
      "give more text, or lower model.context",
  });
  await makeText(folder, "Sixteen letters.");
  await assert.rejects(trainArm(folder, configs("arm.model.context=18").arm), UserError);
  await trainArm(folder, configs("arm.model.context=17").arm); // END, 16 bytes, END: 17 inputs and the last target
});

withRuns("a step without a target for any head that is awake ends in a sentence", async (folder) => {
  const text = join(folder, "text");
  Deno.mkdirSync(text);
  const shards = (split: "train" | "val") => {
    using writer = new SplitWriter(text, split, 1e6);
    for (let i = 0; i < 60; i++) writer.add(Uint8Array.of(65)); // too short for head 3
    return writer.finish();
  };
  writeMeta(text, [], { train: shards("train"), val: shards("val") });
  const { arm } = configs("arm.curriculum={phases: [{until: 1, weights: [0, 0, 1]}]}");
  await assert.rejects(trainArm(folder, arm), {
    name: "UserError",
    message: /^Step 1 has no target for any head that is awake/,
  });
});

withRuns("an altered shard is refused, naming it", async (folder) => {
  await makeText(folder);
  const shard = join(folder, "text/train-00001.bin");
  const bytes = Deno.readFileSync(shard);
  bytes[7]! ^= 1;
  Deno.writeFileSync(shard, bytes);
  await assert.rejects(trainArm(folder, configs().arm), {
    name: "UserError",
    message: new RegExp(`^Cannot use the shard "${escaped(shard)}": it was altered`),
  });
});

withRuns("CUDA where there is none is refused in a sentence", async (folder) => {
  await makeText(folder);
  if (cudaDevices() > 0) return;
  await assert.rejects(trainArm(folder, configs("device=cuda").arm), {
    name: "TorchError",
    message: /^device: cuda was asked for and there is none \(.+\); set device to auto or cpu$/,
  });
});

withRuns("openArm() refuses a stage that has not finished, and opens one that has", async (folder) => {
  const { arm } = await interrupted(folder);
  assert.throws(() => openArm(armOf(folder), "cpu"), {
    name: "UserError",
    message: /^Cannot read ".*arm\/train\.json": .*; has stage arm finished\?$/,
  });
  await trainArm(folder, arm);
  using opened = openArm(armOf(folder), "cpu");
  assert.deepEqual([opened.id, opened.curriculum, opened.model.headCount], ["arm", "forward", 3]);
  using file = new SafetensorsFile(join(folder, "arm/checkpoints/step-00000012/model.safetensors"));
  for (const [name, tensor] of opened.model.parameters.entries()) {
    assert.deepEqual(tensor.toBytes(), file.read(name), name);
  }
});

withRuns("openArm() refuses a checkpoint of another model, and a train.json that is none", async (folder) => {
  await makeText(folder);
  await trainArm(folder, configs().arm);
  const path = join(folder, "arm/train.json");
  const summary = readJson(path) as { model: Json };
  Deno.writeTextFileSync(path, JSON.stringify({ ...summary, model: { ...summary.model, ffn: 32 } }));
  assert.throws(
    () => openArm(armOf(folder), "cpu"),
    /holds "blocks\.0\.(gate_up|down)" as F32 \[.*\]; this model has/,
  );
  Deno.writeTextFileSync(path, JSON.stringify(without(summary, "model")));
  assert.throws(() => openArm(armOf(folder), "cpu"), {
    name: "UserError",
    message: /^Cannot use ".*train\.json": model/,
  });
});

withRuns("openArm() needs the last checkpoint's model, and nothing of its optimizer", async (folder) => {
  await makeText(folder);
  await trainArm(folder, configs().arm);
  const last = join(folder, "arm/checkpoints/step-00000012");
  Deno.truncateSync(join(last, "optimizer.safetensors"), 10);
  openArm(armOf(folder), "cpu")[Symbol.dispose]();
  Deno.removeSync(last, { recursive: true });
  assert.throws(() => openArm(armOf(folder), "cpu"), {
    name: "UserError",
    message:
      /step-00000008" is not the last checkpoint of stage arm, which took 12 steps; train that stage again$/,
  });
});

withFiles("checkpointsIn() lists whole checkpoints, oldest first, and nothing else", (folder) => {
  assert.deepEqual(checkpointsIn(folder), []);
  for (const name of ["step-00000100", "step-00000020", "step-00000300.partial", "step-5", "notes"]) {
    Deno.mkdirSync(join(folder, "checkpoints", name), { recursive: true });
  }
  assert.deepEqual(
    checkpointsIn(folder),
    ["step-00000020", "step-00000100"].map((n) => join(folder, "checkpoints", n)),
  );
});

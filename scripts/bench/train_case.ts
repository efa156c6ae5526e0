/**
 * This project's side of `train` and `memory`: takes a {@link Case} in JSON, writes its file and prints the number of
 * parameters. With `bound` behind the case it refuses exec to itself, as a stage does. Then it answers each line: `N` with the milliseconds that one of N steps took and the last loss, `memory`
 * with {@link Peak} in JSON.
 */
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import { type ModelOptions, MtpModel } from "../../src/model/mod.ts";
import { type Blocks, load, memory, refuseExec, Scope, start, Tensor } from "../../src/torch/mod.ts";
import { Optimizer } from "../../src/train/optimizer.ts";
import { trainStep } from "../../src/train/step.ts";
import { linesOf } from "./child.ts";
import { randomBlocks } from "./random_blocks.ts";
import { print } from "./table.ts";
import type { Case } from "./train_model.ts";

/** Bytes. */
export interface Peak {
  readonly weights: number;
  readonly optimizer: number;
  /** Resident before the first step: the program, the weights, the optimizer's state. */
  readonly before: number;
  /** Most that was ever resident. */
  readonly peak: number;
}

const LR = 1e-3;
const ADAM = { beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: 0.1, clip: 1 } as const;

/** A model, its optimizer and one batch of random tokens; lives as long as the process. */
class Training {
  readonly model: MtpModel;
  readonly optimizer: Optimizer;
  readonly blocks: Blocks;

  constructor(options: ModelOptions, readonly batch: number) {
    this.model = new MtpModel(options, 1, "cpu");
    this.optimizer = new Optimizer(this.model.parameters, ADAM);
    for (const [name] of this.model.parameters.entries()) this.optimizer.state(name);
    this.blocks = randomBlocks(options, batch);
  }

  /** Returns the last step's loss, the sum over the heads. */
  run(steps: number): number {
    const weights = Array.from({ length: this.model.headCount }, () => 1);
    const objective = { weights, loss: "sum" } as const;
    let sum = NaN;
    for (let step = 0; step < steps; step++) {
      using _scope = new Scope();
      const { losses } = trainStep(this.model, this.optimizer, this.blocks, this.batch, objective, LR);
      sum = losses.reduce((total, loss) => total + loss!.item(), 0);
    }
    return sum;
  }
}

/** The first weights and the tokens, for the peer. */
function write({ model, blocks }: Training, file: string): void {
  const tensors: [string, Tensor][] = [
    ...model.parameters.entries(),
    ["inputs", blocks.inputs],
    ["targets", blocks.targets],
  ];
  writeSafetensors(
    file,
    tensors.map(([name, tensor]) => ({
      name,
      dtype: tensor.dtype === "int64" ? "I64" : "F32",
      shape: tensor.shape,
      bytes: () => tensor.toBytes(),
    })),
  );
}

const bytesOf = (tensors: readonly Tensor[]): number => tensors.reduce((sum, t) => sum + t.byteLength, 0);

async function main({ model, batch, file }: Case): Promise<void> {
  start({ device: "cpu", threads: "auto" });
  // A small model first: the pages of the code and libtorch's workspaces are no part of a step.
  new Training({
    ...model,
    vocab: 64,
    width: 32,
    layers: 1,
    attention_heads: 2,
    kv_heads: 2,
    ffn: 32,
    context: 32,
  }, 2)
    .run(1);
  const training = new Training(model, batch);
  write(training, file);
  const weights = bytesOf(training.model.parameters.tensors());
  const optimizer = bytesOf(training.optimizer.entries().map(([, tensor]) => tensor));
  const before = memory("cpu").now;
  print(String(weights / Float32Array.BYTES_PER_ELEMENT));
  for await (const line of linesOf(Deno.stdin.readable)) {
    if (line === "memory") {
      print(JSON.stringify({ weights, optimizer, before, peak: memory("cpu").peak } satisfies Peak));
      continue;
    }
    const steps = Number(line), started = performance.now();
    const loss = training.run(steps);
    print(`${(performance.now() - started) / steps} ${loss}`);
  }
}

const [of, bound] = Deno.args;
if (bound === "bound") {
  load();
  refuseExec();
}
await main(JSON.parse(of!));

/** One case of memory.ts: trains a model with the number of heads given, and prints its {@link Peak} as JSON. */
import { type ModelOptions, MtpModel } from "../../src/model/mod.ts";
import { memory, Scope, start, type Tensor } from "../../src/torch/mod.ts";
import { Optimizer } from "../../src/train/optimizer.ts";
import { trainStep } from "../../src/train/step.ts";
import { randomBlocks } from "./random_blocks.ts";
import { print } from "./table.ts";

/** Bytes. */
export interface Peak {
  readonly heads: number;
  /** The model's size, for a reader. */
  readonly size: string;
  readonly weights: number;
  readonly optimizer: number;
  /** Resident before the step: the program, the weights, the optimizer's state. */
  readonly before: number;
  /** Most that was ever resident, read after the steps. */
  readonly after: number;
}

const BATCH = 8;
const STEPS = 2;
const MODEL = {
  vocab: 8192,
  width: 256,
  layers: 4,
  attention_heads: 4,
  kv_heads: 4,
  ffn: 704,
  context: 256,
  rope_theta: 10_000,
  norm_eps: 1e-5,
  tied: false,
} as const;

/** Trains a model for some steps; calls `ready` when weights and optimizer state are there. */
function train(
  options: ModelOptions,
  steps: number,
  ready: (model: MtpModel, optimizer: Optimizer) => void,
): void {
  using model = new MtpModel(options, 1, "cpu");
  using optimizer = new Optimizer(model.parameters, {
    beta1: 0.9,
    beta2: 0.95,
    eps: 1e-8,
    weight_decay: 0.1,
    clip: 1,
  });
  for (const [name] of model.parameters.entries()) optimizer.state(name);
  using _scope = new Scope();
  const blocks = randomBlocks(options, BATCH);
  ready(model, optimizer);
  const objective = { weights: Array.from({ length: options.heads.count }, () => 1), loss: "sum" } as const;
  for (let step = 0; step < steps; step++) {
    using _scope = new Scope();
    trainStep(model, optimizer, blocks, BATCH, objective, 1e-3);
  }
}

const bytesOf = (tensors: readonly Tensor[]): number => tensors.reduce((sum, t) => sum + t.byteLength, 0);

function measure(count: number): Peak {
  start({ device: "cpu", threads: "auto" });
  const heads = { kind: "linear", count } as const;
  // The same code on a small model first: its pages and libtorch's workspaces are no part of the step.
  train({ ...MODEL, heads, vocab: 64, width: 32, layers: 1, ffn: 32, context: 8 }, 1, () => {});
  let [before, weights, optimizer] = [0, 0, 0];
  train({ ...MODEL, heads }, STEPS, (model, states) => {
    weights = bytesOf(model.parameters.tensors());
    optimizer = bytesOf(states.entries().map(([, tensor]) => tensor));
    before = memory("cpu").now;
  });
  const { vocab, width, layers, context } = MODEL;
  const size = `${layers} layers of width ${width}, vocabulary ${vocab}, batch ${BATCH} x ${context}`;
  return { heads: count, size, weights, optimizer, before, after: memory("cpu").peak };
}

print(JSON.stringify(measure(Number(Deno.args[0]))));

/**
 * `deno task bench checkpoint`: for how long saving stops the training of a model of 100 M parameters with AdamW's state,
 * and how long the rest takes in the background. Each save is of new bytes; the disk is the one of native/build.
 */
import { MtpModel } from "../../src/model/mod.ts";
import { Scope, start } from "../../src/torch/mod.ts";
import type { RunState } from "../../src/train/checkpoint.ts";
import { Optimizer } from "../../src/train/optimizer.ts";
import { Saver } from "../../src/train/saver.ts";
import { median, print, printTable } from "./table.ts";

const FOLDER = decodeURIComponent(new URL("../../native/build/bench/checkpoint", import.meta.url).pathname);
const SAVES = 5;
/** Milliseconds before the first save. */
const BEFORE = 15_000;
/** Milliseconds of work between two looks at a save: a step. */
const STEP = 50;
const MODEL = {
  vocab: 32_000,
  width: 640,
  layers: 12,
  attention_heads: 10,
  kv_heads: 10,
  ffn: 1728,
  context: 1024,
  heads: { kind: "linear", count: 1 },
  rope_theta: 10_000,
  norm_eps: 1e-5,
  tied: false,
} as const;
const ADAMW = { beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: 0.1, clip: 1 };

/** Seconds of one save. */
interface Times {
  /** Copying, for which training stops. */
  readonly copy: number;
  /** The longest look at a save in flight: at the end of it files are named and old ones put aside. */
  readonly look: number;
  /** From the start of the save until it is whole on the disk. */
  readonly whole: number;
}

export async function run(): Promise<void> {
  Deno.mkdirSync(FOLDER, { recursive: true });
  start({ device: "cpu", threads: "auto" });
  try {
    using model = new MtpModel(MODEL, 1, "cpu");
    using optimizer = new Optimizer(model.parameters, ADAMW);
    for (const [name] of model.parameters.entries()) optimizer.state(name);
    using saver = new Saver(FOLDER, { keep: 1, keep_best: false }, (_, sentence) => print(sentence));
    const weights = 4 * parameters(model);
    saver.reserve({ model: weights, optimizer: 2 * weights }, "cpu");
    await new Promise((resolve) => setTimeout(resolve, BEFORE)); // room is made during the steps before the first save
    const times: Times[] = [];
    for (let step = 1; step <= SAVES; step++) times.push(await save(model, optimizer, saver, step));
    report(times, parameters(model));
  } finally {
    Deno.removeSync(FOLDER, { recursive: true });
  }
}

const parameters = (model: MtpModel): number =>
  model.parameters.entries().reduce((sum, [, { size }]) => sum + size, 0);

async function save(model: MtpModel, optimizer: Optimizer, saver: Saver, step: number): Promise<Times> {
  change(optimizer, step);
  const begun = performance.now();
  await saver.start({ model: model.parameters.entries(), optimizer: optimizer.entries() }, stateAt(step));
  const copied = performance.now();
  let look = 0;
  while (saver.saved !== step && saver.failure === null) {
    await new Promise((resolve) => setTimeout(resolve, STEP));
    const before = performance.now();
    saver.poll();
    look = Math.max(look, performance.now() - before);
  }
  const whole = performance.now() - begun;
  await saver.finish(); // what it replaces is gone
  if (saver.failure !== null) throw saver.failure;
  return { copy: (copied - begun) / 1000, look: look / 1000, whole: whole / 1000 };
}

/** Numbers as a training's, none of them the last save's. */
function change(optimizer: Optimizer, step: number): void {
  using _scope = new Scope();
  optimizer.entries().forEach(([, tensor], i) => tensor.normal_(1e-3, step * 1000 + i));
}

const stateAt = (step: number): RunState => ({
  step,
  position: 0,
  bytes: 0,
  seconds: 0,
  window: { steps: 0, loss: 0, clipped: 0, heads: [] },
  curriculum: null,
  rng: "",
  bits_per_byte: null,
  run: {},
  machine: { device: "cpu", threads: 1, torch: "", rows: "" },
});

function report(times: readonly Times[], count: number): void {
  const bytes = 12 * count;
  print(
    `Saves of ${(count / 1e6).toFixed(1)} M parameters with AdamW's state, ${
      (bytes / 1e9).toFixed(2)
    } GB each:`,
  );
  print();
  const seconds = (value: number) => value.toFixed(3);
  const row = (name: string, value: ({ copy, look, whole }: Times) => number) => {
    const later = times.slice(1).map(value);
    return [name, seconds(value(times[0]!)), seconds(median(later)), seconds(Math.max(...later))];
  };
  printTable(["seconds", "first save", "later, median", "later, most"], [
    row("training stops for the copy", ({ copy }) => copy),
    row("training stops for names and old files", ({ look }) => look),
    row("until all is on the disk", ({ whole }) => whole),
  ]);
}

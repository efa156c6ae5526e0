/**
 * What a curriculum costs: a run of `forward` with K = 4 heads against runs with 2 and with 3 heads awake throughout, whose
 * mean is that of (K + 1) / 2 heads, and against all 4. Steps of all runs take turns, so that what else the machine does
 * meets each of them alike. The claim: sleeping heads cost nothing, so `forward` is within 5% of the mean.
 */
import { type ModelOptions, MtpModel } from "../../src/model/mod.ts";
import { Scope, start } from "../../src/torch/mod.ts";
import { phasesOf, weightsAt } from "../../src/train/curriculum.ts";
import { Optimizer } from "../../src/train/optimizer.ts";
import { trainStep } from "../../src/train/step.ts";
import { randomBlocks } from "./random_blocks.ts";
import { median, print, printTable } from "./table.ts";

const K = 4;
const BATCH = 8;
/** A multiple of K. */
const STEPS = 16;
const RUNS = 3;

const SHAPE = { layers: 4, context: 128, rope_theta: 10_000, norm_eps: 1e-5, tied: false } as const;
const MODELS: readonly (readonly [name: string, options: ModelOptions])[] = [
  ["bytes, width 128", {
    ...SHAPE,
    vocab: 320,
    width: 128,
    attention_heads: 4,
    kv_heads: 4,
    ffn: 352,
    heads: { kind: "linear", count: K },
  }],
  ["V = 8192, width 128", {
    ...SHAPE,
    vocab: 8192,
    width: 128,
    attention_heads: 4,
    kv_heads: 4,
    ffn: 352,
    heads: { kind: "linear", count: K },
  }],
];

/** The heads' weights at a step. */
type Weights = (step: number) => readonly number[];

const always = (k: number): Weights => () => Array.from({ length: K }, (_, i) => i < k ? 1 : 0);

/** A model in training whose steps are timed. */
class Contender implements Disposable {
  readonly #model: MtpModel;
  readonly #optimizer: Optimizer;

  constructor(readonly options: ModelOptions, readonly weights: Weights) {
    this.#model = new MtpModel(options, 1, "cpu");
    this.#optimizer = new Optimizer(this.#model.parameters, {
      beta1: 0.9,
      beta2: 0.95,
      eps: 1e-8,
      weight_decay: 0.1,
      clip: 1,
    });
  }

  /** Takes a step; returns its milliseconds. */
  step(step: number): number {
    using _scope = new Scope();
    const blocks = randomBlocks(this.options, BATCH);
    const began = performance.now();
    trainStep(
      this.#model,
      this.#optimizer,
      blocks,
      BATCH,
      { weights: this.weights(step), loss: "sum" },
      1e-3,
    );
    return performance.now() - began;
  }

  [Symbol.dispose](): void {
    this.#optimizer[Symbol.dispose]();
    this.#model[Symbol.dispose]();
  }
}

/** Milliseconds a step of a run each: `forward`, and 2, 3 and 4 heads throughout. */
function measure(options: ModelOptions): number[] {
  const phases = phasesOf("forward", K, STEPS);
  using stack = new DisposableStack();
  const contenders = [(step: number) => weightsAt(phases, step), always(2), always(3), always(K)]
    .map((weights) => stack.use(new Contender(options, weights)));
  const totals = contenders.map(() => 0);
  for (const contender of contenders) contender.step(STEPS - 1); // first steps make room
  for (let step = 0; step < STEPS; step++) {
    for (const [i, contender] of contenders.entries()) totals[i]! += contender.step(step);
  }
  return totals.map((total) => total / STEPS);
}

export function run(): Promise<void> {
  const { threads } = start({ device: "cpu", threads: "auto" });
  print(
    `${RUNS} runs of ${STEPS} steps, ${BATCH} x ${SHAPE.context} tokens, ${threads} threads; medians, milliseconds a step`,
  );
  print();
  printTable(
    ["model", "forward", "2 heads", "3 heads", "4 heads", "over 2.5 heads", "over 4 heads"],
    MODELS.map(([name, options]) => {
      const runs = Array.from({ length: RUNS }, () => measure(options));
      const over = (what: (run: number[]) => number) =>
        median(runs.map((run) => run[0]! / what(run))).toFixed(3);
      const times = [0, 1, 2, 3].map((i) => median(runs.map((run) => run[i]!)).toFixed(1));
      return [name, ...times, over(([, two, three]) => (two! + three!) / 2), over(([, , , all]) => all!)];
    }),
  );
  return Promise.resolve();
}

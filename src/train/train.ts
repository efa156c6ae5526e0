/**
 * The `train` stage: one arm, from shards to checkpoints and metrics.jsonl. It goes on from its newest checkpoint, to
 * the same bits as if it had never stopped.
 */
import { join } from "node:path";
import { type TrainConfig, withoutCadence } from "../config/schema.ts";
import { BlockOrder, BlockTable } from "../data/batches.ts";
import { type ShardSet, verifyShards } from "../data/shards.ts";
import { writeJson } from "../formats/atomic.ts";
import { differences } from "../formats/differences.ts";
import { addScores, emptyScores, MtpModel, summarize } from "../model/mod.ts";
import { Interrupted, UserError } from "../stage/errors.ts";
import type { Run, StageIo } from "../stage/io.ts";
import { turn } from "../stage/turn.ts";
import { ByteShards, inWords, type Machine, memory, Scope, start, versions } from "../torch/mod.ts";
import {
  ADVICE,
  checkpointsIn,
  loadModel,
  loadOptimizer,
  readCheckpoint,
  type RunState,
  saveCheckpoint,
} from "./checkpoint.ts";
import { curriculumName, type Phase, phasesOf, weightsAt } from "./curriculum.ts";
import { Interval } from "./interval.ts";
import { Metrics, type ValidationLine } from "./metrics.ts";
import { Optimizer } from "./optimizer.ts";
import { learningRate } from "./schedule.ts";
import { lossDivisor, trainStep } from "./step.ts";

export const run: Run<TrainConfig> = async (config, io) => {
  const machine = start(config);
  io.log(inWords(machine));
  const set = verifyShards(io.needs.find((need) => need.run === "prepare")!.folder);
  using trainer = new Trainer(config, io, machine, set);
  await trainer.run();
};

/** How differences name what was saved. */
const THEN = "in the checkpoint";

/** What must be equal for a checkpoint to be this run's. Where and how often it is logged and saved may change. */
function identityOf(config: TrainConfig, set: ShardSet): Record<string, unknown> {
  return {
    seed: config.seed,
    model: config.model,
    curriculum: config.curriculum,
    train: withoutCadence(config.train),
    data: set.meta.splits.train.shards.map((shard) => [shard.sha256, shard.indexSha256]),
  };
}

class Trainer implements Disposable {
  readonly #model: MtpModel;
  readonly #optimizer: Optimizer;
  readonly #shards: ByteShards;
  readonly #validationShards: ByteShards;
  readonly #order: BlockOrder;
  readonly #phases: Phase[];
  readonly #interval: Interval;
  readonly #metrics: Metrics;
  readonly #identity: Record<string, unknown>;
  /** Optimizer steps, blocks, text bytes and seconds that are behind. */
  #done = { step: 0, position: 0, bytes: 0, seconds: 0 };
  /** Where the last line of metrics.jsonl stood. */
  #logged = { tokens: 0, seconds: 0 };
  #validation: ValidationLine | null = null;
  /** The step of the newest checkpoint; to write it twice would leave a moment without it. */
  #saved = 0;

  constructor(
    readonly config: TrainConfig,
    readonly io: StageIo,
    readonly machine: Machine,
    set: ShardSet,
  ) {
    const { model, train, curriculum, seed } = config;
    using opened = new DisposableStack(); // frees what was opened when a later line throws
    this.#shards = opened.use(new ByteShards(set.splits.train));
    this.#validationShards = opened.use(new ByteShards(set.splits.val));
    this.#order = new BlockOrder(new BlockTable(this.#shards.tokens, model.context), seed);
    const short = ([["train", this.#shards], ["val", this.#validationShards]] as const)
      .find(([, shards]) => new BlockTable(shards.tokens, model.context).count === 0);
    if (short !== undefined) {
      throw new UserError(
        `The ${short[0]} split has fewer tokens than one block of ${model.context}: ` +
          `give more text, hold out more of it, or lower model.context`,
      );
    }
    this.#phases = phasesOf(curriculum, model.heads.count, train.steps);
    this.#model = opened.use(
      new MtpModel({ ...model, vocab: set.meta.tokenizer.vocab }, seed, machine.device),
    );
    this.#optimizer = opened.use(new Optimizer(this.#model.parameters, train));
    this.#identity = identityOf(config, set);
    const saved = this.#resume();
    this.#interval = opened.use(new Interval(model.heads.count, saved?.window));
    this.#metrics = opened.use(new Metrics(io.folder, this.#done.step));
    opened.move();
  }

  [Symbol.dispose](): void {
    for (
      const part of [
        this.#metrics,
        this.#interval,
        this.#optimizer,
        this.#model,
        this.#validationShards,
        this.#shards,
      ]
    ) {
      part[Symbol.dispose]();
    }
  }

  /** Goes on from the newest checkpoint, if there is one. @throws {UserError} saying what differs. */
  #resume(): RunState | null {
    const newest = checkpointsIn(this.io.folder).at(-1);
    if (newest === undefined) return null;
    const state = readCheckpoint(newest, ["model", "optimizer"], ADVICE.resume);
    const changed = differences(state.run, JSON.parse(JSON.stringify(this.#identity)), THEN);
    if (changed.length > 0) {
      throw new UserError(
        `"${newest}" is of another run: ${changed.join("; ")}. ` +
          `Start under a new name, or with --force to throw it away`,
      );
    }
    const other = differences(state.machine, this.#machine(), THEN);
    if (other.length > 0) {
      this.io.log(`warning: not to the same bits as before: ${other.join("; ")}`);
    }
    loadModel(newest, this.#model);
    loadOptimizer(newest, this.#optimizer);
    const { step, position, bytes, seconds } = state;
    this.#done = { step, position, bytes, seconds };
    this.#logged = { tokens: position * this.config.model.context, seconds };
    this.io.log(`resumed from step ${state.step}`);
    return state;
  }

  #machine(): RunState["machine"] {
    const { running: torch, rows } = versions();
    return { device: this.machine.device, threads: this.machine.threads, torch, rows };
  }

  async run(): Promise<void> {
    const { steps, log_every, validate_every, checkpoint_every } = this.config.train;
    const { total } = parameterCounts(this.#model);
    this.io.log(
      `${total.toLocaleString("en")} parameters, ${
        this.#model.headCount === 1 ? "1 head" : `${this.#model.headCount} heads`
      }, ` +
        `curriculum ${curriculumName(this.config.curriculum)}, ${steps} steps`,
    );
    const clock = new Clock();
    while (this.#done.step < steps) {
      this.#step();
      const { step } = this.#done;
      // Free on the CPU; on a GPU only where a line is due, since it waits for the device.
      if (this.machine.device === "cpu" || step % log_every === 0) this.#interval.settle();
      this.#done.seconds += clock.lap();
      if (step % log_every === 0 || step === steps) this.#log();
      if (step % validate_every === 0 || step === steps) this.#reportValidation();
      if (step % checkpoint_every === 0 || step === steps) this.#save();
      clock.lap(); // validation and saving are not training time
      await turn(); // signals get theirs
      if (this.io.stop.aborted && step < steps) this.#stop();
    }
    this.#summarize();
  }

  #step(): void {
    using scope = new Scope();
    const { train, model } = this.config;
    const { step, position } = this.#done;
    const blocks = train.batch * train.accumulate;
    const weights = weightsAt(this.#phases, step);
    const starts = this.#order.at(position, blocks);
    const gathered = this.#shards.gather(starts, model.context, model.heads.count, train.predict_first);
    if (weights.every((weight, i) => weight === 0 || gathered.counts[i] === 0)) {
      const what = `Step ${step + 1} has no target for any head that is awake: its documents are too short`;
      throw new UserError(`${what}. Give head 1 a weight, or longer documents`);
    }
    const objective = { weights, loss: train.loss };
    const lr = learningRate(train, step);
    const { losses, norm } = trainStep(this.#model, this.#optimizer, gathered, train.batch, objective, lr);
    for (const tensor of [norm, ...losses]) if (tensor !== null) scope.keep(tensor); // the interval frees them
    const divisor = lossDivisor(objective);
    this.#interval.add({ step: step + 1, position, blocks, weights, divisor, losses, norm });
    this.#done.step++;
    this.#done.position += blocks;
    this.#done.bytes += gathered.bytes;
  }

  /** One line in metrics.jsonl, one on the terminal. */
  #log(): void {
    const { train, model } = this.config;
    const { step, position, bytes, seconds } = this.#done;
    const { loss, heads } = this.#interval.take();
    const tokens = position * model.context;
    const rate = (tokens - this.#logged.tokens) / (seconds - this.#logged.seconds);
    this.#logged = { tokens, seconds };
    this.#metrics.write({
      kind: "step",
      step,
      tokens,
      bytes,
      loss,
      heads,
      weights: weightsAt(this.#phases, step - 1),
      lr: learningRate(train, step - 1),
      grad_norm: this.#interval.lastNorm,
      tokens_per_s: rate,
      rss_bytes: memory("cpu").now,
    });
    const left = (train.steps - step) * train.batch * train.accumulate * model.context / rate;
    const shown = heads.map((nll) => nll === null ? "asleep" : nll.toFixed(3)).join(" ");
    this.io.progress(
      `step ${step}/${train.steps}  loss by head ${shown} nats  ${
        Math.round(rate).toLocaleString("en")
      } tokens/s  ` +
        `${Math.ceil(left)} s left`,
    );
  }

  /** Scores held-out text; the same blocks every time. */
  #validate(): ValidationLine {
    const { train, model } = this.config;
    const table = new BlockTable(this.#validationShards.tokens, model.context);
    const starts = table.spread(train.validate_batches * train.batch);
    const totals = emptyScores(model.heads.count);
    let bytes = 0;
    for (let row = 0; row < starts.length; row += train.batch) {
      using _scope = new Scope();
      const rows = starts.slice(row, row + train.batch);
      const blocks = this.#validationShards.gather(rows, model.context, model.heads.count, true);
      const { device } = this.machine;
      addScores(totals, this.#model, {
        inputs: blocks.inputs.to("int64", device),
        targets: blocks.targets.to("int64", device),
      });
      bytes += blocks.bytes;
    }
    const { heads, bitsPerByte, acceptance, expectedTokensPerForward } = summarize(totals, bytes);
    return this.#validation = {
      kind: "validation",
      step: this.#done.step,
      bits_per_byte: bitsPerByte,
      heads,
      acceptance,
      expected_tokens_per_forward: expectedTokensPerForward,
    };
  }

  #reportValidation(): void {
    const line = this.#validate();
    if (!Number.isFinite(line.bits_per_byte)) { // what the last step did shows nowhere else
      throw new UserError(
        `Training stopped after step ${line.step}: ${line.bits_per_byte} bits per byte held out. This step is not ` +
          `saved. Lower lr, lengthen warmup, or lower clip, and start under a new name or with --force`,
      );
    }
    this.#metrics.write(line);
    const drafts = this.#model.headCount === 1
      ? ""
      : `, ${line.expected_tokens_per_forward.toFixed(2)} tokens a forward expected`;
    this.io.log(`step ${line.step}: ${line.bits_per_byte.toFixed(4)} bits per byte held out${drafts}`);
  }

  #save(): void {
    const window = this.#interval.settle(); // nothing is saved before it is known to be finite
    this.#metrics.flush();
    const state = { ...this.#done, window, run: this.#identity, machine: this.#machine() };
    saveCheckpoint(this.io.folder, this.#model, this.#optimizer, state, this.config.train.keep);
    this.#saved = this.#done.step;
  }

  #stop(): never {
    if (this.#saved !== this.#done.step) this.#save();
    throw new Interrupted(
      `stopped after step ${this.#done.step} of ${this.config.train.steps}, which is saved`,
    );
  }

  /** train.json: what the report and later stages ask of a finished run. */
  #summarize(): void {
    const { config, machine } = this;
    const { step, position, bytes, seconds } = this.#done;
    const tokens = position * config.model.context;
    const { running: torch, rows } = versions();
    writeJson(join(this.io.folder, "train.json"), {
      steps: step,
      tokens,
      bytes,
      seconds,
      tokens_per_s: tokens / seconds,
      parameters: parameterCounts(this.#model),
      model: this.#model.options,
      curriculum: {
        name: curriculumName(config.curriculum),
        heads: config.model.heads.count,
        phases: this.#phases,
      },
      validation: this.#validation ?? this.#validate(),
      device: machine.device,
      threads: machine.threads,
      peak_rss_bytes: memory("cpu").peak,
      versions: { torch, deno: Deno.version.deno, rows },
    });
    this.io.log(
      `${step} steps, ${(tokens / 1e6).toFixed(2)} M tokens in ${seconds.toFixed(1)} s of training`,
    );
  }
}

/** Numbers of parameters, by part. */
function parameterCounts(model: MtpModel): {
  embedding: number;
  trunk: number;
  heads: number[];
  total: number;
} {
  const sizes = model.parameters.entries().map(([name, tensor]): [string, number] => [name, tensor.size]);
  const sum = (chosen: (name: string) => boolean) =>
    sizes.filter(([name]) => chosen(name)).reduce((total, [, size]) => total + size, 0);
  const heads = Array.from({ length: model.headCount }, (_, i) => sum((name) => name === `heads.${i + 1}`));
  const embedding = sum((name) => name === "embedding");
  const trunk = sum((name) => name !== "embedding" && !name.startsWith("heads."));
  return { embedding, trunk, heads, total: sum(() => true) };
}

/** Measures by laps, in seconds. */
class Clock {
  #last = performance.now();

  lap(): number {
    const now = performance.now();
    const seconds = (now - this.#last) / 1000;
    this.#last = now;
    return seconds;
  }
}

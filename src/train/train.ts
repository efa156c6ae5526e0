/**
 * The `train` stage: one arm, from shards to checkpoints and metrics.jsonl. It goes on from its newest checkpoint, to
 * the same bits as if it had never stopped. What one step does stands in learner.ts.
 */
import type { TrainConfig } from "../config/schema.ts";
import { type ShardSet, verifyShards } from "../data/shards.ts";
import { Interrupted } from "../stage/errors.ts";
import type { Run, StageIo } from "../stage/io.ts";
import { turn } from "../stage/turn.ts";
import { flopsPerToken } from "../model/account.ts";
import { inWords, type Machine, memory, rngState, seed, start } from "../torch/mod.ts";
import type { RunState } from "./checkpoint.ts";
import { curriculumName } from "./curriculum.ts";
import { EnergyMeter, inFull, metersOf } from "./energy.ts";
import { checkImported, type Imported, loadImported, readImported } from "./imported.ts";
import { Interval } from "./interval.ts";
import { Learner } from "./learner.ts";
import { Journal } from "./journal.ts";
import { expectedMemory } from "./memory.ts";
import type { ValidationLine } from "./metrics.ts";
import { type Peak, peakOf, revised } from "./peak.ts";
import { choosePrecision } from "./precision.ts";
import { bitsOf, identityOf, partsOf, resume } from "./resume.ts";
import { Saver } from "./saver.ts";
import { parameterCounts, writeSummary } from "./summary.ts";
import { Validation } from "./validation.ts";

export const run: Run<TrainConfig> = async (config, io) => {
  const machine = start(config);
  seed(config.seed); // of what draws beside the weights and the order of the text, which have generators of their own
  io.log(inWords(machine));
  const set = verifyShards(io.needs.find((need) => need.run === "prepare")!.folder);
  const base = io.needs.find((need) => need.run === "import");
  const imported = base === undefined ? null : readImported(base);
  if (imported !== null) checkImported(imported, config.model, set.meta.tokenizer);
  using trainer = new Trainer(config, io, machine, set, imported);
  await trainer.run();
};

/** The loop around a learner: when it is logged, validated, saved and stopped. */
class Trainer implements Disposable {
  readonly #learner: Learner;
  readonly #validation: Validation;
  readonly #interval: Interval;
  readonly #journal: Journal;
  readonly #saver: Saver;
  readonly #identity: RunState["run"];
  #peak: Peak;
  /** Null where the machine shows no energy. */
  readonly #energy: EnergyMeter | null;
  /** Optimizer steps, blocks, text bytes and seconds that are behind. */
  #done = { step: 0, position: 0, bytes: 0, seconds: 0 };
  /** Where the last line of metrics.jsonl stood. */
  #logged = { tokens: 0, seconds: 0 };
  #scored: ValidationLine | null = null;

  constructor(
    readonly config: TrainConfig,
    readonly io: StageIo,
    readonly machine: Machine,
    set: ShardSet,
    imported: Imported | null,
  ) {
    using opened = new DisposableStack(); // frees what was opened when a later line throws
    const precision = choosePrecision(config.train.precision, machine.device);
    io.log(precision.inWords);
    this.#learner = opened.use(
      new Learner(config, set, machine.device, precision, imported?.options.vocab),
    );
    this.#validation = opened.use(new Validation(config, set));
    this.#identity = identityOf(config, set, imported);
    const saved = resume(io, this.#learner, this.#identity, machine);
    if (saved !== null) {
      const { step, position, bytes, seconds } = saved;
      this.#done = { step, position, bytes, seconds };
      this.#logged = { tokens: position * config.model.context, seconds };
    }
    if (saved === null && imported !== null) this.#start(imported);
    const { curriculum } = this.#learner;
    const observe = (step: number, heads: readonly (number | null)[]) => curriculum.observe(step - 1, heads);
    this.#interval = opened.use(
      new Interval(config.model.heads.count, config.train.clip, saved?.window, observe),
    );
    const { vocab } = this.#learner.model.options;
    const journal = this.#journal = opened.use(new Journal(io, this.#done.step, { ...config.train, vocab }));
    this.#saver = opened.use(
      new Saver(
        io.folder,
        config.train,
        (step, sentence) => journal.warn(step, "not_saved", sentence),
        () => journal.flush(),
      ),
    );
    const { model, ema } = this.#learner;
    const weights = 4 * parameterCounts(model).total;
    this.#saver.reserve(
      { model: weights, optimizer: 2 * weights, ...(ema && { ema: weights }) },
      machine.device,
    );
    this.#peak = peakOf(machine);
    const meters = metersOf(machine.device);
    this.#energy = meters === null ? null : new EnergyMeter(meters, this.#done.step, saved?.energy);
    opened.move();
  }

  [Symbol.dispose](): void {
    for (const part of [this.#saver, this.#journal, this.#interval, this.#validation, this.#learner]) {
      part[Symbol.dispose]();
    }
  }

  /** Begins with an imported model, its further heads with copies where the curriculum wakes heads so. */
  #start(imported: Imported): void {
    const { model, ema, curriculum } = this.#learner;
    loadImported(imported, model);
    if (curriculum.phases[0]!.copies) {
      for (let head = 2; head <= model.headCount; head++) model.copyHead(head);
    }
    for (const [name] of model.parameters.entries()) ema?.restart(name);
    this.io.log(`starts from ${imported.id}`);
  }

  async run(): Promise<void> {
    const { steps, log_every, validate_every, checkpoint_every, keep_best } = this.config.train;
    const { model, curriculum } = this.#learner;
    const { total } = parameterCounts(model);
    this.io.log(
      `${total.toLocaleString("en")} parameters, ${
        model.headCount === 1 ? "1 head" : `${model.headCount} heads`
      }, ` +
        `curriculum ${curriculumName(this.config.curriculum)}, ${steps} steps`,
    );
    this.io.log(this.#peak.inWords);
    if (this.machine.device === "cpu") {
      const { batch, recompute } = this.config.train;
      this.io.log(expectedMemory(model.shape, batch, recompute === "blocks"));
    }
    if (this.config.train.ema > 0) {
      this.io.log(
        `the running mean of the weights (ema ${this.config.train.ema}) is validated and evaluated`,
      );
    }
    const clock = new Clock();
    while (this.#done.step < steps) {
      this.#step();
      const { step } = this.#done;
      // Free on the CPU; on a GPU only where a line or a decision is due, since it waits for the device.
      const isDue = step % log_every === 0 || curriculum.decidesAfter(step - 1);
      if (this.machine.device === "cpu" || isDue) this.#interval.settle();
      this.#done.seconds += clock.lap();
      if (step % log_every === 0 || step === steps) this.#log();
      const isSaved = step % checkpoint_every === 0 || step === steps;
      const isJudged = step % validate_every === 0 || step === steps || (isSaved && keep_best);
      if (isJudged) this.#validate();
      if (isSaved) await this.#save();
      this.#saver.poll();
      clock.lap(); // validation and saving are not training time
      await turn(); // signals get theirs
      if (this.io.stop.aborted && step < steps) await this.#stop();
    }
    await this.#saved();
    this.#summarize();
  }

  #step(): void {
    const taken = this.#learner.step(this.#done.step, this.#done.position);
    this.#interval.add(taken);
    this.#done.step++;
    this.#done.position += taken.blocks;
    this.#done.bytes += taken.bytes;
  }

  #log(): void {
    const { steps } = this.config.train;
    const { step, position, bytes, seconds } = this.#done;
    const { loss, clipped, heads } = this.#interval.take();
    this.#energy?.lap();
    const tokens = position * this.config.model.context;
    const rate = (tokens - this.#logged.tokens) / (seconds - this.#logged.seconds);
    this.#logged = { tokens, seconds };
    const { weights, lr } = this.#learner.settingsAt(step - 1);
    const active = weights.filter((weight) => weight !== 0).length;
    const achieved = rate * flopsPerToken(this.#learner.model.shape, weights);
    this.#peak = revised(this.#peak, this.machine, achieved);
    const { flops } = this.#peak;
    const line = {
      kind: "step",
      step,
      tokens,
      bytes,
      loss,
      heads,
      weights,
      active_heads: active,
      lr,
      grad_norm: this.#interval.lastNorm,
      clipped,
      tokens_per_s: rate,
      mfu: flops === null ? null : achieved / flops,
      rss_bytes: memory("cpu").now,
      memory_bytes: memory(this.machine.device).now,
    } as const;
    this.#journal.step(line, { steps, left: (steps - step) * this.#learner.tokensPerStep / rate });
  }

  /** Scores held-out text with the weights that evaluation takes. */
  #score(): ValidationLine {
    const { model } = this.#learner;
    return this.#learner.evaluated(() => this.#validation.score(model, this.#done.step));
  }

  #validate(): void {
    this.#scored = this.#score();
    this.#journal.validation(this.#scored);
  }

  /** Copies what there is; a thread writes it. */
  async #save(): Promise<void> {
    const { step } = this.#done;
    const window = this.#interval.settle(); // nothing is saved before it is known to be finite
    const state: RunState = {
      ...this.#done,
      ...(this.#energy === null ? {} : { energy: this.#energy.total(step) }),
      window,
      curriculum: this.#learner.curriculum.state(),
      rng: rngState().toBase64(),
      bits_per_byte: this.#scored?.step === step ? this.#scored.bits_per_byte : null,
      run: this.#identity,
      machine: bitsOf(this.machine),
    };
    await this.#saver.start(partsOf(this.#learner), state);
  }

  /** Waits until the last save is on the disk. @throws {UserError} saying why it is not. */
  async #saved(): Promise<void> {
    await this.#saver.finish();
    if (this.#saver.failure !== null) throw this.#saver.failure;
  }

  async #stop(): Promise<never> {
    await this.#saver.finish();
    if (this.#saver.saved !== this.#done.step) await this.#save();
    await this.#saved();
    throw new Interrupted(
      `stopped after step ${this.#done.step} of ${this.config.train.steps}, which is saved`,
    );
  }

  #summarize(): void {
    const { step, position, bytes, seconds } = this.#done;
    const totals = { step, tokens: position * this.config.model.context, bytes, seconds };
    const validation = this.#scored ?? this.#score();
    const energy = this.#energy === null ? null : inFull(this.#energy.total(step), step);
    writeSummary(this.io.folder, this.#learner, totals, validation, energy, this.machine);
    this.io.log(
      `${step} steps, ${totals.tokens.toLocaleString("en")} tokens in ${seconds.toFixed(1)} s of training`,
    );
  }
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

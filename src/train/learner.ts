/** What learns, and from what: the model, its optimizer and curriculum, and the text in the order of its blocks. */
import type { TrainConfig } from "../config/schema.ts";
import { BlockOrder, BlockTable } from "../data/batches.ts";
import type { ShardSet } from "../data/shards.ts";
import { openTokens } from "../data/token_shards.ts";
import { MtpModel } from "../model/mod.ts";
import { UserError } from "../stage/errors.ts";
import { type Blocks, type BlockShape, type Device, Scope, type TokenShards } from "../torch/mod.ts";
import {
  type Curriculum,
  openCurriculum,
  type Part,
  type Phase,
  rateAt,
  weightsAt,
  woken,
} from "./curriculum.ts";
import { Ema } from "./ema.ts";
import { partsOf } from "./groups.ts";
import type { PendingStep } from "./interval.ts";
import { allocating } from "./memory.ts";
import { Optimizer } from "./optimizer.ts";
import type { Precision } from "./precision.ts";
import { lossDivisor, trainStep } from "./step.ts";

/** A step that was taken; its tensors belong to the caller. */
export interface TakenStep extends PendingStep {
  /** Text bytes that it trained on. */
  readonly bytes: number;
}

export class Learner implements Disposable {
  readonly model: MtpModel;
  readonly optimizer: Optimizer;
  readonly curriculum: Curriculum;
  /** A running mean of the weights, where the run keeps one. */
  readonly ema: Ema | null;
  readonly #shards: TokenShards;
  readonly #order: BlockOrder;
  /** The phase for which the parameters are frozen or not. */
  #phase: Phase | null = null;

  /**
   * @param vocab Rows of the embedding: at least as many as the text has ids.
   * @throws {UserError} when the text is shorter than a block, or the model does not fit the memory.
   */
  constructor(
    readonly config: TrainConfig,
    set: ShardSet,
    device: Device,
    { compute }: Precision,
    vocab = set.meta.tokenizer.vocab,
  ) {
    const { model, train, curriculum, seed } = config;
    using opened = new DisposableStack(); // frees what was opened when a later line throws
    this.#shards = opened.use(openTokens(set, "train"));
    this.#order = new BlockOrder(blocksOf("train", this.#shards, model.context), seed);
    this.curriculum = openCurriculum(curriculum, model.heads.count, train.steps);
    const options = { ...model, vocab };
    this.model = allocating(
      "the model's weights",
      "model.width, model.layers or the vocabulary",
      () => opened.use(new MtpModel(options, seed, device, compute)),
    );
    this.optimizer = opened.use(new Optimizer(this.model.parameters, train));
    this.ema = train.ema === 0 ? null : opened.use(new Ema(this.model.parameters, train.ema));
    opened.move();
  }

  /** Tokens of one step. */
  get tokensPerStep(): number {
    const { train, model } = this.config;
    return train.batch * train.accumulate * model.context;
  }

  /** Weights of the heads and learning rate at a step, counted from 0, that is taken or the next one. */
  settingsAt(step: number): { readonly weights: readonly number[]; readonly lr: number } {
    const { phases } = this.curriculum;
    return { weights: weightsAt(phases, step), lr: rateAt(phases, this.config.train, step) };
  }

  /**
   * Takes the step with this number, from 0, on the blocks from `position` on.
   *
   * @throws {UserError} when no head has a target, or memory runs out.
   */
  step(step: number, position: number): TakenStep {
    const { batch, accumulate } = this.config.train;
    const sequences = `${batch}${
      accumulate === 1 ? "" : ` x ${accumulate}`
    } x ${this.config.model.context} tokens`;
    return allocating(
      `step ${step + 1}: ${sequences}, their activations, gradients and the optimizer's state`,
      "train.batch (and raise train.accumulate as much, for the same steps) or model.context, " +
        "or set train.recompute to blocks",
      () => this.#take(step, position),
    );
  }

  #take(step: number, position: number): TakenStep {
    using scope = new Scope();
    const { train } = this.config;
    this.#enter(step);
    const { weights, lr } = this.settingsAt(step);
    const blocks = train.batch * train.accumulate;
    const gathered = this.#gather(position, blocks, step + 1 < train.steps);
    if (weights.every((weight, i) => weight === 0 || gathered.counts[i] === 0)) {
      const what = `Step ${step + 1} has no target for any head that is awake: its documents are too short`;
      throw new UserError(`${what}. Give head 1 a weight, or longer documents`);
    }
    const objective = { weights, loss: train.loss };
    const options = { zLoss: train.z_loss, recompute: train.recompute === "blocks" };
    const { losses, norm } = trainStep(
      this.model,
      this.optimizer,
      gathered,
      train.batch,
      objective,
      lr,
      options,
    );
    for (const tensor of [norm, ...losses]) if (tensor !== null) scope.keep(tensor);
    this.ema?.update(step);
    const divisor = lossDivisor(objective);
    return { step: step + 1, position, blocks, weights, divisor, losses, norm, bytes: gathered.bytes };
  }

  /** Runs `body` with the weights that are evaluated: their mean where the run keeps one. */
  evaluated<T>(body: () => T): T {
    return this.ema === null ? body() : this.ema.during(body);
  }

  /** Blocks for a step; those of the next one are read ahead meanwhile, if there is one. */
  #gather(position: number, blocks: number, more: boolean): Blocks {
    const { model, train } = this.config;
    const shape: BlockShape = {
      length: model.context,
      heads: model.heads.count,
      predictFirst: train.predict_first,
    };
    const gathered = this.#shards.gather(this.#order.at(position, blocks), shape);
    if (more) this.#shards.prefetch(this.#order.at(position + blocks, blocks), shape);
    return gathered;
  }

  /** Begins a step: where it is the first of its phase, or of this process, what is frozen changes, and heads wake. */
  #enter(step: number): void {
    const phase = this.curriculum.enter(step);
    if (phase.from !== this.#phase?.from) {
      this.#freeze(phase.freeze ?? []);
      this.#phase = phase;
    }
    if (step === phase.from && phase.copies) {
      for (const i of woken(this.curriculum.phases, phase)) if (i > 0) this.#copyHead(i + 1);
    }
  }

  #freeze(frozen: readonly Part[]): void {
    const { parameters, options: { tied } } = this.model;
    for (const [name, parameter] of parameters.entries()) {
      if (partsOf(name, tied).some((part) => frozen.includes(part))) parameter.freeze();
      else parameter.requireGrad();
    }
  }

  /** Gives a head the weights of the one before it; moments and mean of the weights that it had go with them. */
  #copyHead(head: number): void {
    this.model.copyHead(head);
    for (const [name] of this.model.parameters.entries()) {
      if (!partsOf(name, false).includes(`head${head}`)) continue;
      this.optimizer.forget(name);
      this.ema?.restart(name);
    }
  }

  [Symbol.dispose](): void {
    for (const part of [this.ema, this.optimizer, this.model, this.#shards]) part?.[Symbol.dispose]();
  }
}

/** The blocks of a split. @throws {UserError} when there is none. */
export function blocksOf(split: "train" | "val", shards: TokenShards, context: number): BlockTable {
  const table = new BlockTable(shards.tokens, context);
  if (table.count > 0) return table;
  const more = split === "train" ? "give more text" : "hold out more text";
  throw new UserError(
    `The ${split} split has fewer tokens than one block of ${context}: ${more}, or lower model.context`,
  );
}

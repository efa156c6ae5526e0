/**
 * Scores of held-out text during training: the same blocks every time, in the run's precision. The `eval` stage, whose
 * figures are for comparison, computes in float32.
 */
import type { TrainConfig } from "../config/schema.ts";
import type { BlockTable } from "../data/batches.ts";
import type { ShardSet } from "../data/shards.ts";
import { openTokens } from "../data/token_shards.ts";
import { addScores, emptyScores, type MtpModel, summarize } from "../model/mod.ts";
import { UserError } from "../stage/errors.ts";
import { Scope, type TokenShards } from "../torch/mod.ts";
import { blocksOf } from "./learner.ts";
import type { ValidationLine } from "./metrics.ts";

/** The held-out split, open. */
export class Validation implements Disposable {
  readonly #shards: TokenShards;
  readonly #table: BlockTable;

  /** @throws {UserError} when the split is shorter than a block. */
  constructor(readonly config: TrainConfig, set: ShardSet) {
    using opened = new DisposableStack();
    this.#shards = opened.use(openTokens(set, "val"));
    this.#table = blocksOf("val", this.#shards, config.model.context);
    opened.move();
  }

  /** Scores a model after `step` steps. @throws {UserError} when the score is not finite. */
  score(model: MtpModel, step: number): ValidationLine {
    const { train, model: { context, heads: { count } } } = this.config;
    const starts = this.#table.spread(train.validate_batches * train.batch);
    const totals = emptyScores(count);
    let bytes = 0;
    for (let row = 0; row < starts.length; row += train.batch) {
      using _scope = new Scope();
      const shape = { length: context, heads: count, predictFirst: true };
      const blocks = this.#shards.gather(starts.slice(row, row + train.batch), shape);
      addScores(totals, model, {
        inputs: blocks.inputs.to("int64", model.device),
        targets: blocks.targets.to("int64", model.device),
      });
      bytes += blocks.bytes;
    }
    const { heads, bitsPerByte, acceptance, expectedTokensPerForward } = summarize(totals, bytes);
    if (!Number.isFinite(bitsPerByte)) { // what the last step did shows nowhere else
      throw new UserError(
        `Training stopped after step ${step}: ${bitsPerByte} bits per byte held out. This step is not ` +
          `saved. Lower lr, lengthen warmup, or lower clip, and start under a new name or with --force`,
      );
    }
    return {
      kind: "validation",
      step,
      bits_per_byte: bitsPerByte,
      heads,
      acceptance,
      expected_tokens_per_forward: expectedTokensPerForward,
    };
  }

  [Symbol.dispose](): void {
    this.#shards[Symbol.dispose]();
  }
}

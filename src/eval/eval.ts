/**
 * The `eval` stage: bits per byte and teacher-forced accuracy of every head of every arm, on held-out text. Each token
 * is scored once, with at least half a context before it where the text has that. Bytes are those of the text, whatever
 * the tokens: so models of bytes and of subwords compare. What the arms write is measured first, where the pipeline file
 * asks for it (generation/).
 */
import { join } from "node:path";
import type { EvalConfig } from "../config/schema.ts";
import { type ShardSet, splitOf, verifyShards } from "../data/shards.ts";
import { openTokens } from "../data/token_shards.ts";
import { writeJson } from "../formats/atomic.ts";
import { addScores, emptyScores, type MtpModel, type ScoreTotals, summarize } from "../model/mod.ts";
import { Interrupted } from "../stage/errors.ts";
import type { Run, StageIo } from "../stage/io.ts";
import { turn } from "../stage/turn.ts";
import { inWords, Scope, start, Tensor, type TokenShards } from "../torch/mod.ts";
import { type Arm, checkTokenizer, openArm } from "../train/arm.ts";
import { measureGeneration } from "./generation/quality.ts";
import { type Window, windowsOver } from "./windows.ts";

export const run: Run<EvalConfig> = async (config, io) => {
  const machine = start(config);
  io.log(inWords(machine));
  const set = verifyShards(io.needs.find((need) => need.run === "prepare")!.folder);
  const generation = await measureGeneration(config, set, machine.device, io);
  const arms = [];
  for (const need of io.needs.filter(({ run }) => run === "train")) {
    using arm = openArm(need, machine.device);
    checkTokenizer(arm, set);
    if (arm.weights === "ema") io.log(`${arm.id}: with the running mean of its weights`);
    const began = performance.now();
    const context = contextOf(arm, set, config, io);
    const scores = await score(arm.model, set, context.tokens, config, io);
    const { heads, bitsPerByte, acceptance, expectedTokensPerForward } = summarize(
      scores.totals,
      scores.bytes,
    );
    arms.push({
      id: arm.id,
      curriculum: arm.curriculum,
      heads: heads.map(({ loss, accuracy }, i) => ({
        head: i + 1,
        loss,
        bits_per_byte: i === 0 ? bitsPerByte : null,
        accuracy,
        targets: scores.totals.heads[i]!.targets,
      })),
      bits_per_byte: bitsPerByte,
      bytes: scores.bytes,
      context,
      tokens: scores.totals.heads[0]!.targets,
      acceptance,
      expected_tokens_per_forward: expectedTokensPerForward,
      seconds: (performance.now() - began) / 1000,
    });
    const accuracies = heads.map(({ accuracy }) => `${(100 * accuracy).toFixed(1)}%`).join(" ");
    io.log(`${arm.id}: ${bitsPerByte.toFixed(4)} bits per byte, accuracy by head ${accuracies}`);
  }
  writeJson(join(io.folder, "eval.json"), { split: config.split, arms, generation });
};

/** How far a window reaches, in tokens and, on average over the split, in bytes of text. */
interface Context {
  readonly tokens: number;
  readonly bytes: number;
}

/** The model's whole context, or as much of it as stands for `context_bytes`. */
function contextOf(
  { id, model }: Arm,
  set: ShardSet,
  { split, context_bytes }: EvalConfig,
  io: StageIo,
): Context {
  const { bytes, tokens: all } = splitOf(set, split);
  const bytesPerToken = bytes / all;
  const most = model.shape.context;
  const wanted = context_bytes === undefined ? most : Math.round(context_bytes / bytesPerToken);
  if (wanted > most) {
    io.log(
      `warning: ${id}: context_bytes (${context_bytes}) are ${wanted} tokens, more than its context (${most})`,
    );
  }
  const tokens = Math.max(2, Math.min(wanted, most));
  return { tokens, bytes: Math.round(tokens * bytesPerToken) };
}

/** Windows that are scored together. */
const BATCH = 8;

async function score(
  model: MtpModel,
  set: ShardSet,
  context: number,
  config: EvalConfig,
  io: StageIo,
): Promise<{ totals: ScoreTotals; bytes: number }> {
  using shards = openTokens(set, config.split);
  const totals = emptyScores(model.headCount);
  let bytes = 0;
  for (const [shard, tokens] of shards.tokens.entries()) {
    const left = config.tokens - totals.heads[0]!.targets; // each input has one target of head 1
    for (const windows of batched(windowsOver(Math.min(tokens, left + 1), context, Math.ceil(context / 2)))) {
      bytes += scoreWindows(model, shards, shard, windows, totals);
      const done = totals.heads[0]!.targets;
      io.progress(`${done.toLocaleString("en")} of ${config.tokens.toLocaleString("en")} tokens`);
      await turn(); // signals get theirs
      if (io.stop.aborted) throw new Interrupted("stopped; nothing was written");
    }
  }
  return { totals, bytes };
}

/** Groups of up to {@link BATCH} windows of one length. */
function* batched(windows: Iterable<Window>): Generator<Window[]> {
  let group: Window[] = [];
  for (const window of windows) {
    if (group.length === BATCH || (group.length > 0 && group[0]!.length !== window.length)) {
      yield group;
      group = [];
    }
    group.push(window);
  }
  if (group.length > 0) yield group;
}

/** Adds the scores of some windows; returns the text bytes among the targets of head 1. */
function scoreWindows(
  model: MtpModel,
  shards: TokenShards,
  shard: number,
  windows: readonly Window[],
  totals: ScoreTotals,
): number {
  using _scope = new Scope();
  const starts = windows.map((window) => ({ shard, token: window.start }));
  const shape = { length: windows[0]!.length, heads: model.headCount, predictFirst: true };
  const { inputs, targets } = shards.gather(starts, shape);
  windows.forEach(({ seen }, row) => {
    const scored = targets.slice(1, row, row + 1).slice(2, 0, seen);
    scored.copy_(Tensor.full(scored.shape, -1, { dtype: "int64", device: "cpu" }));
  });
  const { device } = model;
  addScores(totals, model, { inputs: inputs.to("int64", device), targets: targets.to("int64", device) });
  const { byteLengths } = shards.vocabulary;
  return targets.slice(0, 0, 1).toArray().reduce((sum, id) => id < 0 ? sum : sum + byteLengths[id]!, 0);
}

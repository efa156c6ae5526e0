/**
 * The `eval` stage: every arm on a text, held out or any other, and on tasks. Bits per byte and the accuracy of every
 * head are teacher-forced; bytes are those of the text, whatever the tokens, so that models of bytes and of subwords
 * compare. What a task asks stands in tasks/. What the arms write is measured first,
 * where the pipeline file asks for it (generation/).
 */
import { join } from "node:path";
import type { EvalConfig, TaskConfig } from "../config/schema.ts";
import { loadTask, type NamedTask } from "../config/task/load.ts";
import { type ShardSet, verifyShards } from "../data/shards.ts";
import { tokenizerOf } from "../data/tokenizer_of.ts";
import { writeJson } from "../formats/atomic.ts";
import { aligned } from "../formats/columns.ts";
import { summarize } from "../model/mod.ts";
import { Interrupted } from "../stage/errors.ts";
import type { Run, StageIo } from "../stage/io.ts";
import { turn } from "../stage/turn.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { inWords, start } from "../torch/mod.ts";
import { type Arm, checkTokenizer, openArm } from "../train/arm.ts";
import { exponential, interval, ratio } from "./estimate.ts";
import { measureGeneration } from "./generation/quality.ts";
import { evaluateTask, type TaskScores } from "./tasks/evaluate.ts";
import { groupsOf } from "./tasks/groups.ts";
import type { Group } from "./tasks/items.ts";
import { tableOf } from "./tasks/table.ts";
import { filesText, splitText, type Text } from "./text.ts";
import { scoreText } from "./text_scores.ts";

export const run: Run<EvalConfig> = async (config, io) => {
  const machine = start(config);
  io.log(inWords(machine));
  const set = verifyShards(io.needs.find((need) => need.run === "prepare")!.folder);
  using tokenizer = tokenizerOf(set);
  const tasks = await readTasks(config.tasks, config.seed); // wrong data are told before an hour of scoring
  using text = await textOf(config, set, tokenizer);
  const generation = await measureGeneration(config, set, machine.device, io);
  const arms = [];
  for (const need of io.needs.filter(({ run }) => run === "train")) {
    using arm = openArm(need, machine.device);
    checkTokenizer(arm, set);
    if (arm.weights === "ema") io.log(`${arm.id}: with the running mean of its weights`);
    const language = await model(arm, text, tokenizer, config, io);
    arms.push({ ...language, tasks: await answer(arm, tasks, tokenizer, io) });
  }
  for (const line of aligned(tableOf(arms))) io.log(line);
  const { split, files } = config;
  writeJson(join(io.folder, "eval.json"), {
    split: files === undefined ? split : "files",
    files,
    arms,
    generation,
  });
};

function textOf(
  { files, document, split, tokens }: EvalConfig,
  set: ShardSet,
  tokenizer: Tokenizer,
): Text | Promise<Text> {
  return files === undefined ? splitText(set, split) : filesText([files].flat(), document, tokenizer, tokens);
}

/** Language modelling of one arm. */
async function model(arm: Arm, text: Text, tokenizer: Tokenizer, config: EvalConfig, io: StageIo) {
  const began = performance.now();
  const context = contextOf(arm, text, config, io);
  const reading = {
    context: context.tokens,
    stride: Math.ceil(config.stride * context.tokens),
    tokens: config.tokens,
    byteLengths: tokenizer.byteLengths,
  };
  const scores = await scoreText(arm.model, text, reading, async (done) => {
    await go(io, `${arm.id}: ${count(done)} of ${count(config.tokens)} tokens`);
  });
  const summary = summarize(scores.totals, scores.bytes);
  const { heads, bitsPerByte, acceptance, expectedTokensPerForward } = summary;
  const accuracies = heads.map(({ accuracy }) => `${(100 * accuracy).toFixed(1)}%`).join(" ");
  const documents = scores.documents.length;
  const between = interval(ratio(scores.documents), documents);
  io.log(
    `${arm.id}: ${bitsPerByte.toFixed(4)} bits per byte${
      spread(between, documents)
    }, accuracy by head ${accuracies}`,
  );
  return {
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
    bits_per_byte_interval: between,
    perplexity: exponential({ value: heads[0]!.loss, standard_error: null }).value,
    documents,
    bytes: scores.bytes,
    context,
    tokens: scores.totals.heads[0]!.targets,
    acceptance,
    expected_tokens_per_forward: expectedTokensPerForward,
    seconds: (performance.now() - began) / 1000,
  };
}

function spread(between: readonly [number, number] | null, documents: number): string {
  if (between === null) return " (one document: no interval)";
  const [low, high] = between;
  return ` (95% interval over ${documents} documents: ${low.toFixed(4)} to ${high.toFixed(4)})`;
}

/** A task with its items. */
interface ReadTask {
  readonly task: NamedTask;
  readonly groups: readonly Group[];
}

function readTasks(given: readonly TaskConfig[], seed: number): Promise<ReadTask[]> {
  return Promise.all(given.map(async (entry) => {
    const task = loadTask(entry.task);
    return { task, groups: await groupsOf(task, entry, seed) };
  }));
}

/** Every task on one arm. */
async function answer(
  { id, model }: Arm,
  tasks: readonly ReadTask[],
  tokenizer: Tokenizer,
  io: StageIo,
): Promise<TaskScores[]> {
  const scores: TaskScores[] = [];
  for (const { task, groups } of tasks) {
    const found = await evaluateTask(task, groups, model, tokenizer, async (done, all) => {
      await go(io, `${id}: ${task.name}, ${count(done)} of ${count(all)} sequences`);
    });
    if (found.cut > 0) {
      io.log(
        `warning: ${id}: ${task.name}: ${found.cut} of ${found.items} items are longer than the context ` +
          `(${model.shape.context} tokens): each token that counts is scored, behind as many as fit before it`,
      );
    }
    scores.push(found);
  }
  return scores;
}

/** Shows how far it is, and lets signals through. @throws {Interrupted} */
async function go(io: StageIo, line: string): Promise<void> {
  io.progress(line);
  await turn();
  if (io.stop.aborted) throw new Interrupted("stopped; nothing was written");
}

const count = (n: number): string => n.toLocaleString("en");

/** How far a window reaches, in tokens and, on average over the text, in bytes of it. */
interface Context {
  readonly tokens: number;
  readonly bytes: number;
}

/** The model's whole context, or as much of it as stands for `context_bytes`. */
function contextOf(
  { id, model }: Arm,
  { bytes, tokens: all }: Text,
  { context_bytes }: EvalConfig,
  io: StageIo,
): Context {
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

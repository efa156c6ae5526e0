/** How much work a stage is, from its settings alone, in units that grow as its time does. */

import type { DecodeConfig, EvalConfig, PrepareConfig, StageConfig, TrainConfig } from "../config/schema.ts";
import { isFetched } from "../config/fetched.ts";
import { pathsOfPrepare } from "../config/schema/prepare.ts";
import { findFiles } from "../formats/input_files.ts";
import { UserError } from "../stage/errors.ts";
import { flopsPerToken } from "../model/account.ts";
import { type ModelShape, shapeOf } from "../model/shape.ts";
import { phasesOf } from "../train/curriculum.ts";

/** A stage's settings, and those of the stages that it needs. */
export interface Work {
  readonly config: StageConfig;
  readonly needs: readonly StageConfig[];
}

/** FLOPs of stages that compute; bytes of those that read text; undefined where it cannot be told. */
export function workOf({ config, needs }: Work): number | undefined {
  const arms = needs.filter((need) => need.run === "train");
  const shapes = () => arms.map((arm) => shapeIn(arm, needs));
  switch (config.run) {
    case "prepare":
      return bytesOf(config);
    case "train":
      return trainingFlops(config, shapeIn(config, needs));
    case "eval":
      return sum(shapes().map((shape) => evalTokens(config, shape) * forward(shape)));
    case "decode":
      return sum(arms.map((arm, i) => decodedTokens(config, arm) * forward(shapes()[i]!)));
    case "report":
      return needs.length;
    default:
      return undefined;
  }
}

/** What the vocabulary of a tokenizer.json is taken to be: reading it would take longer than the answer is worth. */
const USUAL_VOCABULARY = 32_000;
const BYTES = 320;

function shapeIn(arm: TrainConfig, around: readonly StageConfig[]): ModelShape {
  const text = around.find((stage): stage is PrepareConfig => stage.run === "prepare");
  const { tokenizer = "bytes" } = text ?? {};
  const vocab = typeof tokenizer === "object"
    ? tokenizer.vocab
    : tokenizer === "bytes"
    ? BYTES
    : USUAL_VOCABULARY;
  return shapeOf({ ...arm.model, vocab });
}

function trainingFlops({ curriculum, model, train }: TrainConfig, shape: ModelShape): number {
  const tokens = train.batch * train.accumulate * model.context;
  const phases = phasesOf(curriculum, model.heads.count, train.steps);
  return sum(phases.map(({ from, to, weights }) => (to - from) * tokens * flopsPerToken(shape, weights)));
}

/** A forward pass is a third of a training step. */
const forward = (shape: ModelShape): number => flopsPerToken(shape, 1) / 3;

/** Items and tokens of a task whose data is not looked at. */
const ITEMS = 2000;
const TOKENS_AN_ITEM = 50;

function evalTokens({ tokens, stride, tasks, generation }: EvalConfig, { context }: ModelShape): number {
  const asked = tasks.length * ITEMS * Math.min(TOKENS_AN_ITEM, context);
  const written = generation === undefined ? 0 : generation.prompts * generation.new_bytes * ONE_BY_ONE;
  return tokens / stride + asked + written;
}

/** A token that is decoded alone costs as much as so many that go through together: weights are read for each. */
const ONE_BY_ONE = 10;

function decodedTokens(config: DecodeConfig, arm: TrainConfig): number {
  const { prompts, new_tokens, repeats, batches, heads, domains } = config;
  const ways = 1 + (heads?.length ?? arm.model.heads.count - 1);
  return prompts * new_tokens * repeats * batches.length * (domains?.length ?? 1) * ways * ONE_BY_ONE;
}

function bytesOf(config: PrepareConfig): number | undefined {
  if (typeof config.input === "string") return config.bytes;
  const paths = pathsOfPrepare(config);
  if (paths.some(isFetched)) return undefined;
  try {
    return sum(findFiles(paths).map((path) => Deno.statSync(path).size));
  } catch (error) {
    if (error instanceof UserError || error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

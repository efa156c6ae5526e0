/**
 * The `decode` stage: plain against self-speculative greedy decoding of every arm, by the same engine on the same
 * prompts: tokens a forward pass, acceptance by depth, wall-clock ratio, repetition, and whether the outputs are equal.
 */
import { join } from "node:path";
import type { DecodeConfig } from "../config/schema.ts";
import { BYTE_TOKENIZER, verifyShards } from "../data/shards.ts";
import { writeJson } from "../formats/atomic.ts";
import type { MtpModel } from "../model/mod.ts";
import { Interrupted, UserError } from "../stage/errors.ts";
import type { Run, StageIo } from "../stage/io.ts";
import { turn } from "../stage/turn.ts";
import { type Kernels, start } from "../torch/mod.ts";
import { type Arm, openArm } from "../train/arm.ts";
import { compareOutputs } from "./compare.ts";
import { type Decoded, greedy, type GreedyRequest } from "./greedy.ts";
import { cutPrompts } from "./prompts.ts";
import { repetition } from "./repetition.ts";
import { speculate, type Speculated } from "./speculate.ts";
import { markedText, textOf } from "./text.ts";

export const run: Run<DecodeConfig> = async (config, io) => {
  const machine = start(config);
  io.log(`device: ${machine.device} (${machine.reason}), ${machine.threads} threads`);
  if (config.mode === "strict" && machine.device !== "cpu") {
    throw new UserError("mode: strict has kernels for the CPU only; set mode: exact, or device: cpu");
  }
  const kernels = config.mode === "strict" ? "rows" : "aten";
  const text = io.needs.find((need) => need.run === "prepare")!.folder;
  verifyShards(text);
  const prompts = cutPrompts(text, "val", config.prompts, config.prompt_bytes);
  const arms = [];
  for (const need of io.needs.filter(({ run }) => run === "train")) {
    using arm = openArm(need, machine.device);
    arms.push(await benchArm(arm, prompts, kernels, config, io));
  }
  writeJson(join(io.folder, "decode.json"), {
    mode: config.mode,
    tolerance: toleranceOf(config),
    prompt_bytes: config.prompt_bytes,
    new_tokens: config.new_tokens,
    batch: 1,
    machine: { cpus: navigator.hardwareConcurrency, threads: machine.threads, device: machine.device },
    arms,
  });
};

/** Strict decoding has no ties: both decoders do the same arithmetic. */
const toleranceOf = ({ mode, tolerance }: DecodeConfig): number => mode === "strict" ? 0 : tolerance;

const SAMPLES = 3;

async function benchArm(
  { id, curriculum, model }: Arm,
  prompts: readonly number[][],
  kernels: Kernels,
  config: DecodeConfig,
  io: StageIo,
): Promise<Record<string, unknown>> {
  const requests = prompts.map((prompt) => {
    const room = model.shape.context - prompt.length;
    if (room < config.new_tokens) {
      throw new UserError(
        `${id}: ${prompt.length} tokens of prompt and new_tokens ${config.new_tokens} do not fit its context of ` +
          `${model.shape.context}: lower prompt_bytes or new_tokens`,
      );
    }
    return { prompt, newTokens: config.new_tokens, stop: BYTE_TOKENIZER.endToken, kernels };
  });
  const { plain, fast } = await timed(model, requests, config.repeats, id, io);
  const texts = plain.outputs.map(({ tokens }) => textOf(tokens));
  const figures = {
    id,
    curriculum,
    heads: model.headCount,
    prompts: prompts.length,
    plain: rates(plain),
    speculative: fast === null
      ? null
      : { ...rates(fast), speedup: plain.seconds / fast.seconds, acceptance: acceptance(fast.outputs) },
    equal: fast === null ? null : compareOutputs(
      plain.outputs.map(({ tokens }, i) => ({ plain: tokens, speculative: fast.outputs[i]!.tokens })),
      toleranceOf(config),
      (prompt, at) => gapAt(model, requests[prompt]!, at),
    ),
    repetition: repetition(texts),
    samples: prompts.slice(0, SAMPLES).map((prompt, i) => {
      const output = fast?.outputs[i];
      const { tokens } = output ?? plain.outputs[i]!;
      const { text, ranges } = markedText(tokens, output?.drafted ?? tokens.map(() => false));
      return { prompt: textOf(prompt), text, drafted: ranges };
    }),
  };
  io.log(sentence(figures));
  return figures;
}

interface Timed<Output extends Decoded> {
  /** Of the last round; every round gives the same. */
  readonly outputs: readonly Output[];
  /** For all prompts together: the median round. */
  readonly seconds: number;
}

/** Rounds over all prompts, plain and speculative in turn, so that both meet the same noise. */
async function timed(
  model: MtpModel,
  requests: readonly GreedyRequest[],
  repeats: number,
  id: string,
  io: StageIo,
): Promise<{ plain: Timed<Decoded>; fast: Timed<Speculated> | null }> {
  const decoders = {
    plain: (request: GreedyRequest) => greedy(model, request),
    fast: (request: GreedyRequest) => speculate(model, request),
  };
  const seconds = { plain: [] as number[], fast: [] as number[] };
  const plain: Decoded[] = [];
  const fast: Speculated[] = [];
  const speculates = model.headCount > 1;
  decoders.plain(requests[0]!); // wakes the threads and fills the caches
  for (let round = 0; round < repeats; round++) {
    const sums = { plain: 0, fast: 0 };
    for (const [i, request] of requests.entries()) {
      const time = <T>(kind: "plain" | "fast", decode: (request: GreedyRequest) => T): T => {
        const began = performance.now();
        const output = decode(request);
        sums[kind] += (performance.now() - began) / 1000;
        return output;
      };
      plain[i] = time("plain", decoders.plain);
      if (speculates) fast[i] = time("fast", decoders.fast);
      io.progress(`${id}: round ${round + 1}/${repeats}, prompt ${i + 1}/${requests.length}`);
      await turn(); // signals get theirs
      if (io.stop.aborted) throw new Interrupted("stopped; nothing was written");
    }
    seconds.plain.push(sums.plain);
    seconds.fast.push(sums.fast);
  }
  return {
    plain: { outputs: plain, seconds: median(seconds.plain) },
    fast: speculates ? { outputs: fast, seconds: median(seconds.fast) } : null,
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The first token of each prompt comes from the prompt's own forward pass, and counts in neither. */
function rates({ outputs, seconds }: Timed<Decoded>): {
  tokens: number;
  forwards: number;
  seconds: number;
  tokens_per_s: number;
  tokens_per_forward: number;
} {
  const tokens = outputs.reduce((sum, output) => sum + output.tokens.length, 0);
  const forwards = outputs.reduce((sum, output) => sum + output.forwards, 0);
  const tokens_per_forward = (tokens - outputs.length) / forwards;
  return { tokens, forwards, seconds, tokens_per_s: tokens / seconds, tokens_per_forward };
}

/** Conditional on the drafts before, and cumulative over all forward passes that proposed at depth 2. */
function acceptance(
  outputs: readonly Speculated[],
): { depth: number; proposed: number; accepted: number; conditional: number; cumulative: number }[] {
  let cumulative = 1;
  return outputs[0]!.drafts.map((_, i) => {
    const sum = (key: "proposed" | "accepted") =>
      outputs.reduce((total, { drafts }) => total + drafts[i]![key], 0);
    const [proposed, accepted] = [sum("proposed"), sum("accepted")];
    const conditional = proposed === 0 ? 0 : accepted / proposed;
    cumulative *= conditional;
    return { depth: i + 2, proposed, accepted, conditional, cumulative };
  });
}

/** How far the plain decoder's best logit was ahead at one token. */
function gapAt(model: MtpModel, request: GreedyRequest, at: number): number {
  const gaps: number[] = [];
  greedy(model, request, (gap) => gaps.push(gap));
  return gaps[at]!;
}

function sentence({ id, plain, speculative, equal }: {
  id: string;
  plain: { tokens_per_s: number };
  speculative: { tokens_per_forward: number; speedup: number } | null;
  equal: { identical: number; ties: number; different: number } | null;
}): string {
  const rate = `${id}: plain ${Math.round(plain.tokens_per_s).toLocaleString("en")} tokens/s`;
  if (speculative === null || equal === null) return rate;
  return `${rate}; speculative ${speculative.tokens_per_forward.toFixed(2)} tokens a forward pass, ` +
    `${
      speculative.speedup.toFixed(2)
    } times as fast; outputs: ${equal.identical} identical, ${equal.ties} ties, ` +
    `${equal.different} different`;
}

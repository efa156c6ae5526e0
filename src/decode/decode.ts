/**
 * The `decode` stage: plain against self-speculative greedy decoding of every arm, by the same engine on the same
 * prompts: tokens a forward pass, acceptance by depth, wall-clock ratio, repetition, and whether the outputs are equal.
 */
import { join } from "node:path";
import type { DecodeConfig } from "../config/schema.ts";
import { verifyShards } from "../data/shards.ts";
import { tokenizerOf } from "../data/tokenizer_of.ts";
import { writeJson } from "../formats/atomic.ts";
import type { MtpModel } from "../model/mod.ts";
import { UserError } from "../stage/errors.ts";
import type { Run, StageIo } from "../stage/io.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { inWords, type Machine, start } from "../torch/mod.ts";
import { type Arm, checkTokenizer, openArm } from "../train/arm.ts";
import { bench, type Benched, type Rates } from "./bench.ts";
import { compareOutputs, type Equality } from "./compare.ts";
import { type Decoded, greedy, type GreedyRequest } from "./greedy.ts";
import { cutPrompts } from "./prompts.ts";
import { repetition } from "./repetition.ts";
import type { Speculated } from "./speculate.ts";
import { markedText, textOf } from "./text.ts";

export const run: Run<DecodeConfig> = async (config, io) => {
  const machine = startFor(config);
  io.log(inWords(machine));
  const set = verifyShards(io.needs.find((need) => need.run === "prepare")!.folder);
  using tokenizer = tokenizerOf(set);
  const prompts = cutPrompts(set, config.split, tokenizer, config.prompts, config.prompt_bytes);
  const arms = [];
  for (const need of io.needs.filter(({ run }) => run === "train")) {
    using arm = openArm(need, machine.device);
    checkTokenizer(arm, set);
    checkRoom(arm, prompts, config);
    arms.push(await benchArm(arm, tokenizer, prompts, config, io));
  }
  const { mode, prompt_bytes, new_tokens, repeats } = config;
  writeJson(join(io.folder, "decode.json"), {
    mode,
    tolerance: toleranceOf(config),
    prompt_bytes,
    new_tokens,
    repeats,
    batch: 1,
    machine: { cpus: navigator.hardwareConcurrency, threads: machine.threads, device: machine.device },
    arms,
  });
};

/** Strict decoding runs on the CPU, which has the kernels for it. @throws {UserError} when CUDA is asked for. */
function startFor(config: DecodeConfig): Machine {
  if (config.mode !== "strict") return start(config);
  if (config.device === "cuda") {
    throw new UserError("mode: strict has kernels for the CPU only; set mode: exact, or device: cpu or auto");
  }
  const machine = start({ ...config, device: "cpu" });
  return { ...machine, reason: "strict decoding has kernels for the CPU only" };
}

/** Strict decoding has no ties: both decoders do the same arithmetic. */
const toleranceOf = ({ mode, tolerance }: DecodeConfig): number => mode === "strict" ? 0 : tolerance;

/** How many tokens a prompt has is known only now, where they are subwords. @throws {UserError} naming what is too long. */
function checkRoom({ id, model }: Arm, prompts: readonly number[][], { new_tokens }: DecodeConfig): void {
  const longest = Math.max(...prompts.map((prompt) => prompt.length));
  const { context } = model.shape;
  if (longest + new_tokens <= context) return;
  throw new UserError(
    `A prompt of ${longest} tokens and new_tokens (${new_tokens}) do not fit the context of ${id} (${context}): ` +
      `lower new_tokens or prompt_bytes`,
  );
}

/** Prompts whose continuations are shown. */
const SAMPLES = 3;

async function benchArm(
  { id, curriculum, model }: Arm,
  tokenizer: Tokenizer,
  prompts: readonly number[][],
  config: DecodeConfig,
  io: StageIo,
): Promise<Record<string, unknown>> {
  const requests = prompts.map((prompt) => requestFor(prompt, tokenizer, config));
  const benched = await bench(model, requests, config.repeats, io, id);
  const { plain, fast, otherPlain } = benched;
  const equal = fast === null ? null : compareOutputs(
    plain.outputs.map(({ tokens }, i) => ({ plain: tokens, speculative: fast.outputs[i]!.tokens })),
    toleranceOf(config),
    (prompt, at) => gapAt(model, requests[prompt]!, at),
  );
  io.log(`${id}: ${sentence(benched, equal)}`);
  return {
    id,
    curriculum,
    heads: model.headCount,
    prompts: prompts.length,
    plain: plain.rates,
    other_plain: otherPlain,
    speculative: speculation(benched),
    equal,
    bytes_per_token: bytesPerToken(plain.outputs, tokenizer),
    repetition: repetition(plain.outputs.map(({ tokens }) => textOf(tokens, tokenizer))),
    samples: prompts.slice(0, SAMPLES).map((prompt, i) => sample(prompt, tokenizer, benched, i)),
  };
}

function requestFor(
  prompt: readonly number[],
  { end }: Tokenizer,
  { mode, new_tokens }: DecodeConfig,
): GreedyRequest {
  const kernels = mode === "strict" ? "rows" : "aten";
  return { prompt, newTokens: new_tokens, stop: end, kernels };
}

/** Bytes of text that a generated token stands for, on average: tokens a second of two tokenizers are not alike. */
function bytesPerToken(outputs: readonly Decoded[], { byteLengths }: Tokenizer): number {
  const tokens = outputs.flatMap((output) => output.tokens);
  return tokens.reduce((sum, id) => sum + byteLengths[id]!, 0) / tokens.length;
}

/** Tokens a second over those of the faster plain decoder. */
function speedupOf(rates: Rates, { plain, otherPlain }: Benched): number {
  return rates.tokens_per_s / Math.max(plain.rates.tokens_per_s, otherPlain?.tokens_per_s ?? 0);
}

/** What all heads give, and what fewer do: which number is fastest depends on the machine. */
function speculation(benched: Benched): Record<string, unknown> | null {
  const { fast, byHeads } = benched;
  if (fast === null) return null;
  return {
    ...fast.rates,
    speedup: speedupOf(fast.rates, benched),
    by_heads: byHeads.map(({ heads, rates }) => ({
      heads,
      tokens_per_s: rates.tokens_per_s,
      tokens_per_forward: rates.tokens_per_forward,
      speedup: speedupOf(rates, benched),
    })),
    acceptance: acceptance(fast.outputs),
  };
}

/** Acceptance at one depth: of the drafts proposed there, and of all forward passes that proposed any. */
interface Acceptance {
  readonly depth: number;
  readonly proposed: number;
  readonly accepted: number;
  readonly conditional: number;
  readonly cumulative: number;
}

function acceptance(outputs: readonly Speculated[]): Acceptance[] {
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

/** A prompt, its continuation, and the stretches of it that came from accepted drafts. */
function sample(
  prompt: readonly number[],
  tokenizer: Tokenizer,
  { plain, fast }: Benched,
  i: number,
): Record<string, unknown> {
  const { tokens } = (fast ?? plain).outputs[i]!;
  const { text, ranges } = markedText(
    tokens,
    fast?.outputs[i]?.drafted ?? tokens.map(() => false),
    tokenizer,
  );
  return { prompt: textOf(prompt, tokenizer), text, drafted: ranges };
}

function sentence(benched: Benched, equal: Equality | null): string {
  const { plain, fast, byHeads } = benched;
  const rate = `plain ${Math.round(plain.rates.tokens_per_s).toLocaleString("en")} tokens/s`;
  if (fast === null || equal === null) return rate;
  const speeds = byHeads.map(({ heads, rates }) =>
    `${speedupOf(rates, benched).toFixed(2)} times its speed with ${heads} heads`
  );
  return `${rate}; speculative ${fast.rates.tokens_per_forward.toFixed(2)} tokens a forward pass, ` +
    `${
      speeds.join(", ")
    }; outputs: ${equal.identical} identical, ${equal.ties} ties, ${equal.different} different`;
}

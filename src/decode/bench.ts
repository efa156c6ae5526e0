/**
 * Times plain against self-speculative decoding: rounds over all prompts, the two in turn on each prompt and each first
 * on every other one, so that both meet the same noise. Plain decoding with the other kernels runs on a few of the prompts: the yardstick of a speed-up is the
 * faster plain decoder, not a slow one.
 */
import type { MtpModel } from "../model/mod.ts";
import { Interrupted } from "../stage/errors.ts";
import type { StageIo } from "../stage/io.ts";
import { turn } from "../stage/turn.ts";
import type { Kernels } from "../torch/mod.ts";
import { type Decoded, greedy, type GreedyRequest } from "./greedy.ts";
import { speculate, type Speculated } from "./speculate.ts";

/** What one decoder did over its prompts; the first token of each comes from the prompt's own forward pass. */
export interface Rates {
  readonly kernels: Kernels;
  readonly prompts: number;
  /** New tokens, and forward passes behind those of the prompts. */
  readonly tokens: number;
  readonly forwards: number;
  /** Wall-clock time of a round, prompts included: the median over the rounds. */
  readonly seconds: number;
  readonly tokens_per_s: number;
  /** (tokens - prompts) / forwards: 1 for plain decoding. */
  readonly tokens_per_forward: number;
}

export interface Benched {
  readonly plain: { readonly outputs: readonly Decoded[]; readonly rates: Rates };
  /** Null for a model with one head. */
  readonly fast: { readonly outputs: readonly Speculated[]; readonly rates: Rates } | null;
  /** Speculative decoding with the first 2, 3, ... K heads: shorter drafts are cheaper to verify. */
  readonly byHeads: readonly { readonly heads: number; readonly rates: Rates }[];
  /** Plain decoding with the kernels that `plain` does not use; null where there are no others. */
  readonly otherPlain: Rates | null;
}

/** Prompts on which the other kernels are timed. */
const OTHER_PROMPTS = 2;

/** One decoder, its outputs, and the seconds of each round. */
class Contender<Output extends Decoded> {
  readonly outputs: Output[] = [];
  /** Of each round over the prompts. */
  readonly #seconds: number[] = [];

  constructor(
    readonly kernels: Kernels,
    readonly requests: readonly GreedyRequest[],
    readonly decode: (request: GreedyRequest) => Output,
  ) {}

  /** Decodes one prompt, if it is among this decoder's. */
  turn(round: number, prompt: number): void {
    const request = this.requests[prompt];
    if (request === undefined) return;
    const began = performance.now();
    this.outputs[prompt] = this.decode({ ...request, kernels: this.kernels });
    this.#seconds[round] = (this.#seconds[round] ?? 0) + (performance.now() - began) / 1000;
  }

  rates(): Rates {
    const { kernels, outputs } = this;
    const prompts = outputs.length;
    const tokens = outputs.reduce((sum, output) => sum + output.tokens.length, 0);
    const forwards = outputs.reduce((sum, output) => sum + output.forwards, 0);
    const seconds = median(this.#seconds);
    const tokens_per_forward = forwards === 0 ? 1 : (tokens - prompts) / forwards;
    return {
      kernels,
      prompts,
      tokens,
      forwards,
      seconds,
      tokens_per_s: tokens / seconds,
      tokens_per_forward,
    };
  }
}

/** @throws {Interrupted} between prompts, when the stage is told to stop. */
export async function bench(
  model: MtpModel,
  requests: readonly GreedyRequest[],
  repeats: number,
  io: StageIo,
  name: string,
): Promise<Benched> {
  const { kernels } = requests[0]!;
  const plain = new Contender(kernels, requests, (request) => greedy(model, request));
  const speculative = Array.from(
    { length: model.headCount - 1 },
    (_, i) => new Contender(kernels, requests, (request) => speculate(model, request, i + 2)),
  );
  const fast = speculative.at(-1) ?? null;
  const other = model.device === "cpu"
    ? new Contender(
      kernels === "rows" ? "aten" : "rows",
      requests.slice(0, OTHER_PROMPTS),
      (request) => greedy(model, request),
    )
    : null;
  const contenders: Contender<Decoded>[] = [plain, ...speculative, ...(other === null ? [] : [other])];
  for (const { decode, kernels } of contenders) decode({ ...requests[0]!, kernels }); // fills the caches
  for (let round = 0; round < repeats; round++) {
    for (const prompt of requests.keys()) {
      const order = (round + prompt) % 2 === 0 ? contenders : contenders.toReversed();
      for (const contender of order) contender.turn(round, prompt);
      io.progress(`${name}: round ${round + 1} of ${repeats}, prompt ${prompt + 1} of ${requests.length}`);
      await turn();
      if (io.stop.aborted) throw new Interrupted("stopped; nothing was written");
    }
  }
  return {
    plain: { outputs: plain.outputs, rates: plain.rates() },
    fast: fast === null ? null : { outputs: fast.outputs, rates: fast.rates() },
    byHeads: speculative.map((contender, i) => ({ heads: i + 2, rates: contender.rates() })),
    otherPlain: other?.rates() ?? null,
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Times decoders against each other: rounds over all prompts, the contenders in turn and each first on every other
 * prompt, so that all meet the same noise. One prompt at a time is decoded, or all of them, that take a place of the
 * batch as it falls free.
 */
import type { Decoder } from "../model/mod.ts";
import type { Kernels } from "../torch/mod.ts";
import { decode, decodeSteps } from "./engine.ts";
import type { Settings } from "./settings.ts";
import { Parts } from "./parts.ts";
import type { Decoded, Request } from "./sequence.ts";
import { StepMeter } from "./step_meter.ts";

/** What one decoder did over its prompts; the first token of each comes from the prompt's own forward pass. */
export interface Rates {
  readonly tokens: number;
  /** Forward passes behind those of the prompts, counted by sequence. */
  readonly forwards: number;
  /** Wall-clock time of a round, prompts included: the median over the rounds. */
  readonly seconds: number;
  readonly tokens_per_s: number;
  /** (tokens - prompts) / forwards: 1 for plain decoding. */
  readonly tokens_per_forward: number;
}

/** Milliseconds after which a long run lets the process hear signals; they do not count. */
const PAUSE_EVERY = 250;

/** One way to decode, its outputs, and the seconds of each round. */
export class Contender {
  readonly outputs: Decoded[] = [];
  readonly meter = new StepMeter();
  readonly #seconds: number[] = [];

  /** @param most Prompts that it decodes, from the first on. */
  constructor(readonly decoder: Decoder, readonly settings: Settings, readonly most = Infinity) {}

  get kernels(): Kernels {
    return this.decoder.kernels;
  }

  /** Fills the processor's caches. */
  warmUp(requests: readonly Request[]): void {
    decode(this.decoder, requests.slice(0, this.settings.batch), this.settings);
  }

  /** Decodes some of the prompts, from the `first` on. */
  async turn(
    round: number,
    first: number,
    requests: readonly Request[],
    pause: () => Promise<void>,
  ): Promise<void> {
    const settings = { ...this.settings, seed: this.settings.seed + first };
    const parts = new Parts();
    const watch = this.meter.watch(Math.min(settings.batch, requests.length), parts);
    const clock = new Clock();
    const steps = decodeSteps(this.decoder, requests, settings, parts);
    try {
      for (;;) {
        const { done, value } = steps.next();
        if (done) {
          value.forEach((output, i) => this.outputs[first + i] = output);
          break;
        }
        watch(value);
        if (clock.sincePause > PAUSE_EVERY) await clock.without(pause);
      }
    } finally {
      steps.return([]); // frees what a stopped run holds
    }
    this.#seconds[round] = (this.#seconds[round] ?? 0) + clock.seconds;
  }

  rates(): Rates {
    const { outputs } = this;
    const tokens = outputs.reduce((sum, output) => sum + output.tokens.length, 0);
    const forwards = outputs.reduce((sum, output) => sum + output.forwards, 0);
    const seconds = median(this.#seconds);
    const tokens_per_forward = forwards === 0 ? 1 : (tokens - outputs.length) / forwards;
    return { tokens, forwards, seconds, tokens_per_s: tokens / seconds, tokens_per_forward };
  }
}

/** @param pause Awaited between turns and in long ones; throws to stop. */
export async function bench(
  contenders: readonly Contender[],
  requests: readonly Request[],
  batch: number,
  repeats: number,
  pause: (round: number, prompt: number) => Promise<void>,
): Promise<void> {
  for (const contender of contenders) contender.warmUp(requests);
  const together = batch === 1 ? 1 : requests.length;
  for (let round = 0; round < repeats; round++) {
    for (let first = 0, unit = 0; first < requests.length; first += together, unit++) {
      const order = (round + unit) % 2 === 0 ? contenders : contenders.toReversed();
      for (const contender of order) {
        const own = requests.slice(first, Math.min(first + together, contender.most));
        if (own.length === 0) continue;
        await pause(round, first);
        await contender.turn(round, first, own, () => pause(round, first));
      }
    }
  }
}

/** Wall-clock time less pauses. */
class Clock {
  #begun = performance.now();
  #spent = 0;

  /** Milliseconds. */
  get sincePause(): number {
    return performance.now() - this.#begun;
  }

  get seconds(): number {
    return (this.#spent + this.sincePause) / 1000;
  }

  async without(pause: () => Promise<void>): Promise<void> {
    this.#spent += this.sincePause;
    await pause();
    this.#begun = performance.now();
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** One arm on one domain: every number of heads with every batch, and what is compared between them. */
import type { DecodeConfig } from "../config/schema.ts";
import type { Decoder, MtpModel } from "../model/mod.ts";
import { Interrupted } from "../stage/errors.ts";
import type { StageIo } from "../stage/io.ts";
import { turn } from "../stage/turn.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { acceptanceOf, sumOfDrafts } from "./acceptance.ts";
import { bench, Contender, type Rates } from "./bench.ts";
import { compareOutputs, type Equality } from "./compare.ts";
import { draftedTokens, headsOf, settingsFor, toleranceOf } from "./contenders.ts";
import type { Domain } from "./domains.ts";
import { decode } from "./engine.ts";
import { forwardCosts } from "./forward_cost.ts";
import { gapBehind } from "./gap.ts";
import { withinMemory } from "./memory.ts";
import { repetition } from "./repetition.ts";
import type { BatchResult, DomainResult, Ideal, Measurement, Sample } from "./results.ts";
import { isGreedy } from "./sampling.ts";
import type { Decoded, Request } from "./sequence.ts";
import { teacherForced } from "./teacher_forced.ts";
import { markedText, textOf } from "./text.ts";

/** What is measured, and with what. */
export interface Subject {
  readonly id: string;
  readonly model: MtpModel;
  readonly decoder: Decoder;
  /** The same model with the other kernels: plain decoding with these is a yardstick too. */
  readonly other: Decoder | null;
  readonly tokenizer: Tokenizer;
  readonly config: DecodeConfig;
  readonly io: StageIo;
}

/** @throws {Interrupted} when the stage is told to stop. */
export async function measureDomain(subject: Subject, domain: Domain): Promise<DomainResult> {
  const { config, model, tokenizer } = subject;
  const stop = new Set([tokenizer.end]);
  const requests = domain.passages.map(({ prompt }) => ({ prompt, newTokens: config.new_tokens, stop }));
  const plain = await decodePlainly(subject, domain.name, requests);
  const batches: BatchResult[] = [];
  let shown: readonly Decoded[] = plain; // those of the most heads, in the first batch
  for (const batch of config.batches) {
    const { result, outputs } = await measureBatch(subject, domain.name, requests, batch, plain);
    if (batches.push(result) === 1) shown = outputs;
  }
  const truths = domain.passages.map(({ continuation }) => textOf(continuation, tokenizer));
  return {
    name: domain.name,
    prompts: requests.length,
    bytes_per_token: bytesPerToken(plain, tokenizer),
    repetition: {
      plain: repetition(textsOf(plain, tokenizer)),
      truth: truths.every((text) => text === "") ? null : repetition(truths),
    },
    teacher_forced: teacherForced(model, domain.passages, tokenizer.byteLengths),
    batches,
    samples: samplesOf(domain, shown, tokenizer),
  };
}

/** What all outputs are compared with: one prompt at a time. */
async function decodePlainly(
  { config, decoder, io, id }: Subject,
  domain: string,
  requests: readonly Request[],
): Promise<Decoded[]> {
  const settings = settingsFor(config, 1, 1);
  const outputs: Decoded[] = [];
  for (const [i, request] of requests.entries()) {
    await pause(io, `${id}, ${domain}: plain, prompt ${i + 1} of ${requests.length}`);
    outputs.push(...decode(decoder, [request], { ...settings, seed: settings.seed + i }));
  }
  return outputs;
}

/** @throws {Interrupted} */
async function pause(io: StageIo, progress: string): Promise<void> {
  io.progress(progress);
  await turn();
  if (io.stop.aborted) throw new Interrupted("stopped; nothing was written");
}

/** Prompts that the other plain decoder is timed on, which may be far slower; or a whole batch. */
const OTHER_PROMPTS = 2;

/** `outputs`: with the most heads. */
async function measureBatch(
  subject: Subject,
  domain: string,
  requests: readonly Request[],
  batch: number,
  plain: readonly Decoded[],
): Promise<{ result: BatchResult; outputs: readonly Decoded[] }> {
  const { config, decoder, id, io } = subject;
  const contenders = headsOf(config, decoder.headCount)
    .map((heads) => new Contender(decoder, settingsFor(config, heads, batch)));
  const other = subject.other &&
    new Contender(subject.other, settingsFor(config, 1, batch), Math.max(OTHER_PROMPTS, batch));
  const progress = (round: number, prompt: number) => {
    const place = `round ${round + 1} of ${config.repeats}, prompt ${prompt + 1} of ${requests.length}`;
    return pause(io, `${id}, ${domain}, batch ${batch}: ${place}`);
  };
  const costs = await withinMemory(id, batch, async () => {
    const all = other === null ? contenders : [...contenders, other];
    await bench(all, requests, batch, config.repeats, progress);
    return costsOf(subject, contenders, requests, batch);
  });
  const own = contenders[0]!.rates();
  const other_plain = other && { kernels: other.kernels, tokens_per_s: other.rates().tokens_per_s };
  const best = Math.max(own.tokens_per_s, other_plain?.tokens_per_s ?? 0);
  const measurements = contenders.map((contender): Measurement => {
    const rates = contender.rates();
    return {
      heads: contender.settings.heads,
      ...rates,
      speedup: rates.tokens_per_s / best,
      ideal: idealOf(subject, contender, rates, own, costs),
      forward: contender.meter.mean(),
      acceptance: acceptanceOf(sumOfDrafts(contender.outputs)),
      equal: equalityOf(subject, requests, plain, contender.outputs),
      repetition: repetition(textsOf(contender.outputs, subject.tokenizer)),
    };
  });
  const most = contenders.findLast(({ settings }) => settings.heads !== "auto")!;
  return { result: { batch, other_plain, measurements }, outputs: most.outputs };
}

/** Of one row, and of as many as the contenders verify; half of each continuation is in the cache. */
function costsOf(
  { config, decoder }: Subject,
  contenders: readonly Contender[],
  requests: readonly Request[],
  batch: number,
): Map<number, number> {
  const numbers = contenders.flatMap(({ settings: { heads } }) => heads === "auto" ? [] : [heads]);
  const rows = [...new Set(numbers.map((heads) => 1 + draftedTokens(config, heads)))];
  const longest = Math.max(...requests.map(({ prompt }) => prompt.length));
  const most = decoder.shape.context - Math.max(...rows);
  return forwardCosts(decoder, batch, Math.min(longest + Math.floor(config.new_tokens / 2), most), rows);
}

function idealOf(
  { config }: Subject,
  { settings: { heads } }: Contender,
  rates: Rates,
  own: Rates,
  costs: Map<number, number>,
): Ideal | null {
  if (heads === 1 || heads === "auto") return null;
  const forward_cost = costs.get(1 + draftedTokens(config, heads))! / costs.get(1)!;
  const speedup = rates.tokens_per_forward / forward_cost;
  return { forward_cost, speedup, reached: rates.tokens_per_s / own.tokens_per_s / speedup };
}

function equalityOf(
  { config, decoder }: Subject,
  requests: readonly Request[],
  plain: readonly Decoded[],
  outputs: readonly Decoded[],
): Equality | null {
  if (!isGreedy(config.sampling)) return null;
  const pairs = plain.map(({ tokens }, i) => ({ plain: tokens, speculative: outputs[i]!.tokens }));
  return compareOutputs(pairs, toleranceOf(config), (prompt, at) => {
    const known = [...requests[prompt]!.prompt, ...plain[prompt]!.tokens.slice(0, at)];
    return gapBehind(known, decoder, config.sampling);
  });
}

const textsOf = (outputs: readonly Decoded[], tokenizer: Tokenizer): string[] =>
  outputs.map(({ tokens }) => textOf(tokens, tokenizer));

function bytesPerToken(outputs: readonly Decoded[], { byteLengths }: Tokenizer): number {
  const tokens = outputs.flatMap((output) => output.tokens);
  return tokens.reduce((sum, id) => sum + (byteLengths[id] ?? 0), 0) / tokens.length;
}

/** Prompts of a domain whose continuations are shown. */
const SAMPLES = 3;

function samplesOf({ passages }: Domain, outputs: readonly Decoded[], tokenizer: Tokenizer): Sample[] {
  return passages.slice(0, SAMPLES).map(({ prompt }, i) => {
    const { tokens, drafted } = outputs[i]!;
    const { text, ranges } = markedText(tokens, drafted, tokenizer);
    return { prompt: textOf(prompt, tokenizer), text, drafted: ranges };
  });
}

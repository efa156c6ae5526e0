/**
 * `deno task bench decode plain` and `batch`: greedy decoding with a cache, against `generate` of transformers
 * (decode_peer.py) on the same weights, prompts, libtorch version, threads and wait policy. A request is timed as a whole,
 * with its prompts. One sequence is also compared with what memory allows, which is measured in the same turns.
 */
import { firstDifference } from "../../src/decode/compare.ts";
import { decode } from "../../src/decode/engine.ts";
import { PLAIN } from "../../src/decode/settings.ts";
import { gapBehind } from "../../src/decode/gap.ts";
import { GREEDY } from "../../src/decode/sampling.ts";
import type { Decoder } from "../../src/model/mod.ts";
import { UserError } from "../../src/stage/errors.ts";
import { bandwidth } from "./bandwidth.ts";
import { Child, PEER, TWO_THREADS } from "./child.ts";
import { bytesRead, randomModel, type Size, writeHf } from "./decode_model.ts";
import { median, print, printTable } from "./table.ts";
import { inTurns } from "./turns.ts";

const FOLDER = "native/build/bench/decode";
const PROMPT = 16;
const ROUNDS = { milliseconds: 15_000, least: 5, most: 51 };
/** New tokens with which the peer finds its fastest way. */
const TO_CHOOSE = 24;
/** Gap of the two best logits below which rounding decides. */
const TIE = 1e-4;

/** The least ratio to transformers, and the least share of the bandwidth. */
interface Target {
  readonly ratio: number;
  readonly bandwidth?: number;
}
const TARGETS: Partial<Record<Size, Target>> = {
  "10M": { ratio: 3 },
  "100M": { ratio: 1.3, bandwidth: 0.7 },
  "124M": { ratio: 1.3, bandwidth: 0.7 },
};
const BATCH_TARGET: Target = { ratio: 1.3 };

export async function comparePlain(sizes: readonly Size[], batch: number): Promise<void> {
  const measureBandwidth = batch === 1 ? await bandwidth() : null;
  const rows: string[][] = [];
  for (const size of sizes) rows.push(await compare(size, batch, measureBandwidth));
  print(
    `Greedy decoding in tokens a second, ${batch === 1 ? "one sequence" : `${batch} sequences together`}, ` +
      "float32, 2 threads, medians of turns:",
  );
  print();
  printTable(
    ["model", "foretoken", "transformers", "its fastest way", "ratio", "target", "of bandwidth", "target"],
    rows,
  );
}

async function compare(
  size: Size,
  batch: number,
  measureBandwidth: ((threads: number) => number) | null,
): Promise<string[]> {
  using model = randomModel(size);
  writeHf(model, FOLDER);
  using decoder = model.decoder("rows");
  await using peer = startPeer();
  const request = requestFor(batch, model.shape.vocab, size === "10M" ? 128 : 48);
  const way = JSON.parse(await peer.ask(JSON.stringify({ ...request, new_tokens: TO_CHOOSE })));
  const [ours, theirs] = [decodeOurs(decoder, request), await decodePeer(peer, request)];
  checkSame(decoder, request, ours.tokens, theirs.tokens);
  const [oursMs, theirsMs, speeds = []] = await inTurns([
    () => decodeOurs(decoder, request).milliseconds,
    async () => (await decodePeer(peer, request)).milliseconds,
    ...(measureBandwidth === null ? [] : [() => measureBandwidth(2)]),
  ], ROUNDS) as [number[], number[], number[]?];
  const tokens = batch * request.new_tokens;
  const rate = (milliseconds: readonly number[]) => tokens / (median(milliseconds) / 1000);
  const ratio = median(oursMs.map((ms, i) => theirsMs[i]! / ms));
  const target = batch === 1 ? TARGETS[size] : BATCH_TARGET;
  const share = speeds.length === 0 ? NaN : rate(oursMs) * bytesRead(model) / median(speeds);
  return [
    size,
    rate(oursMs).toFixed(0),
    rate(theirsMs).toFixed(0),
    way,
    ratio.toFixed(2),
    target === undefined ? "" : `>= ${target.ratio}`,
    Number.isNaN(share) ? "" : `${(100 * share).toFixed(0)}% of ${(median(speeds) / 1e9).toFixed(1)} GB/s`,
    target?.bandwidth === undefined ? "" : `>= ${100 * target.bandwidth}%`,
  ];
}

/** As the peer is asked. */
interface PeerRequest {
  readonly prompts: readonly (readonly number[])[];
  readonly new_tokens: number;
}

interface Answer {
  readonly milliseconds: number;
  /** Of each prompt. */
  readonly tokens: readonly (readonly number[])[];
}

/** Prompts that differ from each other; which tokens they have does not matter. */
function requestFor(batch: number, vocab: number, new_tokens: number): PeerRequest {
  const prompt = (b: number) =>
    Array.from({ length: PROMPT }, (_, i) => (7919 * b + 104_729 * i + 13) % vocab);
  return { prompts: Array.from({ length: batch }, (_, b) => prompt(b)), new_tokens };
}

function decodeOurs(decoder: Decoder, { prompts, new_tokens }: PeerRequest): Answer {
  const requests = prompts.map((prompt) => ({ prompt, newTokens: new_tokens, stop: new Set<number>() }));
  const began = performance.now();
  const decoded = decode(decoder, requests, { ...PLAIN, batch: prompts.length });
  return { milliseconds: performance.now() - began, tokens: decoded.map(({ tokens }) => tokens) };
}

/** @throws {UserError} where there is no environment for it. */
function startPeer(): Child {
  try {
    return new Child(PEER, ["scripts/bench/decode_peer.py", FOLDER], TWO_THREADS);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError(
      "There is nothing to compare with: `deno task peers` makes the environment of the peer",
    );
  }
}

const decodePeer = async (peer: Child, request: PeerRequest): Promise<Answer> =>
  JSON.parse(await peer.ask(JSON.stringify(request)));

/** Both decode the same text, up to a call that rounding decides, or they do not do the same work. */
function checkSame(
  decoder: Decoder,
  { prompts }: PeerRequest,
  ours: Answer["tokens"],
  theirs: Answer["tokens"],
): void {
  for (const [i, prompt] of prompts.entries()) {
    const at = firstDifference(ours[i]!, theirs[i]!);
    if (at === null) continue;
    const gap = gapBehind([...prompt, ...ours[i]!.slice(0, at)], decoder, GREEDY);
    const where = `token ${at} of prompt ${i}: ${ours[i]![at]} and ${theirs[i]![at]}, ${
      gap.toExponential(1)
    } apart`;
    if (gap > TIE) throw new UserError(`Ours and transformers' differ at ${where}`);
    print(`a tie: ${where}`);
  }
}

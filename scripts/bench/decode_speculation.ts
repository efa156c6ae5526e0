/**
 * `deno task bench decode speculation [ARM]`: self-speculation with 1 to K heads of a trained model, greedily, on prompts
 * of held-out text, one sequence at a time. How far the wall-clock ratio to plain decoding is from what acceptance and the
 * cost of verifying allow: tokens a forward pass over the time of a pass with K rows in that of one.
 */
import { basename, dirname, join } from "node:path";
import { openShardSet } from "../../src/data/shards.ts";
import { tokenizerOf } from "../../src/data/tokenizer_of.ts";
import { firstDifference } from "../../src/decode/compare.ts";
import { decode } from "../../src/decode/engine.ts";
import { PLAIN } from "../../src/decode/settings.ts";
import { Parts } from "../../src/decode/parts.ts";
import { cutPrompts } from "../../src/decode/prompts.ts";
import type { Decoded, Request } from "../../src/decode/sequence.ts";
import type { Decoder } from "../../src/model/mod.ts";
import { UserError } from "../../src/stage/errors.ts";
import { openArm } from "../../src/train/arm.ts";
import { passes } from "./decode_rows.ts";
import { median, print, printTable } from "./table.ts";
import { inTurns } from "./turns.ts";

const PROMPTS = 8;
const PROMPT_BYTES = 32;
const NEW_TOKENS = 192;
const ROUNDS = { milliseconds: 20_000, least: 5, most: 51 };
const TARGETS = { bookkeeping: 0.05, reached: 0.85 };

/** Decoding with some number of heads. */
interface Measured {
  readonly outputs: readonly Decoded[];
  readonly parts: Parts;
  /** Caches and all. */
  readonly milliseconds: number;
}

export async function measureSpeculation(folder: string): Promise<void> {
  using arm = openArm({ id: basename(folder), run: "train", folder }, "cpu");
  const heads = Array.from({ length: arm.model.headCount }, (_, i) => i + 1);
  using decoder = arm.model.decoder("rows");
  const requests = requestsFor(folder);
  const measured = heads.map((): Measured[] => []);
  const taken = await inTurns(
    heads.map((count, i) => () => {
      const now = decodeAll(decoder, requests, count);
      measured[i]!.push(now);
      return now.milliseconds;
    }),
    ROUNDS,
  );
  checkSame(measured.map(([first]) => first!.outputs));
  const costs = await passes(decoder, heads);
  print(`Self-speculation of ${folder}, one sequence, float32, 2 threads, medians of turns:`);
  print();
  printTable(
    [
      "heads",
      "tokens/s",
      "tokens a pass",
      "cost of verifying",
      "ratio",
      "reached",
      "sampling",
      "bookkeeping",
    ],
    heads.map((count, i) => {
      const outputs = measured[i]![0]!.outputs;
      const tokens = sum(outputs.map(({ tokens }) => tokens.length));
      const perPass = (tokens - outputs.length) / sum(outputs.map(({ forwards }) => forwards));
      const ratio = median(taken[0]!.map((ms, round) => ms / taken[i]![round]!));
      const cost = costs[i]! / costs[0]!;
      const share = (part: (parts: Parts) => number) =>
        percent(median(measured[i]!.map(({ parts }) => part(parts) / parts.total)));
      return [
        String(count),
        (tokens / median(taken[i]!) * 1000).toFixed(0),
        perPass.toFixed(2),
        cost.toFixed(2),
        ratio.toFixed(2),
        percent(ratio / (perPass / cost)),
        share(({ spent }) => spent.sampling),
        share(({ spent }) => spent.bookkeeping),
      ];
    }),
  );
  print();
  print(
    `targets: reached >= ${percent(TARGETS.reached)}; sampling and bookkeeping together < ${
      percent(TARGETS.bookkeeping)
    } of a step`,
  );
}

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** @throws {UserError} where no text lies beside the arm. */
function requestsFor(arm: string): Request[] {
  const set = openShardSet(textBeside(arm));
  using tokenizer = tokenizerOf(set);
  const prompts = cutPrompts(set, "val", tokenizer, PROMPTS, PROMPT_BYTES);
  return prompts.map((prompt) => ({ prompt, newTokens: NEW_TOKENS, stop: new Set() }));
}

/** The shards of the run that an arm is of. */
function textBeside(arm: string): string {
  const run = dirname(arm);
  const folders = [...Deno.readDirSync(run)].filter(({ isDirectory }) => isDirectory);
  const found = folders.map(({ name }) => join(run, name)).find(isShardSet);
  if (found === undefined) throw new UserError(`There is no text beside "${arm}"`);
  return found;
}

function isShardSet(folder: string): boolean {
  try {
    openShardSet(folder);
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

function decodeAll(decoder: Decoder, requests: readonly Request[], heads: number): Measured {
  const parts = new Parts();
  const began = performance.now();
  const outputs = decode(decoder, requests, { ...PLAIN, heads }, parts);
  return { outputs, parts, milliseconds: performance.now() - began };
}

/** Drafts decide how fast the text comes, never which. */
function checkSame([plain, ...others]: readonly (readonly Decoded[])[]): void {
  for (const outputs of others) {
    const differs = outputs.some(({ tokens }, i) => firstDifference(tokens, plain![i]!.tokens) !== null);
    if (differs) throw new UserError("Speculative and plain decoding gave different text");
  }
}

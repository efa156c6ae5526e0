/**
 * `deno task bench decode rows`: the time of one forward pass with some rows of one sequence behind 128 others, logits of
 * all rows included: what verifying a draft of so many tokens costs over plain decoding. With few rows it should be the
 * time of reading the weights, with many that of the multiplications.
 */
import type { Decoder, MtpModel } from "../../src/model/mod.ts";
import { Scope } from "../../src/torch/mod.ts";
import { bytesRead, randomModel, type Size } from "./decode_model.ts";
import { median, print, printTable } from "./table.ts";
import { inTurns } from "./turns.ts";

const ROWS = [1, 2, 3, 4, 6, 8, 12, 16];
const BEHIND = 128;
const ROUNDS = { milliseconds: 10_000, least: 5, most: 101 };
const SLICE_MS = 10;

export async function timeRows(sizes: readonly Size[]): Promise<void> {
  for (const [i, size] of sizes.entries()) {
    using model = randomModel(size);
    if (i > 0) print();
    print(`A forward pass by its rows, ${size}, float32, 2 threads, medians of turns:`);
    print();
    printTable(["rows", "ms", "of one row", "GB/s of weights", "GFLOP/s"], await rowsOf(model));
  }
}

async function rowsOf(model: MtpModel): Promise<string[][]> {
  using decoder = model.decoder("rows");
  const times = await passes(decoder, ROWS);
  const bytes = bytesRead(model);
  return ROWS.map((rows, i) => {
    const ms = times[i]!;
    return [
      String(rows),
      ms.toFixed(3),
      (ms / times[0]!).toFixed(2),
      (bytes / ms / 1e6).toFixed(1),
      (rows * bytes / 2 / ms / 1e6).toFixed(0), // a number of 4 bytes is multiplied and added once for each row
    ];
  });
}

/** Milliseconds of a forward pass with each number of rows. */
export async function passes(decoder: Decoder, numbers: readonly number[]): Promise<number[]> {
  using cache = decoder.newCache(1, BEHIND + Math.max(...numbers));
  pass(decoder, cache, BEHIND);
  const warm = timed(() => pass(decoder, cache, Math.max(...numbers)));
  const times = Math.max(1, Math.round(SLICE_MS / warm));
  const taken = await inTurns(
    numbers.map((rows) => () =>
      timed(() => {
        for (let i = 0; i < times; i++) pass(decoder, cache, rows);
      }) / times
    ),
    ROUNDS,
  );
  return taken.map(median);

  function pass(decoder: Decoder, cache: ReturnType<Decoder["newCache"]>, rows: number): void {
    using _scope = new Scope();
    const start = Math.min(cache.length(), BEHIND);
    cache.truncate(0, start);
    decoder.logits(decoder.extend(Array.from({ length: rows }, (_, i) => i), cache).first);
  }
}

function timed(body: () => void): number {
  const began = performance.now();
  body();
  return performance.now() - began;
}

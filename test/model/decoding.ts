/** What the tests of decoding share: one sequence through a decoder, and the logits of every head. */
import type { Decoder, Rows } from "../../src/model/mod.ts";
import { Tensor } from "../../src/torch/mod.ts";

/** Runs `body` with an empty cache for one sequence. */
export function withCache<T>(
  decoder: Decoder,
  body: (cache: ReturnType<Decoder["newCache"]>) => T,
  capacity?: number,
): T {
  using cache = decoder.newCache(1, capacity);
  return body(cache);
}

/** Logits (1, V) of every head that reads the row which head 1 reads, for each of the rows; in the caller's scope. */
export function logitsByRow(decoder: Decoder, rows: Rows): Tensor[][] {
  using drafter = decoder.newDrafter();
  const first = decoder.logits(rows.first);
  const V = decoder.shape.vocab;
  const further = (row: number): Float32Array<ArrayBuffer>[] => {
    const found: Float32Array<ArrayBuffer>[] = [];
    const sequences = [{ sequence: 0, rows: [row], ids: [0], next: 0 }];
    drafter.draft({ rows, sequences }, decoder.headCount, (logits, heads) => {
      const values = new Float32Array(logits.toBytes().buffer);
      heads.forEach((_, h) => found.push(values.slice(h * V, (h + 1) * V)));
      return heads.map(() => 0);
    });
    return found;
  };
  return Array.from({ length: rows.first.shape[0]! }, (_, row) => [
    first.slice(0, row, row + 1),
    ...further(row).map((values) => Tensor.from(values, [1, V])),
  ]);
}

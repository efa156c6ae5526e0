/** A sample of a corpus to train a tokenizer on. */

import type { PrepareConfig } from "../config/schema.ts";
import { Interrupted } from "../stage/errors.ts";
import type { StageIo } from "../stage/io.ts";
import { Cleaner } from "./cleaning.ts";
import type { Corpus } from "./corpus.ts";
import { Pace } from "./pace.ts";
import { documentsIn, readAhead } from "./sources/mod.ts";
import { keyOf } from "./splits.ts";

/** A document and its key. */
interface Sampled {
  readonly key: number;
  readonly text: Uint8Array;
}

/**
 * Documents from all over the corpus, about so many bytes of them: those with the lowest keys, so that each document has
 * the same chance and equal ones count once. The whole corpus is read, but for files that are held out; the sample is
 * held in memory.
 */
export async function sampleOf(
  corpus: Corpus,
  config: PrepareConfig,
  bytes: number,
  io: StageIo,
): Promise<Uint8Array[]> {
  const files = corpus.files.filter((_, i) => {
    const { pass, split } = corpus.roles[i]!;
    return corpus.passes[pass]!.first === pass && (split === undefined || split === "train");
  });
  const starts = startsOf(files);
  const pace = new Pace(io, starts.at(-1)!, 0);
  const cleaner = new Cleaner({ ...config.cleaning, deduplicate: false }, undefined, () => {});
  const sample = new LowestKeys(bytes);
  for await (const batch of readAhead(files, { file: 0, at: 0, line: 0 })) {
    for (const document of documentsIn(batch)) {
      const text = cleaner.clean(document, 0);
      if (text !== undefined) sample.add(text, config.seed);
    }
    await pace.step(batch.ends.length, batch.text.length, starts[batch.file]! + batch.read, "sampling ");
    if (io.stop.aborted) {
      throw new Interrupted("Stopped while sampling text for the tokenizer: nothing was kept");
    }
  }
  return sample.texts();
}

/** Bytes of all files before each one; at the end, of all. */
export function startsOf(files: readonly { readonly size: number }[]): number[] {
  let sum = 0;
  return [0, ...files.map(({ size }) => sum += size)];
}

/** The texts with the lowest keys, as long as they have so many bytes together: a binary heap, the highest key first. */
class LowestKeys {
  readonly #heap: Sampled[] = [];
  #bytes = 0;

  constructor(readonly limit: number) {}

  /** Takes a text, copied, unless its key is too high. */
  add(text: Uint8Array, seed: number): void {
    const key = keyOf(text, seed);
    if (this.#bytes >= this.limit && key >= this.#heap[0]!.key) return;
    this.#bytes += text.length;
    this.#push({ key, text: text.slice() });
    while (this.#bytes - this.#heap[0]!.text.length >= this.limit) this.#bytes -= this.#pop().text.length;
  }

  /** By key; of equal texts, one. */
  texts(): Uint8Array[] {
    const sorted = this.#heap.toSorted((a, b) => a.key - b.key);
    return sorted.filter(({ key }, i) => key !== sorted[i - 1]?.key).map(({ text }) => text);
  }

  #push(item: Sampled): void {
    const heap = this.#heap;
    let at = heap.push(item) - 1;
    for (let above; at > 0 && heap[above = (at - 1) >> 1]!.key < item.key; at = above) {
      heap[at] = heap[above]!;
    }
    heap[at] = item;
  }

  #pop(): Sampled {
    const heap = this.#heap;
    const top = heap[0]!;
    const item = heap.pop()!;
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && heap[below + 1]!.key > heap[below]!.key) below++;
      if (heap[below]!.key <= item.key) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = item;
    return top;
  }
}

/** A file of any kind to batches of documents. */

import type { MadeUp } from "../../config/schema/prepare.ts";
import { madeUp } from "../made_up.ts";
import { type Batch, BatchBuilder, type Place } from "./batch.ts";
import type { Format, SourceFile } from "./file.ts";
import { readJsonl } from "./jsonl.ts";
import { readText } from "./text.ts";

type Reader = (file: SourceFile, from: Place) => AsyncIterable<Batch>;

/** A place in a list of files. */
export interface Position extends Place {
  /** Index in the list. */
  readonly file: number;
}

/** A batch, and which of the files it is from. */
export interface FileBatch extends Batch {
  readonly file: number;
  /** Where reading goes on behind it: behind the last batch of a file, with the next file. */
  readonly next: Position;
}

/** The documents of files, one file after the other, from a position on: at least one batch for each file. */
export async function* readFiles(files: readonly SourceFile[], from: Position): AsyncGenerator<FileBatch> {
  for (let i = from.file; i < files.length; i++) {
    const file = files[i]!;
    const place = i === from.file ? from : { at: 0, line: 0 };
    const read = await READERS[file.format]();
    let held: FileBatch | undefined; // until it is known whether it is the last one
    for await (const batch of read(file, place)) {
      if (held) yield held;
      held = { ...batch, file: i, next: { ...batch.next, file: i } };
    }
    if (held) yield { ...held, next: { file: i + 1, at: 0, line: 0 } };
  }
}

/** Parquet's modules are loaded when there is such a file. */
const READERS: Record<Format, () => Promise<Reader> | Reader> = {
  text: () => readText,
  jsonl: () => readJsonl,
  parquet: async () => (await import("./parquet.ts")).readParquet,
  stories: () => readMadeUp("stories"),
  names: () => readMadeUp("names"),
  polynomials: () => readMadeUp("polynomials"),
};

function readMadeUp(what: MadeUp): Reader {
  return async function* ({ seed, size }, from) {
    const builder = new BatchBuilder();
    let at = 0, made = 0;
    for (const document of madeUp(what, seed, size)) {
      made += document.length;
      if (++at <= from.at) continue;
      builder.add(document);
      if (builder.isFull) yield builder.take({ at, line: 0 }, made);
    }
    yield builder.take({ at, line: 0 }, size);
  };
}

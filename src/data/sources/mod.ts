/** Files of text, of whatever kind, as batches of documents. */

export { readAhead } from "./ahead.ts";
export type { Batch, Place } from "./batch.ts";
export type { SourceFile } from "./file.ts";
export type { FileBatch, Position } from "./read.ts";

import type { Batch } from "./batch.ts";

/** The documents of a batch, each a view of its text. */
export function* documentsIn({ text, ends }: Batch): Generator<Uint8Array<ArrayBuffer>> {
  let start = 0;
  for (const end of ends) {
    yield text.subarray(start, end);
    start = end;
  }
}

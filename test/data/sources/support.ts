/** Files of every kind for tests, and their documents as text. */

import { parquetWriteBuffer } from "hyparquet-writer";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { sourcesOf } from "../../../src/config/schema/prepare.ts";
import { filesOf, type SourceFile } from "../../../src/data/sources/file.ts";
import { documentsIn } from "../../../src/data/sources/mod.ts";
import { type FileBatch, type Position, readFiles } from "../../../src/data/sources/read.ts";

export const encode = (text: string) => new TextEncoder().encode(text);
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A file as a source would name it. */
export function fileAt(
  path: string,
  how: Partial<SourceFile> & { format?: "text" | "jsonl" | "parquet" } = {},
): SourceFile {
  const source = sourcesOf([path])[0]!;
  return { ...filesOf(source, { document: "blank_line", skipDamage: false, seed: 1 })[0]!, ...how };
}

export interface Result {
  readonly texts: string[];
  readonly skipped: number;
  readonly empty: number;
  readonly remarks: string[];
}

export const BEGINNING: Position = { file: 0, at: 0, line: 0 };

/** All documents of files, from a position on. */
export async function readAll(
  files: readonly SourceFile[],
  from = BEGINNING,
  read: (files: readonly SourceFile[], from: Position) => AsyncIterable<FileBatch> = readFiles,
): Promise<Result> {
  const result = { texts: [] as string[], skipped: 0, empty: 0, remarks: [] as string[] };
  for await (const batch of read(files, from)) {
    for (const text of textsOf(batch)) result.texts.push(text);
    result.skipped += batch.skipped;
    result.empty += batch.empty;
    result.remarks.push(...batch.remarks);
  }
  return result;
}

export const textsOf = (batch: FileBatch): string[] =>
  Array.from(documentsIn(batch), (document) => decoder.decode(document));

export type Codec = "UNCOMPRESSED" | "SNAPPY" | "ZSTD" | "GZIP" | "LZ4_RAW";

/** A Parquet file with a text column. */
export function parquetOf(
  texts: readonly (string | null)[],
  { codec = "ZSTD" as Codec, rowGroupSize = 1000, pageSize = 1 << 20, name = "text" } = {},
): Uint8Array {
  const buffer = parquetWriteBuffer({
    columnData: [
      { name: "id", data: texts.map((_, i) => i), type: "INT32" },
      { name, data: [...texts], type: "STRING", nullable: texts.includes(null) },
    ],
    codec,
    rowGroupSize,
    pageSize,
    compressors: {
      ZSTD: (bytes) => zstdCompressSync(bytes),
      GZIP: (bytes) => gzipSync(bytes),
      LZ4_RAW: (bytes) => bytes,
    },
  });
  return new Uint8Array(buffer);
}

/** Some text of which no part repeats, so that compressed it stays long. */
export function* words(count: number, seed = 1): Generator<string> {
  let state = seed;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    yield `${state.toString(36)}${i}`;
  }
}

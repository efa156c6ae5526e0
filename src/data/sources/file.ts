/** What kind of file holds text, and which files a source names. */

import type { MadeUp, SourceConfig } from "../../config/schema/prepare.ts";
import { findFiles } from "../../formats/input_files.ts";
import { UserError } from "../../stage/errors.ts";

/** How records lie in a file, or what is made up. Text has no records: a file or a block of lines is a document. */
export type Format = "text" | "jsonl" | "parquet" | MadeUp;
export type Compression = "none" | "gzip" | "zstd";

/** A file and how it is read. A plain value: it goes to a worker as it is. */
export interface SourceFile {
  /** Absolute; of made-up text, the word for it. */
  readonly path: string;
  readonly format: Format;
  readonly compression: Compression;
  /** Bytes on the disk; of made-up text, the bytes to be made. */
  readonly size: number;
  /** Last change, milliseconds since 1970; 0 for made-up text. */
  readonly mtime: number;
  /** Parquet column or JSONL key that holds the text. */
  readonly column: string;
  /** What a document of a text file is. */
  readonly document: "file" | "blank_line";
  /** Whether what is damaged is passed over and counted; else it is an error. */
  readonly skipDamage: boolean;
  /** Of made-up text. */
  readonly seed: number;
}

/** Keys of {@link SourceFile} that do not depend on the file. */
export type Reading = Pick<SourceFile, "document" | "skipDamage" | "seed">;

/** Made-up text as a file of that many bytes. */
export function madeUpFile(what: MadeUp, bytes: number, reading: Reading): SourceFile {
  return {
    ...reading,
    path: what,
    format: what,
    compression: "none",
    size: bytes,
    mtime: 0,
    column: "text",
  };
}

/**
 * The files of one source, in the order of their paths.
 *
 * @throws {UserError} where a path does not exist, matches nothing, or no file is left by `include` and `exclude`
 */
export function filesOf(source: SourceConfig, reading: Reading): SourceFile[] {
  const { path, include, exclude, column } = source;
  const document = source.document ?? reading.document;
  return findFiles([path].flat(), { include, exclude }).map((path) => {
    const { size, mtime } = Deno.statSync(path);
    const kind = kindOf(path, source.format);
    return { ...reading, ...kind, path, size, mtime: mtime?.getTime() ?? 0, column, document };
  });
}

const COMPRESSIONS: Readonly<Record<string, Compression>> = { ".gz": "gzip", ".zst": "zstd" };
/** Endings of compressed text that would otherwise be taken for text. */
const UNSUPPORTED = /\.(bz2|xz|lz4|zip|7z|tar|tgz)$/i;

function kindOf(path: string, format: SourceConfig["format"]): Pick<SourceFile, "format" | "compression"> {
  const unsupported = UNSUPPORTED.exec(path)?.[0];
  if (unsupported) {
    throw new UserError(`Cannot read "${path}": ${unsupported} is not supported; unpack it, or exclude it`);
  }
  const ending = /\.(gz|zst)$/i.exec(path)?.[0] ?? "";
  const compression = COMPRESSIONS[ending.toLowerCase()] ?? "none";
  const name = path.slice(0, path.length - ending.length).toLowerCase();
  const byName = name.endsWith(".parquet") ? "parquet" : /\.(jsonl|ndjson)$/.test(name) ? "jsonl" : "text";
  const chosen = format === "auto" ? byName : format;
  if (chosen === "parquet" && compression !== "none") {
    throw new UserError(`Cannot read "${path}": a Parquet file is compressed inside; unpack it first`);
  }
  return { format: chosen, compression };
}

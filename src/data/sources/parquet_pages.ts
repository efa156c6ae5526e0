/** The pages of one column in one row group of a Parquet file, one after another. */

import type { ColumnMetaData, Compressors, DecodedArray, PageHeader, SchemaTree } from "hyparquet";
import { parquetHeader, readPage } from "hyparquet/src/column.js";
import { convert, DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { snappyUncompress } from "hyparquet/src/snappy.js";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import type { FileWindow } from "./file_window.ts";

/** A column of text. */
export interface Column {
  readonly name: string;
  /** From the schema's root to it. */
  readonly path: SchemaTree[];
}

/** Some rows. Texts are valid until the next page. */
export interface Page {
  /** Number of the first row within the row group. */
  readonly row: number;
  readonly rows: number;
  /** null or undefined for a row without text; none where the page is damaged. */
  readonly texts: readonly unknown[];
  readonly damage?: string;
}

const limit = (size: number) => ({ maxOutputLength: Math.max(1, size) });

/** Decompressors by the format's names, for a page of known size. */
export const CODECS: Readonly<Record<string, (bytes: Uint8Array, size: number) => Uint8Array>> = {
  UNCOMPRESSED: (bytes) => bytes,
  SNAPPY: (bytes, size) => {
    const page = new Uint8Array(size);
    snappyUncompress(bytes, page);
    return page;
  },
  ZSTD: (bytes, size) => zstdDecompressSync(bytes, limit(size)),
  GZIP: (bytes, size) => gunzipSync(bytes, limit(size)),
  BROTLI: (bytes, size) => brotliDecompressSync(bytes, limit(size)),
};

/** Strings stay the bytes that they are. */
const PARSERS = {
  ...DEFAULT_PARSERS,
  stringFromBytes: (bytes: Uint8Array) => bytes,
  jsonFromBytes: (bytes: Uint8Array) => bytes,
};

/**
 * The pages of a column chunk from row `from` on; what cannot be read is a page with `damage`.
 *
 * @param rows in the row group
 */
export function* pagesOf(
  input: FileWindow,
  column: Column,
  chunk: ColumnMetaData,
  rows: number,
  from: number,
): Generator<Page> {
  const decoder = {
    pathInSchema: chunk.path_in_schema,
    type: chunk.type,
    element: column.path.at(-1)!.element,
    schemaPath: column.path,
    codec: chunk.codec,
    compressors: CODECS as Compressors,
    parsers: PARSERS,
  };
  const start = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
  const end = start + Number(chunk.total_compressed_size);
  input.seek(start);
  let dictionary: DecodedArray | undefined;
  for (let row = 0; row < rows;) {
    const at = input.at;
    const header = readHeader(input, end - at);
    if (header === undefined) {
      yield damaged(row, rows - row, `the page at byte ${at} has no header: its row group ends there`);
      return;
    }
    const size = header.compressed_page_size;
    const count = header.data_page_header?.num_values ?? header.data_page_header_v2?.num_rows ?? 0;
    if (count > 0 && row + count <= from) {
      input.seek(input.at + size);
      row += count;
      continue;
    }
    try {
      if (input.fill(size) < size) throw new Error("the file ends");
      const bytes = header.type === "DICTIONARY_PAGE" ? input.take(size).slice() : input.take(size);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      if (header.type === "DICTIONARY_PAGE") {
        dictionary = convert(
          readPage({ view, offset: 0 }, header, decoder, undefined, undefined, 0).data!,
          decoder,
        );
      } else if (count > 0) {
        const texts = readPage({ view, offset: 0 }, header, decoder, dictionary, undefined, 0)
          .data as unknown[];
        if (texts.length !== count) throw new Error(`${texts.length} rows where its header says ${count}`);
        const passed = Math.max(0, from - row);
        yield { row: row + passed, rows: count - passed, texts: passed === 0 ? texts : texts.slice(passed) };
      }
    } catch (error) {
      yield damaged(row, count, `the page at byte ${at} is damaged (${(error as Error).message})`);
      input.seek(at); // and over it, as its header says
      readHeader(input, end - at);
      input.seek(input.at + size);
    }
    row += count;
  }
}

const damaged = (row: number, rows: number, damage: string): Page => ({ row, rows, texts: [], damage });

/** Bytes read for a page's header: more only where it holds long statistics. */
const HEADER = 1 << 12;
const LONGEST_HEADER = 16 << 20;

/** Reads a page's header and goes on behind it; nothing where none can be read. */
function readHeader(input: FileWindow, left: number): PageHeader | undefined {
  for (let length = Math.min(HEADER, left); length > 0; length = Math.min(16 * length, left)) {
    const there = input.fill(length);
    const ahead = input.peek(length);
    const reader = { view: new DataView(ahead.buffer, ahead.byteOffset, ahead.length), offset: 0 };
    try {
      const header = parquetHeader(reader);
      if (!isPage(header) || reader.offset + header.compressed_page_size > left) return undefined;
      input.take(reader.offset);
      return header;
    } catch {
      if (there < length || length === left || length > LONGEST_HEADER) return undefined;
    }
  }
  return undefined;
}

function isPage(
  { type, compressed_page_size: size, data_page_header, data_page_header_v2 }: PageHeader,
): boolean {
  const rows = data_page_header?.num_values ?? data_page_header_v2?.num_rows ?? 0;
  return type !== undefined && Number.isInteger(size) && size >= 0 && Number.isInteger(rows) && rows >= 0;
}

/**
 * A text column of a Parquet file to documents. hyparquet parses; memory holds one page and its dictionary
 * (parquet_pages.ts), whatever the size of the row groups.
 */

import { type FileMetaData, parquetMetadata, parquetSchema, type SchemaTree } from "hyparquet";
import { fileError } from "../../formats/file_errors.ts";
import { UserError } from "../../stage/errors.ts";
import { type Batch, BatchBuilder, type Place } from "./batch.ts";
import type { SourceFile } from "./file.ts";
import { FileWindow } from "./file_window.ts";
import { CODECS, type Column, pagesOf } from "./parquet_pages.ts";

/** @throws {UserError} where it is no Parquet file, has no such column, or is damaged and nothing may be skipped */
export async function* readParquet(file: SourceFile, from: Place): AsyncGenerator<Batch> {
  try {
    using input = new FileWindow(file.path);
    yield* readRows(file, input, from.at);
  } catch (error) {
    throw fileError("read", file.path, error);
  }
}

function* readRows(file: SourceFile, input: FileWindow, from: number): Generator<Batch> {
  const metadata = readMetadata(file, input);
  const column = findColumn(file, metadata);
  const builder = new BatchBuilder();
  const passOver = (what: string, rows: number) => {
    if (file.skipDamage) return builder.skip(`"${file.path}" ${what}; skipped`, rows);
    throw cannotRead(file, `${what}; set on_error: skip to leave out such rows`);
  };
  let row = 0;
  for (const { columns, num_rows } of metadata.row_groups) {
    const first = row;
    row += Number(num_rows);
    if (row <= from) continue;
    const chunk = columns.find(({ meta_data }) => meta_data?.path_in_schema.join(".") === column.name)
      ?.meta_data;
    if (!chunk) {
      throw cannotRead(file, `the data of column "${column.name}" are encrypted or in another file`);
    }
    for (const page of pagesOf(input, column, chunk, row - first, from - first)) {
      if (page.damage !== undefined) passOver(page.damage, page.rows);
      for (const [i, text] of page.texts.entries()) {
        if (text instanceof Uint8Array) builder.add(text);
        else passOver(`row ${first + page.row + i + 1}: "${column.name}" is null, not text`, 1);
        if (builder.isFull) yield builder.take({ at: first + page.row + i + 1, line: 0 }, input.at);
      }
    }
  }
  yield builder.take({ at: row, line: 0 }, file.size);
}

const cannotRead = ({ path }: SourceFile, what: string) => new UserError(`Cannot read "${path}": ${what}`);

/** "PAR1", at the start and at the end. */
const MAGIC = 0x31524150;

function readMetadata(file: SourceFile, input: FileWindow): FileMetaData {
  const tail = (bytes: number) => {
    input.seek(Math.max(0, file.size - bytes));
    input.fill(bytes);
    return input.peek(bytes);
  };
  const end = tail(8);
  const view = new DataView(end.buffer, end.byteOffset, end.length);
  if (end.length < 8 || view.getUint32(4, true) !== MAGIC) {
    throw cannotRead(file, "it is no Parquet file, or cut short: it does not end with PAR1");
  }
  const size = view.getUint32(0, true) + 8;
  if (size > file.size) {
    throw cannotRead(file, `its footer says that it has ${size} bytes, more than the file`);
  }
  try {
    return parquetMetadata(tail(size), { geoparquet: false });
  } catch (error) {
    throw cannotRead(file, `its footer is damaged (${(error as Error).message})`);
  }
}

/** The column with that name. */
function findColumn(file: SourceFile, metadata: FileMetaData): Column {
  const leaves = [...leavesOf([parquetSchema(metadata)])];
  const path = leaves.find((path) => nameOf(path) === file.column);
  if (!path) {
    const names = leaves.map((path) => `"${nameOf(path)}"`).join(", ");
    throw cannotRead(file, `no column "${file.column}"; its columns are ${names}: name one with column`);
  }
  const { element } = path.at(-1)!;
  const isNested = path.length > 2 || element.repetition_type === "REPEATED";
  if (element.type !== "BYTE_ARRAY" || element.converted_type === "DECIMAL" || isNested) {
    const what = isNested
      ? "nested values"
      : element.logical_type?.type ?? element.converted_type ?? element.type;
    throw cannotRead(file, `column "${file.column}" holds ${what}, not text; name another one with column`);
  }
  const codecs = metadata.row_groups.flatMap(({ columns }) =>
    columns.flatMap(({ meta_data }) =>
      meta_data?.path_in_schema.join(".") === file.column ? [meta_data.codec] : []
    )
  );
  const unknown = codecs.find((codec) => !Object.hasOwn(CODECS, codec));
  if (unknown) {
    const known = Object.keys(CODECS).join(", ").toLowerCase();
    throw cannotRead(file, `column "${file.column}" is compressed with ${unknown}; known are ${known}`);
  }
  return { name: file.column, path };
}

/** The path from the schema's root to each column that holds values. */
function* leavesOf(path: SchemaTree[]): Generator<SchemaTree[]> {
  const { children } = path.at(-1)!;
  if (children.length === 0) yield path;
  for (const child of children) yield* leavesOf([...path, child]);
}

const nameOf = (path: readonly SchemaTree[]): string => path.at(-1)!.path.join(".");

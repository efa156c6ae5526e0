/** Records of a task's files: lines of JSON Lines, also compressed, and rows of Parquet. */
import { basename } from "node:path";
import { type Compressors, parquetReadObjects } from "hyparquet";
import { sourcesOf } from "../../config/schema/prepare.ts";
import { filesOf, type SourceFile } from "../../data/sources/file.ts";
import { LineCutter } from "../../data/sources/lines.ts";
import { CODECS } from "../../data/sources/parquet_pages.ts";
import { piecesOf } from "../../data/sources/pieces.ts";
import { reading } from "../../formats/file_errors.ts";
import { parseJson } from "../../formats/json.ts";
import { UserError } from "../../stage/errors.ts";

/** One record, and where it stands: `"arc.jsonl" line 3`. */
export interface TaskRecord {
  readonly where: string;
  readonly value: Readonly<Record<string, unknown>>;
  /** What a file of labels says of it. */
  readonly label?: string;
}

/** The records of one file, in its order; `name` is that of the file without its endings. */
export interface RecordFile {
  readonly name: string;
  readonly records: readonly TaskRecord[];
}

/** Of a folder's files, those that may hold records. */
const RECORDS = ["*.{jsonl,ndjson,parquet}", "*.{jsonl,ndjson}.{gz,zst}"];

/**
 * Reads files, folders and globs.
 *
 * @param labels A file with a line for each record.
 * @throws {UserError} naming file and line where something is missing, damaged or no record, and where there is none.
 */
export async function readRecords(paths: readonly string[], labels?: string): Promise<RecordFile[]> {
  const [defaults] = sourcesOf([paths[0]!]);
  const files = filesOf({ ...defaults!, path: [...paths], include: RECORDS }, {
    document: "file",
    skipDamage: false,
    seed: 0,
  });
  const read = await Promise.all(files.map(async (file) => ({
    name: basename(file.path).replace(/(\.(jsonl|ndjson|parquet|gz|zst))+$/i, ""),
    records: await recordsOf(file),
  })));
  const empty = read.findIndex(({ records }) => records.length === 0);
  if (empty >= 0) throw new UserError(`Cannot use "${files[empty]!.path}": there is no record in it`);
  return labels === undefined ? read : withLabels(read, labels);
}

function recordsOf(file: SourceFile): Promise<TaskRecord[]> {
  switch (file.format) {
    case "jsonl":
      return readLines(file);
    case "parquet":
      return readRows(file);
    default:
      throw new UserError(`Cannot use "${file.path}": records are read from .jsonl and .parquet only`);
  }
}

async function readLines(file: SourceFile): Promise<TaskRecord[]> {
  const records: TaskRecord[] = [];
  const decoder = new TextDecoder();
  let line = 0;
  const take = (bytes: Uint8Array) => {
    const where = `"${file.path}" line ${++line}`;
    const text = decoder.decode(bytes);
    if (text.trim() === "") return;
    const value = parseJson(text, where);
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new UserError(`Cannot read ${where}: not a JSON object`);
    }
    records.push({ where, value: value as TaskRecord["value"] });
  };
  const cutter = new LineCutter(0);
  for await (const { bytes } of piecesOf(file, 0)) for (const record of cutter.push(bytes)) take(record);
  for (const record of cutter.finish()) take(record);
  return records;
}

/** The whole file at once: test sets are small. */
async function readRows({ path }: SourceFile): Promise<TaskRecord[]> {
  const file = reading(path, () => Deno.readFileSync(path)).buffer;
  try {
    const rows = await parquetReadObjects({ file, compressors: CODECS as Compressors });
    return rows.map((value, row) => ({ where: `"${path}" row ${row + 1}`, value }));
  } catch (cause) {
    const what = `it is no Parquet file, or damaged (${(cause as Error).message})`;
    throw new UserError(`Cannot read "${path}": ${what}`, { cause });
  }
}

function withLabels(files: readonly RecordFile[], path: string): RecordFile[] {
  const lines = reading(path, () => Deno.readTextFileSync(path)).trimEnd().split(/\r?\n/);
  const { name, records } = files[0]!;
  if (files.length > 1 || records.length !== lines.length) {
    const found = files.reduce((sum, file) => sum + file.records.length, 0);
    throw new UserError(
      `Cannot use the labels "${path}": ${lines.length} lines for ${found} records in ${files.length} files; ` +
        "expected a line for each record of one file",
    );
  }
  return [{ name, records: records.map((record, i) => ({ ...record, label: lines[i]!.trim() })) }];
}

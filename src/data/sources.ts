/**
 * Text files to documents: paths, folders and globs in, byte slices out.
 *
 * Bytes are never changed: no decoding, no line-end or Unicode normalization. Leaves out compressed files and
 * formats with fields (JSON, Parquet).
 */

import { join, sep } from "node:path";
import { fileError, reading } from "../formats/file_errors.ts";
import { globPattern, globRoot, isGlob } from "../formats/glob.ts";
import { UserError } from "../stage/errors.ts";

/** What a document is: a whole file, or a block of lines between blank lines. */
export type DocumentUnit = "file" | "blank_line";

/**
 * The files that paths, folders and globs name: each once, sorted by code point, so that the order depends
 * neither on the file system nor on the order of `inputs`.
 *
 * A folder stands for all files in it and below it. Names that start with a dot are left out, unless given in
 * full; links to files are followed, links to folders are not. A path that exists is taken as it is, even with
 * `*` or `[` in its name.
 *
 * @throws UserError where one of `inputs` does not exist, matches nothing or cannot be read.
 */
export function findFiles(inputs: readonly string[]): string[] {
  const found = new Set<string>();
  for (const input of inputs) for (const path of filesOf(input)) found.add(path);
  return [...found].sort(compareCodePoints);
}

function filesOf(input: string): string[] {
  const kind = kindOf(input);
  if (kind === "file") return [input];
  if (kind === "folder") {
    const files = [...filesBelow(input)];
    if (files.length === 0) throw new UserError(`No files in the folder "${input}"`);
    return files;
  }
  if (!isGlob(input)) throw new UserError(`Cannot read "${input}": there is no such file or folder`);
  const root = globRoot(input);
  if (kindOf(root) !== "folder") {
    throw new UserError(`Nothing matches "${input}": there is no folder "${root}"`);
  }
  const pattern = globPattern(input);
  const files = [...filesBelow(root)].filter((path) => pattern.test(path));
  if (files.length === 0) throw new UserError(`Nothing matches "${input}"`);
  return files;
}

function kindOf(path: string): "file" | "folder" | undefined {
  try {
    return Deno.statSync(path).isDirectory ? "folder" : "file";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw fileError("read", path, error);
  }
}

function* filesBelow(folder: string): Generator<string> {
  const entries = reading(folder, () => [...Deno.readDirSync(folder)]);
  for (const { name, isDirectory, isSymlink } of entries) {
    if (name.startsWith(".")) continue;
    const path = folder.endsWith(sep) ? folder + name : join(folder, name);
    if (isDirectory) yield* filesBelow(path);
    else if (!isSymlink || kindOf(path) === "file") yield path;
  }
}

/** Orders strings as their UTF-8 bytes are ordered (`<` compares UTF-16 units). */
function compareCodePoints(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  return (a.codePointAt(i) ?? -1) - (b.codePointAt(i) ?? -1);
}

/**
 * The documents of one file, in its order, none of them empty. A yielded slice is valid until the next one.
 *
 * `file`: all bytes as they are, held in memory at once; a file of no bytes has no document.
 *
 * `blank_line`: blocks of lines, without the line break after the last one. A line is blank if it has nothing
 * but spaces, tabs and carriage returns. Some megabytes are held, or a few times the longest document.
 *
 * @throws UserError where the file cannot be read.
 */
export function* documentsOf(path: string, unit: DocumentUnit): Generator<Uint8Array> {
  try {
    if (unit === "blank_line") return yield* blocks(path);
    const whole = Deno.readFileSync(path);
    if (whole.length > 0) yield whole;
  } catch (error) {
    throw fileError("read", path, error);
  }
}

const TAB = 9, NEWLINE = 10, CARRIAGE_RETURN = 13, SPACE = 32;

function* blocks(path: string): Generator<Uint8Array> {
  using file = Deno.openSync(path);
  const window = new Window(file);
  // Positions in the window: where the block starts, where its last line ends (at its start: it has none yet),
  // where the line in hand starts, and how far no line break is to be found in that line.
  let start = 0, end = 0, line = 0, searched = 0;
  for (let more = true; more;) {
    let newline = window.filled.indexOf(NEWLINE, searched);
    if (newline < 0) {
      newline = window.filled.length - start;
      more = window.advance(start);
      [start, end, line, searched] = [0, end - start, line - start, newline];
      if (more) continue;
    }
    const blank = isBlank(window.filled, line, newline);
    if (!blank) end = window.filled[newline - 1] === CARRIAGE_RETURN ? newline - 1 : newline;
    else if (end > start) yield window.filled.subarray(start, end);
    line = searched = newline + 1;
    if (blank) start = end = line;
  }
  if (end > start) yield window.filled.subarray(start, end);
}

function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const byte = bytes[i];
    if (byte !== SPACE && byte !== TAB && byte !== CARRIAGE_RETURN) return false;
  }
  return true;
}

/** The part of a file that is in memory. */
class Window {
  #buffer = new Uint8Array(4 << 20);
  /** What was read and not yet passed. */
  filled = this.#buffer.subarray(0, 0);

  constructor(readonly file: Deno.FsFile) {}

  /** Passes the first `by` bytes, so that `filled` starts behind them, and reads on; false at the end of the file. */
  advance(by: number): boolean {
    const kept = this.filled.subarray(by);
    const half = this.#buffer.length / 2;
    // Grown by doubling, so that a long document is copied a few times only.
    const buffer = kept.length > half ? new Uint8Array(4 * half) : this.#buffer;
    buffer.set(kept);
    this.#buffer = buffer;
    const read = this.file.readSync(buffer.subarray(kept.length)) ?? 0;
    this.filled = buffer.subarray(0, kept.length + read);
    return read > 0;
  }
}

/**
 * Text files to documents: a file in, byte slices out. src/formats/input_files.ts finds the files.
 *
 * Bytes are never changed: no decoding, no line-end or Unicode normalization. Leaves out compressed files and
 * formats with fields (JSON, Parquet).
 */

import { fileError } from "../formats/file_errors.ts";

/** What a document is: a whole file, or a block of lines between blank lines. */
export type DocumentUnit = "file" | "blank_line";

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

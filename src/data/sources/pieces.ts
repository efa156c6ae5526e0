/**
 * A file's text in pieces, decompressed on the way, so that memory does not grow with the file. What is damaged
 * stops the reading or, where that is wished, leaves a gap that the reader of records hears of.
 */

import { createGunzip } from "node:zlib";
import { fileError } from "../../formats/file_errors.ts";
import { UserError } from "../../stage/errors.ts";
import { decompress } from "./decompress.ts";
import type { SourceFile } from "./file.ts";
import { FileWindow } from "./file_window.ts";
import { Damage, zstdText } from "./zstd.ts";

/** Some text. `bytes` is valid until the next piece is asked for. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** Bytes of the file that were read so far. */
  readonly read: number;
  /** Before `bytes`, text is missing: what is damaged, as a sentence. */
  readonly gap?: string;
}

/** Bytes read at a time: with larger ones the text would leave the processor's cache. */
const PIECE = 1 << 20;
const NOTHING = new Uint8Array(0);

/**
 * The text from byte `from` on.
 *
 * @throws {UserError} where the file cannot be read, or is damaged and nothing may be skipped
 */
export async function* piecesOf(file: SourceFile, from: number): AsyncGenerator<Piece> {
  try {
    using input = new FileWindow(file.path);
    if (file.compression === "none") yield* plain(input, from);
    else yield* withoutStart(file.compression === "gzip" ? gunzip(input, file) : unzstd(input, file), from);
  } catch (error) {
    throw fileError("read", file.path, error);
  }
}

function* plain(input: FileWindow, from: number): Generator<Piece> {
  for (input.seek(from); input.fill(PIECE) > 0;) {
    const bytes = input.take(PIECE);
    yield { bytes, read: input.at };
  }
}

/** Members one after the other are one text. A damaged one ends it: nothing in the format tells where the next begins. */
async function* gunzip(input: FileWindow, file: SourceFile): AsyncGenerator<Piece> {
  const compressed = function* () {
    while (input.fill(PIECE) > 0) yield input.take(PIECE).slice();
  };
  try {
    for await (const bytes of decompress(createGunzip(), compressed())) yield { bytes, read: input.at };
  } catch (error) {
    if (!isZlibError(error)) throw error;
    const what = `gzip data up to byte ${input.at} are damaged or cut short (${(error as Error).message})`;
    yield gapOrThrow(file, what, "the rest of the file", input.at);
  }
}

async function* unzstd(input: FileWindow, file: SourceFile): AsyncGenerator<Piece> {
  for await (const part of zstdText(input)) {
    if (part instanceof Damage) yield gapOrThrow(file, part.message, part.lost, input.at);
    else yield { bytes: part, read: input.at };
  }
}

const isZlibError = (error: unknown): boolean =>
  error instanceof Error && /^(Z_|ERR_ZLIB|ZSTD_)/.test(String((error as { code?: string }).code));

function gapOrThrow(file: SourceFile, what: string, lost: string, read: number): Piece {
  if (file.skipDamage) return { bytes: NOTHING, read, gap: `"${file.path}": ${what}; skipped ${lost}` };
  throw new UserError(
    `Cannot read "${file.path}": ${what}; get the file anew, or set on_error: skip to do without ${lost}`,
  );
}

/** Compressed text cannot be entered in the middle: what comes before is decompressed and dropped. */
async function* withoutStart(pieces: AsyncIterable<Piece>, from: number): AsyncGenerator<Piece> {
  let passed = 0;
  for await (const piece of pieces) {
    const drop = Math.min(from - passed, piece.bytes.length);
    passed += drop;
    if (drop < piece.bytes.length || (piece.gap !== undefined && passed === from)) {
      yield drop === 0 ? piece : { ...piece, bytes: piece.bytes.subarray(drop) };
    }
  }
}

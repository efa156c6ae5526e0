/**
 * Zstandard frames, one after another (RFC 8878, section 3.1). node:zlib decompresses a frame; where it begins and
 * ends is found here, by the headers of its blocks: zlib's stream ends with the first frame, and takes one that is cut
 * short for a whole one.
 */

import { constants, createZstdDecompress, zstdDecompressSync } from "node:zlib";
import { decompress } from "./decompress.ts";
import type { FileWindow } from "./file_window.ts";

/** What is damaged and what is lost by passing over it, in words. */
export class Damage extends Error {
  constructor(message: string, readonly lost: string) {
    super(message);
  }
}

/** Bytes handed to the decompressor at a time. */
const PIECE = 1 << 20;
/** Frames of so many bytes of text are decompressed in one call, which is ten times faster to begin. */
const SMALL = 8 << 20;
/** Frames may refer back over a window of up to 2 GiB, as `zstd --long=31` makes them. */
const STREAM = { chunkSize: 1 << 18, params: { [constants.ZSTD_d_windowLogMax]: 31 } };

const MAGIC = 0xfd2fb528;
const LONGEST_HEADER = 18;
const LARGEST_BLOCK = 128 << 10;

/** The text of all frames, in pieces that stay valid; a {@link Damage} in the place of each part that cannot be read. */
export async function* zstdText(input: FileWindow): AsyncGenerator<Uint8Array | Damage> {
  while (input.fill(LONGEST_HEADER) > 0) {
    const start = input.at;
    const frame = new Frame(input);
    try {
      yield* frame.text();
    } catch (error) {
      const reached = input.at;
      for (const _ of frame.pieces) { /* to the end of the frame */ }
      if (frame.broken === undefined) {
        const what = `the zstd frame at byte ${start} is damaged before byte ${reached} (${
          (error as Error).message
        })`;
        yield new Damage(what, "the rest of the frame");
      }
    }
    if (frame.broken === undefined) continue;
    const what = `the zstd frame at byte ${start} is damaged (${frame.broken} at byte ${input.at})`;
    yield new Damage(
      what,
      findFrame(input) ? `all up to the next frame, at byte ${input.at}` : "the rest of the file",
    );
  }
}

/** One frame, walked block by block. */
class Frame {
  /** Why the walk had to end before the frame did. */
  broken: string | undefined;
  /** The frame's own bytes, each piece a copy; ends early where the frame is broken. */
  readonly pieces: Generator<Uint8Array<ArrayBuffer>>;
  #textSize: number | undefined;

  constructor(readonly input: FileWindow) {
    this.pieces = this.#walk();
  }

  async *text(): AsyncGenerator<Uint8Array> {
    const first = this.pieces.next();
    if (first.done) return;
    const second = this.pieces.next();
    if (second.done && this.#textSize !== undefined && this.#textSize <= SMALL && this.broken === undefined) {
      yield zstdDecompressSync(first.value, { maxOutputLength: Math.max(1, this.#textSize) });
      return;
    }
    const rest = this.pieces;
    const pieces = function* () {
      yield first.value;
      if (!second.done) yield second.value;
      yield* rest;
    };
    let made = 0;
    for await (const text of decompress(createZstdDecompress(STREAM), pieces())) {
      made += text.length;
      yield text;
    }
    if (this.broken === undefined && this.#textSize !== undefined && made !== this.#textSize) {
      throw new Error(`${made} bytes of text where its header says ${this.#textSize}`);
    }
  }

  *#walk(): Generator<Uint8Array<ArrayBuffer>> {
    const { input } = this;
    input.fill(LONGEST_HEADER);
    const header = parseHeader(input.peek(LONGEST_HEADER));
    if (typeof header === "string") return void (this.broken = header);
    if ("skip" in header) return this.#skip(header.skip);
    this.#textSize = header.textSize;
    let piece = new Gathered();
    piece.add(input.take(header.bytes));
    for (let last = false; !last;) {
      if (input.fill(3) < 3) return yield* this.#cutShort(piece);
      const [a, b, c] = input.peek(3) as unknown as [number, number, number];
      const size = (a | b << 8 | c << 16) >> 3;
      const kind = a >> 1 & 3;
      if (kind === 3 || size > LARGEST_BLOCK && kind !== 1) {
        this.broken = "no block";
        return yield piece.bytes;
      }
      last = (a & 1) === 1;
      const bytes = 3 + (kind === 1 ? 1 : size) + (last && header.checksum ? 4 : 0);
      const isWhole = input.fill(bytes) === bytes;
      if (!piece.hasRoom(bytes)) {
        yield piece.bytes;
        piece = new Gathered();
      }
      piece.add(input.take(bytes));
      if (!isWhole) return yield* this.#cutShort(piece);
    }
    yield piece.bytes;
  }

  #skip(bytes: number): void {
    for (let left = bytes; left > 0;) {
      if (this.input.fill(Math.min(left, PIECE)) === 0) return void (this.broken = "the file ends");
      left -= this.input.take(Math.min(left, PIECE)).length;
    }
  }

  *#cutShort(piece: Gathered) {
    this.broken = "the file ends";
    yield piece.bytes;
  }
}

/** Blocks that go to the decompressor together. */
class Gathered {
  readonly #buffer = new Uint8Array(PIECE);
  #length = 0;

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#length);
  }

  hasRoom(bytes: number): boolean {
    return this.#length + bytes <= PIECE;
  }

  add(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }
}

/** A frame's header, or how many bytes to pass over (RFC 8878, 3.1.2), or what is wrong. */
type Header = { bytes: number; checksum: boolean; textSize?: number } | { skip: number } | string;

function parseHeader(head: Uint8Array): Header {
  if (head.length < 5) return "the file ends";
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const magic = view.getUint32(0, true);
  if (magic >>> 4 === 0x184d2a5) {
    return head.length < 8 ? "the file ends" : { skip: 8 + view.getUint32(4, true) };
  }
  if (magic !== MAGIC) return "no zstd frame begins";
  const descriptor = head[4]!;
  if ((descriptor & 8) !== 0) return "a frame of an unknown kind";
  const isSingle = (descriptor & 32) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? (isSingle ? 1 : 0) : 1 << sizeFlag;
  const sizeAt = 5 + (isSingle ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  const bytes = sizeAt + sizeBytes;
  if (head.length < bytes) return "the file ends";
  const checksum = (descriptor & 4) !== 0;
  return sizeBytes === 0
    ? { bytes, checksum }
    : { bytes, checksum, textSize: sizeOf(view, sizeAt, sizeBytes) };
}

function sizeOf(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, true) + 256;
  return bytes === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}

/** Goes to the next frame whose header and first block can be; false at the end of the file. */
function findFrame(input: FileWindow): boolean {
  for (;;) {
    const ahead = input.peek(input.fill(PIECE));
    if (ahead.length < LONGEST_HEADER) {
      input.take(ahead.length);
      return false;
    }
    const found = ahead.indexOf(MAGIC & 0xff);
    const passed = found < 0 ? ahead.length : found;
    input.take(passed);
    if (found < 0) continue;
    input.fill(LONGEST_HEADER + 3);
    const head = input.peek(LONGEST_HEADER + 3);
    const header = parseHeader(head.subarray(0, LONGEST_HEADER));
    if (typeof header === "object" && "bytes" in header && (head[header.bytes]! >> 1 & 3) !== 3) return true;
    input.take(1);
  }
}

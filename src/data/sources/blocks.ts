/** Text in pieces to blocks of lines between blank lines. */

const TAB = 9, NEWLINE = 10, CARRIAGE_RETURN = 13, SPACE = 32;

/**
 * Cuts blocks, without the line break after the last line of each. A line is blank if it has nothing but spaces,
 * tabs and carriage returns. Holds one piece and the block that is not finished.
 */
export class BlockCutter {
  #buffer = new Uint8Array(4 << 20);
  #length = 0;
  // Positions in the buffer: where the block starts, where its last line ends (at its start: it has none yet), where
  // the line in hand starts, and how far no line break is to be found in that line.
  #start = 0;
  #end = 0;
  #line = 0;
  #searched = 0;
  #passed: number;

  /** @param from Bytes of the text before the first piece. */
  constructor(from: number) {
    this.#passed = from;
  }

  /** Bytes of the text before the block that is not finished: from there, the same blocks follow. */
  get at(): number {
    return this.#passed + this.#start;
  }

  /** Bytes of the block that is not finished. */
  get held(): number {
    return this.#length - this.#start;
  }

  /** The blocks that end in this piece. A block is valid until the next one is asked for. */
  *push(piece: Uint8Array): Generator<Uint8Array> {
    this.#append(piece);
    for (;;) {
      const newline = this.#filled().indexOf(NEWLINE, this.#searched);
      if (newline < 0) return void (this.#searched = this.#length);
      yield* this.#endLine(newline);
    }
  }

  /** The block that the end of the text, or a gap in it, ends. */
  *finish(): Generator<Uint8Array> {
    yield* this.#endLine(this.#length);
    if (this.#end > this.#start) yield this.#buffer.subarray(this.#start, this.#end);
    this.#start =
      this.#end =
      this.#line =
      this.#searched =
        this.#length;
  }

  *#endLine(newline: number): Generator<Uint8Array> {
    const [start, end] = [this.#start, this.#end];
    const blank = isBlank(this.#buffer, this.#line, newline);
    if (!blank) this.#end = this.#buffer[newline - 1] === CARRIAGE_RETURN ? newline - 1 : newline;
    this.#line = this.#searched = Math.min(newline + 1, this.#length);
    if (!blank) return;
    this.#start = this.#end = this.#line;
    if (end > start) yield this.#buffer.subarray(start, end);
  }

  #filled(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Drops what lies before the block in hand; grows by doubling, so that a long block is copied a few times only. */
  #append(piece: Uint8Array): void {
    const kept = this.#buffer.subarray(this.#start, this.#length);
    const needed = kept.length + piece.length;
    const buffer = needed > this.#buffer.length ? new Uint8Array(2 * needed) : this.#buffer;
    buffer.set(kept);
    buffer.set(piece, kept.length);
    this.#buffer = buffer;
    this.#length = needed;
    this.#end -= this.#start;
    this.#line -= this.#start;
    this.#searched -= this.#start;
    this.#passed += this.#start;
    this.#start = 0;
  }
}

function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const byte = bytes[i];
    if (byte !== SPACE && byte !== TAB && byte !== CARRIAGE_RETURN) return false;
  }
  return true;
}

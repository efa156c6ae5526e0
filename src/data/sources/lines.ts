/** Text in pieces to lines. */

const NEWLINE = 10, CARRIAGE_RETURN = 13;
const NOTHING = new Uint8Array(0);

/** Cuts lines, without their line breaks. Holds the line that is not finished. */
export class LineCutter {
  #rest = NOTHING;
  #restLength = 0;
  #at: number;
  #isRest = false;

  /** @param from Bytes of the text before the first piece. */
  constructor(from: number) {
    this.#at = from;
  }

  /** Bytes of the text before the line that is not finished. */
  get at(): number {
    return this.#at;
  }

  /** Whether the line that was given last may lack its beginning: it is the first one behind a gap. */
  get isRest(): boolean {
    return this.#isRest;
  }

  /** Bytes of the line that is not finished. */
  get held(): number {
    return this.#restLength;
  }

  /** The lines that end in this piece, one after the other; `at` moves along. A line is valid until the next one. */
  *push(piece: Uint8Array): Generator<Uint8Array> {
    let start = 0;
    for (let newline; (newline = piece.indexOf(NEWLINE, start)) >= 0; start = newline + 1) {
      const line = this.#completed(piece.subarray(start, newline));
      this.#at += line.length + 1;
      yield withoutReturn(line);
      this.#isRest = false;
    }
    this.#keep(piece.subarray(start));
  }

  /** The last line, where no line break ends it. */
  *finish(): Generator<Uint8Array> {
    const line = this.#completed(NOTHING);
    this.#at += line.length;
    if (line.length > 0) yield withoutReturn(line);
  }

  /** Text is missing here: drops the line in hand. */
  gap(): void {
    this.#at += this.#completed(NOTHING).length;
    this.#isRest = true;
  }

  /** What was kept of the line, and the end of it. */
  #completed(end: Uint8Array): Uint8Array {
    if (this.#restLength === 0) return end;
    this.#keep(end);
    const line = this.#rest.subarray(0, this.#restLength);
    this.#restLength = 0;
    return line;
  }

  #keep(part: Uint8Array): void {
    const length = this.#restLength + part.length;
    if (length > this.#rest.length) {
      const larger = new Uint8Array(2 * length); // doubled: a long line is copied a few times only
      larger.set(this.#rest.subarray(0, this.#restLength));
      this.#rest = larger;
    }
    this.#rest.set(part, this.#restLength);
    this.#restLength = length;
  }
}

const withoutReturn = (line: Uint8Array): Uint8Array =>
  line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;

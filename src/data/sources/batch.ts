/** Documents on their way from files to shards: many at once, so that threads exchange few and large messages. */

/** A place in a file at which reading can go on. */
export interface Place {
  /** Bytes of the (decompressed) text, rows of a Parquet file, or made-up documents before it. */
  readonly at: number;
  /** Lines before it; counted in JSONL only. */
  readonly line: number;
}

export const START: Place = { at: 0, line: 0 };

/** Some documents of one file, in its order. */
export interface Batch {
  /** Their text, end to end. */
  readonly text: Uint8Array<ArrayBuffer>;
  /** Where each document ends in `text`; none is empty. */
  readonly ends: Uint32Array<ArrayBuffer>;
  /** Where reading goes on behind them. */
  readonly next: Place;
  /** Bytes of the file that were read so far: for the progress line. */
  readonly read: number;
  /** Documents without a byte, left out. */
  readonly empty: number;
  /** Records and damaged parts passed over, and a sentence on each of the first few. */
  readonly skipped: number;
  readonly remarks: readonly string[];
}

/** Bytes after which a batch is handed on. */
const BATCH = 2 << 20;
const REMARKS = 5;

/** Gathers documents into batches. */
export class BatchBuilder {
  #text = new Uint8Array(BATCH);
  #bytes = 0;
  #ends: number[] = [];
  #empty = 0;
  #skipped = 0;
  #remarks: string[] = [];
  readonly #encoder = new TextEncoder();

  /** Whether it is time to hand the batch on. */
  get isFull(): boolean {
    return this.#bytes >= BATCH - (BATCH >> 3);
  }

  /** Appends a document; its bytes are copied. */
  add(document: Uint8Array): void {
    this.#makeRoom(document.length);
    this.#text.set(document, this.#bytes);
    this.#end(document.length);
  }

  /** Appends a document as UTF-8; a lone surrogate becomes U+FFFD. */
  addString(document: string): void {
    this.#makeRoom(3 * document.length); // the most that UTF-16 units become
    this.#end(this.#encoder.encodeInto(document, this.#text.subarray(this.#bytes)).written);
  }

  /** Counts what was passed over. */
  skip(remark: string, records = 1): void {
    this.#skipped += records;
    if (this.#remarks.length < REMARKS) this.#remarks.push(remark);
  }

  /** What was gathered; the builder starts anew. */
  take(next: Place, read: number): Batch {
    const batch = {
      text: this.#text.subarray(0, this.#bytes),
      ends: Uint32Array.from(this.#ends),
      next,
      read,
      empty: this.#empty,
      skipped: this.#skipped,
      remarks: this.#remarks,
    };
    this.#text = new Uint8Array(BATCH);
    this.#bytes = this.#empty = this.#skipped = 0;
    [this.#ends, this.#remarks] = [[], []];
    return batch;
  }

  #makeRoom(bytes: number): void {
    if (this.#bytes + bytes <= this.#text.length) return;
    const larger = new Uint8Array(this.#bytes + bytes);
    larger.set(this.#text.subarray(0, this.#bytes));
    this.#text = larger;
  }

  #end(bytes: number): void {
    if (bytes === 0) this.#empty++;
    else this.#ends.push(this.#bytes += bytes);
  }
}

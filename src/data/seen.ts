/**
 * Which documents have been seen: 16 bytes a document in a file beside the shards, 24 to 48 in memory.
 *
 * An entry is 12 bytes of a document's SHA-256 and the pass in which it was last taken. (Among 10^9 documents, two
 * different ones have equal 12 bytes with a chance of 10^-11.) A pass is one reading of one source: a source whose weight
 * is above 1 is read several times, and may take in each pass what it took in the first.
 */

import { createHash } from "node:crypto";
import { reading, writing } from "../formats/file_errors.ts";

/** Words of 32 bits an entry: three of the hash, one of the pass. */
const ENTRY = 4;
const ENTRY_BYTES = 4 * ENTRY;

/** A set of documents, by open addressing. Its changes go to a file, so that a killed run can go on. */
export class Seen implements Disposable {
  #table = new Uint32Array(ENTRY << 12);
  #count = 0;
  readonly #file: Deno.FsFile;
  #log = new Uint32Array(ENTRY << 12);
  #logged = 0;
  #saved = 0;

  /**
   * @param path of the file; it is made or replaced, unless `saved` is above 0.
   * @param firstPass Of each pass: the first one over the same source.
   * @param saved Bytes of the file that count, as {@link save} returned them.
   */
  constructor(readonly path: string, readonly firstPass: readonly number[], saved = 0) {
    this.#file = writing(path, () => Deno.openSync(path, { read: true, write: true, create: true }));
    if (saved > 0) this.#load(saved);
    writing(path, () => this.#file.truncateSync(saved));
    this.#saved = saved;
  }

  /** Takes a document; false where it is a duplicate: was seen in another source, or in this pass. */
  add(document: Uint8Array, pass: number): boolean {
    const digest = createHash("sha256").update(document).digest();
    const hash = [0, 4, 8].map((at) => digest.readUInt32LE(at)) as [number, number, number];
    const slot = this.#slot(...hash);
    const taken = this.#table[slot + 3]!; // the pass plus 1; 0 where there is none
    if (taken !== 0) {
      const last = taken - 1;
      if (last >= pass || this.firstPass[last] !== this.firstPass[pass]) return false;
    }
    this.#put(slot, hash, pass);
    this.#append(hash, pass);
    return true;
  }

  /** Brings all changes to the disk; returns how many bytes of the file count. */
  save(): number {
    this.#flush();
    writing(this.path, () => this.#file.syncDataSync());
    return this.#saved;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  #slot(a: number, b: number, c: number): number {
    const mask = this.#table.length - 1;
    for (let slot = (a * ENTRY) & mask;; slot = (slot + ENTRY) & mask) {
      if (this.#table[slot + 3] === 0) return slot;
      if (this.#table[slot] === a && this.#table[slot + 1] === b && this.#table[slot + 2] === c) return slot;
    }
  }

  #put(slot: number, hash: readonly number[], pass: number): void {
    const isNew = this.#table[slot + 3] === 0;
    this.#table.set(hash, slot);
    this.#table[slot + 3] = pass + 1;
    if (isNew && ++this.#count * ENTRY * 3 > this.#table.length * 2) this.#grow();
  }

  /** Doubles the table, which is then a third full. */
  #grow(): void {
    const old = this.#table;
    this.#table = new Uint32Array(old.length * 2);
    for (let i = 0; i < old.length; i += ENTRY) {
      if (old[i + 3] === 0) continue;
      this.#table.set(old.subarray(i, i + ENTRY), this.#slot(old[i]!, old[i + 1]!, old[i + 2]!));
    }
  }

  #append(hash: readonly number[], pass: number): void {
    this.#log.set(hash, this.#logged);
    this.#log[this.#logged + 3] = pass + 1;
    this.#logged += ENTRY;
    if (this.#logged === this.#log.length) this.#flush();
  }

  #flush(): void {
    const bytes = new Uint8Array(this.#log.buffer, 0, 4 * this.#logged);
    writing(this.path, () => {
      this.#file.seekSync(this.#saved, Deno.SeekMode.Start);
      for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
    });
    this.#saved += bytes.length;
    this.#logged = 0;
  }

  #load(saved: number): void {
    const bytes = new Uint8Array(ENTRY_BYTES << 12);
    reading(this.path, () => {
      for (let at = 0; at < saved;) {
        const wanted = Math.min(bytes.length, saved - at);
        for (let n = 0; n < wanted;) {
          const read = this.#file.readSync(bytes.subarray(n, wanted));
          if (read === null) throw new RangeError(`"${this.path}" is cut short`);
          n += read;
        }
        const words = new Uint32Array(bytes.buffer, 0, wanted / 4);
        for (let i = 0; i < words.length; i += ENTRY) {
          const hash = words.subarray(i, i + 3) as unknown as [number, number, number];
          this.#put(this.#slot(hash[0], hash[1], hash[2]), [...hash], words[i + 3]! - 1);
        }
        at += wanted;
      }
    });
  }
}

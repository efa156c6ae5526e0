/** A file read from front to back through a buffer, with a look ahead. */

import { reading } from "../../formats/file_errors.ts";

/** The part of a file that is in memory; it grows to what is looked at together. */
export class FileWindow implements Disposable {
  readonly #file: Deno.FsFile;
  #buffer = new Uint8Array(1 << 20);
  #start = 0;
  #end = 0;
  #at = 0;

  constructor(readonly path: string) {
    this.#file = reading(path, () => Deno.openSync(path));
  }

  /** Offset in the file of the next byte to be taken. */
  get at(): number {
    return this.#at;
  }

  /** Goes to an offset. */
  seek(offset: number): void {
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    this.#at = offset;
    this.#start = this.#end = 0;
  }

  /** Reads on until `bytes` bytes lie ahead, or the file ends; returns how many there are, at most `bytes`. */
  fill(bytes: number): number {
    if (this.#end - this.#start < bytes) this.#makeRoom(bytes);
    while (this.#end - this.#start < bytes) {
      const read = this.#file.readSync(this.#buffer.subarray(this.#end));
      if (read === null) break;
      this.#end += read;
    }
    return Math.min(bytes, this.#end - this.#start);
  }

  /** The next bytes, as many as `fill` has brought and at most `bytes`: valid until the next `fill`. */
  peek(bytes: number): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(this.#start, Math.min(this.#start + bytes, this.#end));
  }

  /** As `peek`, and goes on behind them. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    const taken = this.peek(bytes);
    this.#start += taken.length;
    this.#at += taken.length;
    return taken;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  #makeRoom(bytes: number): void {
    if (this.#start + bytes <= this.#buffer.length) return;
    const ahead = this.#buffer.subarray(this.#start, this.#end);
    const buffer = bytes > this.#buffer.length ? new Uint8Array(bytes + (bytes >> 1)) : this.#buffer;
    buffer.set(ahead);
    this.#buffer = buffer;
    this.#end = ahead.length;
    this.#start = 0;
  }
}

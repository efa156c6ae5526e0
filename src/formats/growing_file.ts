/**
 * A file that grows during a run (lines of metrics, of a log, events). A full disk does not end the run: what the system
 * refuses waits in memory and goes first when there is more to write.
 */
import { writing } from "./file_errors.ts";
import { UserError } from "../stage/errors.ts";

export class GrowingFile implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #waiting: Uint8Array[] = [];

  /** Opens or makes the file. @throws {UserError} where the system refuses. */
  constructor(readonly path: string) {
    this.#file = writing(path, () => Deno.openSync(path, { append: true, create: true }));
  }

  /** Adds to the end. Returns what the system said when it refused; the bytes are then written later. */
  append(bytes: Uint8Array): UserError | null {
    this.#waiting.push(bytes);
    try {
      this.#drain();
      return null;
    } catch (error) {
      if (error instanceof UserError) return error;
      throw error;
    }
  }

  /** Adds a line of text. */
  line(text: string): UserError | null {
    return this.append(new TextEncoder().encode(`${text}\n`));
  }

  /** All that was added is on the disk afterwards. @throws {UserError} where the system refuses. */
  flush(): void {
    this.#drain();
    writing(this.path, () => this.#file.syncDataSync());
  }

  #drain(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const written = writing(this.path, () => this.#file.writeSync(first));
      if (written < first.length) this.#waiting[0] = first.subarray(written); // the disk is nearly full
      else this.#waiting.shift();
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

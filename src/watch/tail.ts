/** Reads a file of lines while another process adds to it: each call gives the lines that have come since. */
import { fileError } from "../formats/file_errors.ts";

export class Tail {
  /** Bytes that were read; the inode that they were in. */
  #offset = 0;
  #inode: number | null = null;
  /** What was read of a line whose end is not there yet. */
  #begun = "";
  #decoder = new TextDecoder();

  constructor(readonly path: string) {}

  /**
   * The whole lines that have come. `replaced`: the file is another one or shorter (a resumed run has cut it), and these
   * are its lines from the first on. A file that is not there has none.
   *
   * @throws {UserError} where the system refuses.
   */
  read(): { readonly lines: readonly string[]; readonly replaced: boolean } {
    try {
      using file = Deno.openSync(this.path);
      const { size, ino } = file.statSync();
      const replaced = ino !== this.#inode || size < this.#offset;
      if (replaced) this.#restart(ino);
      file.seekSync(this.#offset, Deno.SeekMode.Start);
      const text = this.#begun + this.#decoder.decode(this.#rest(file, size), { stream: true });
      const lines = text.split("\n");
      this.#begun = lines.pop()!;
      return { lines, replaced };
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw fileError("read", this.path, error);
      const replaced = this.#inode !== null;
      this.#restart(null);
      return { lines: [], replaced };
    }
  }

  #restart(inode: number | null): void {
    this.#inode = inode;
    this.#offset = 0;
    this.#begun = "";
    this.#decoder = new TextDecoder();
  }

  #rest(file: Deno.FsFile, size: number): Uint8Array {
    const bytes = new Uint8Array(size - this.#offset);
    let filled = 0;
    for (let n; filled < bytes.length && (n = file.readSync(bytes.subarray(filled))) !== null;) filled += n;
    this.#offset += filled;
    return bytes.subarray(0, filled);
  }
}

/** One process at a time: a lock that the system drops when its holder ends, however it ends. */

import { InUse } from "./errors.ts";

/** Holds a lock until disposed. */
export class Lock implements Disposable {
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /**
   * Takes the lock on a file, which is made where it is missing and stays afterwards. It says who holds it.
   * @throws {InUse} when another process holds it.
   */
  static take(path: string, what: string): Lock {
    const file = Deno.openSync(path, { read: true, write: true, create: true });
    if (!file.tryLockSync(true)) {
      const holder = new TextDecoder().decode(readStart(file)).trim();
      file.close();
      throw new InUse(`${what} is in use by ${holder || "another process"}: wait for it to end, or end it`);
    }
    file.truncateSync();
    file.writeSync(new TextEncoder().encode(`process ${Deno.pid} since ${new Date().toISOString()}\n`));
    return new Lock(file);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

function readStart(file: Deno.FsFile): Uint8Array {
  const bytes = new Uint8Array(200);
  return bytes.subarray(0, file.readSync(bytes) ?? 0);
}

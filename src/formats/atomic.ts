/**
 * Files and folders that are there whole or not at all.
 *
 * Everything is written beside its target under the name `<target>.partial`, flushed to the disk, and renamed;
 * then the folder that holds the name is flushed too. A kill at any moment leaves the old state or the new one,
 * and perhaps a `.partial`, which the next writer of that name replaces. One writer per target at a time.
 */

import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { reading, writing } from "./file_errors.ts";

/** What ended up in a file. */
export interface Written {
  readonly bytes: number;
  /** Hexadecimal SHA-256 of the whole file. */
  readonly sha256: string;
}

const PARTIAL = ".partial";
const REPLACED = ".replaced";
/** Bytes gathered before they are hashed and written: one call per small document would cost more than its bytes. */
const BUFFER = 1 << 20;

/**
 * A file that appears under its name only when `commit` returns.
 *
 * ```ts ignore
 * using file = new AtomicFile(path); // goes away without a trace unless committed
 * file.write(bytes);
 * const { sha256 } = file.commit();
 * ```
 *
 * Every method throws a `UserError` that names the file when the system refuses (disk full, quota, mode, ...);
 * the disposal then removes what was written.
 */
export class AtomicFile implements Disposable {
  readonly #temporary: string;
  readonly #file: Deno.FsFile;
  readonly #hash = createHash("sha256");
  readonly #buffer = new Uint8Array(BUFFER);
  #buffered = 0;
  #flushed = 0;
  #open = true;
  #committed = false;

  /**
   * @param path The file to make or to replace; its folder exists.
   * @param kept Bytes of an earlier writer's that stay, as its {@link save} returned them: what it wrote behind them is
   *   dropped. They are read once, for the checksum.
   */
  constructor(readonly path: string, kept = 0) {
    this.#temporary = path + PARTIAL;
    this.#file = writing(path, () => {
      // Its writer may have come to the end before it was killed.
      if (kept > 0 && !exists(this.#temporary) && exists(path)) Deno.renameSync(path, this.#temporary);
      return Deno.openSync(this.#temporary, {
        read: true,
        write: true,
        create: kept === 0,
        truncate: kept === 0,
      });
    });
    if (kept > 0) this.#keep(kept);
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#flushed + this.#buffered;
  }

  /** Appends; the bytes are copied or written before it returns. */
  write(bytes: Uint8Array): void {
    if (this.#buffered + bytes.length > BUFFER) this.#flush();
    if (bytes.length > BUFFER) return this.#put(bytes);
    this.#buffer.set(bytes, this.#buffered);
    this.#buffered += bytes.length;
  }

  /** Flushes to the disk, so that another writer can go on from here should this one be killed; returns the bytes. */
  save(): number {
    this.#flush();
    writing(this.path, () => this.#file.syncDataSync());
    return this.#flushed;
  }

  /** Closes the file and leaves what was saved, under its other name, for a writer to come. */
  leave(): void {
    this.#committed = true;
    this.#close();
  }

  /** Flushes to the disk and gives the file its name. */
  commit(): Written {
    this.#flush();
    writing(this.path, () => {
      this.#file.syncSync();
      this.#close();
      Deno.renameSync(this.#temporary, this.path);
      this.#committed = true;
      syncFolder(dirname(this.path));
    });
    return { bytes: this.#flushed, sha256: this.#hash.digest("hex") };
  }

  /** Removes what was not committed. */
  [Symbol.dispose](): void {
    this.#close();
    if (!this.#committed) remove(this.#temporary);
  }

  #keep(bytes: number): void {
    reading(this.path, () => {
      while (this.#flushed < bytes) {
        const read = this.#file.readSync(this.#buffer.subarray(0, Math.min(BUFFER, bytes - this.#flushed)));
        if (read === null) break;
        this.#hash.update(this.#buffer.subarray(0, read));
        this.#flushed += read;
      }
    });
    if (this.#flushed < bytes) {
      this.#close();
      throw new RangeError(`${this.#temporary} has ${this.#flushed} bytes, expected ${bytes}`);
    }
    writing(this.path, () => this.#file.truncateSync(bytes));
  }

  #flush(): void {
    this.#put(this.#buffer.subarray(0, this.#buffered));
    this.#buffered = 0;
  }

  #put(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    writing(this.path, () => {
      for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
    });
    this.#flushed += bytes.length;
  }

  #close(): void {
    if (this.#open) this.#file.close();
    this.#open = false;
  }
}

/** Writes a whole file atomically. Throws a `UserError` where the system refuses. */
export function writeBytes(path: string, bytes: Uint8Array): Written {
  using file = new AtomicFile(path);
  file.write(bytes);
  return file.commit();
}

/** Writes text as UTF-8, atomically. Throws a `UserError` where the system refuses. */
export function writeText(path: string, text: string): Written {
  return writeBytes(path, new TextEncoder().encode(text));
}

/** Writes a value as indented JSON with a final line break, atomically. Throws a `UserError` where the system refuses. */
export function writeJson(path: string, value: unknown): Written {
  return writeText(path, JSON.stringify(value, null, 2) + "\n");
}

/** Bytes of which every file that is not empty has the room: file systems give it in such blocks. */
const BLOCK = 4096;

/**
 * As {@link writeJson}, for a small file that says how things went, a full disk say: where there is no room for a new one,
 * it goes over the old one, in one call. A kill leaves one of the two still, a power cut may not.
 */
export function writeJsonOver(path: string, value: unknown): void {
  try {
    writeJson(path, value);
  } catch (refusal) {
    const isFull = refusal instanceof Error && /no space left|quota exceeded/.test(refusal.message);
    if (!isFull || !wroteOver(path, JSON.stringify(value))) throw refusal;
  }
}

/** Whether the text now stands where the old one did; spaces fill up the rest. */
function wroteOver(path: string, text: string): boolean {
  try {
    const { size } = Deno.statSync(path);
    const bytes = new TextEncoder().encode(text);
    const whole = new Uint8Array(Math.max(size, bytes.length)).fill(" ".charCodeAt(0));
    if (size === 0 || whole.length > BLOCK) return false;
    whole.set(bytes);
    using file = Deno.openSync(path, { write: true });
    return file.writeSync(whole) === whole.length;
  } catch {
    return false; // what refused the new file says why
  }
}

/**
 * A folder that appears under its name only when `commit` returns, with all its files.
 *
 * ```ts ignore
 * using folder = new AtomicFolder("checkpoints/step-00000500");
 * writeJson(join(folder.temporary, "state.json"), state);
 * folder.commit();
 * ```
 *
 * A folder of that name is replaced. For the moment between two renames the old one is called
 * `<name>.replaced`; a run killed right there is put right by the next `AtomicFolder` of the same name.
 */
export class AtomicFolder implements Disposable {
  /** Where to write the files: a fresh, empty folder beside the target. */
  readonly temporary: string;
  #committed = false;

  /** @param path The folder to make or to replace; the folder that holds it exists. */
  constructor(readonly path: string) {
    this.temporary = path + PARTIAL;
    writing(path, () => {
      if (exists(path)) remove(path + REPLACED);
      else if (exists(path + REPLACED)) Deno.renameSync(path + REPLACED, path);
      remove(this.temporary);
      Deno.mkdirSync(this.temporary);
    });
  }

  /** Flushes every file to the disk and gives the folder its name. */
  commit(): void {
    writing(this.path, () => {
      syncTree(this.temporary);
      if (exists(this.path)) Deno.renameSync(this.path, this.path + REPLACED);
      Deno.renameSync(this.temporary, this.path);
      this.#committed = true;
      syncFolder(dirname(this.path));
      remove(this.path + REPLACED);
    });
  }

  /** Removes what was not committed. */
  [Symbol.dispose](): void {
    if (!this.#committed) remove(this.temporary);
  }
}

/** Removes what killed writers left in `folder` (not in the folders below it). */
export function removePartials(folder: string): void {
  for (const { name } of [...Deno.readDirSync(folder)]) {
    if (name.endsWith(PARTIAL)) remove(join(folder, name));
  }
}

/** Hexadecimal SHA-256 of a file, read in pieces. Throws a `UserError` where the system refuses. */
export function sha256OfFile(path: string): string {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(BUFFER);
  reading(path, () => {
    using file = Deno.openSync(path);
    for (let n; (n = file.readSync(buffer)) !== null;) hash.update(buffer.subarray(0, n));
  });
  return hash.digest("hex");
}

function remove(path: string): void {
  if (exists(path)) Deno.removeSync(path, { recursive: true });
}

/** Whether there is anything of that name, be it a link to nothing. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Makes the names in a folder survive a power cut. */
export function syncFolder(path: string): void {
  if (Deno.build.os === "windows") return; // folders cannot be opened as files there
  using folder = Deno.openSync(path);
  try {
    folder.syncSync();
  } catch (error) {
    // Some network file systems have no such call for folders; their renames are durable or not by themselves.
    if (!/EINVAL|ENOTSUP|invalid argument|not supported/i.test(String(error))) throw error;
  }
}

function syncTree(folder: string): void {
  for (const entry of Deno.readDirSync(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) {
      syncTree(path);
    } else {
      using file = Deno.openSync(path);
      file.syncSync();
    }
  }
  syncFolder(folder);
}

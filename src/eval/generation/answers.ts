/**
 * What servers have answered, in a file of the stage's folder: a run that was killed, or that failed over a few missing
 * answers, does not pay twice. It is also the record of what a judge said.
 */

import { createHash } from "node:crypto";
import { exists } from "../../formats/atomic.ts";
import { reading } from "../../formats/file_errors.ts";
import { GrowingFile } from "../../formats/growing_file.ts";

/** Answers by request. */
export class Answers implements Disposable {
  readonly #known: Map<string, unknown>;
  readonly #file: GrowingFile;

  /** Opens or makes the file. @throws {UserError} where the system refuses. */
  constructor(path: string) {
    const before = exists(path) ? reading(path, () => Deno.readTextFileSync(path)) : "";
    this.#known = new Map(before.split("\n").flatMap(entryIn));
    this.#file = new GrowingFile(path);
    if (before !== "" && !before.endsWith("\n")) this.#file.line(""); // what a kill cut off stands by itself
  }

  /** The answer to an equal request, if there was one. */
  find(address: string, body: string): unknown {
    return this.#known.get(keyOf(address, body));
  }

  keep(address: string, body: string, answer: unknown): void {
    const key = keyOf(address, body);
    this.#known.set(key, answer);
    this.#file.line(JSON.stringify({ key, answer }));
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

const keyOf = (address: string, body: string): string =>
  createHash("sha256").update(`${address}\n${body}`).digest("hex");

function entryIn(line: string): [string, unknown][] {
  try {
    const { key, answer } = JSON.parse(line);
    return [[key, answer]];
  } catch {
    return []; // empty, or cut off by a kill
  }
}

/** The progress line of a preparation, and the turns that let signals through. */

import { duration } from "../formats/duration.ts";
import type { StageIo } from "../stage/io.ts";
import { turn } from "../stage/turn.ts";

/** Reports what was done since it was made. */
export class Pace {
  readonly #started = performance.now();
  #bytes = 0;
  #documents = 0;

  /**
   * @param total Bytes of all files.
   * @param before Bytes of them that were read by an earlier attempt.
   */
  constructor(readonly io: StageIo, readonly total: number, readonly before: number) {}

  /** Counts documents and lets signals through. @param read Bytes of the files that were read, `before` included. */
  async step(documents: number, bytes: number, read: number, what = ""): Promise<void> {
    this.#bytes += bytes;
    this.#documents += documents;
    const seconds = Math.max(1e-3, (performance.now() - this.#started) / 1e3);
    const left = seconds * (this.total - read) / Math.max(1, read - this.before);
    this.io.progress(
      `${what}${Math.floor(100 * read / Math.max(1, this.total))}%  ${megabytes(this.#bytes)}, ` +
        `${this.#documents} documents, ${megabytes(this.#bytes / seconds)}/s, ` +
        `${Math.round(this.#documents / seconds)} documents/s, ${duration(left)} left`,
    );
    await turn();
  }
}

/** Bytes for a reader. */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 0)} MB`;

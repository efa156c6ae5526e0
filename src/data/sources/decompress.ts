/** One compressed stream through node:zlib, piece by piece. */

import { once } from "node:events";
import type { Transform } from "node:stream";

/**
 * What a decompressor makes of some pieces. Few of them are under way at a time.
 *
 * @param pieces not reused by whoever makes them: the decompressor may still read one when the next is asked for
 * @throws what `pieces` throws, and zlib's error where the data are damaged
 */
export async function* decompress(
  decompressor: Transform,
  pieces: Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  using _thrown = new ThrownErrors(decompressor);
  const fed = feed(decompressor, pieces).catch((error) => void decompressor.destroy(error));
  try {
    // A Buffer's own methods are ten times slower than those of the plain array that it is.
    for await (const { buffer, byteOffset, length } of decompressor) {
      yield new Uint8Array(buffer, byteOffset, length);
    }
    await fed;
  } finally {
    decompressor.destroy();
  }
}

async function feed(decompressor: Transform, pieces: Iterable<Uint8Array>): Promise<void> {
  for (const piece of pieces) {
    if (decompressor.destroyed) return;
    if (!decompressor.write(piece)) await once(decompressor, "drain");
  }
  decompressor.end();
}

/** Deno 2.9 throws the error of a zstd stream from a callback, where nobody can catch it, and does not emit it. */
class ThrownErrors implements Disposable {
  constructor(readonly decompressor: Transform) {
    addEventListener("error", this.#take);
  }

  [Symbol.dispose](): void {
    removeEventListener("error", this.#take);
  }

  readonly #take = (event: ErrorEvent): void => {
    if (!(event.error instanceof Error && event.error.message.startsWith("Zstd decompress error"))) return;
    event.preventDefault();
    this.decompressor.destroy(event.error);
  };
}

/**
 * Reading in a thread of its own: files are read, decompressed and parsed there while the documents before are cleaned,
 * checksummed and written here. A few batches are under way at a time.
 */

import { UserError } from "../../stage/errors.ts";
import type { SourceFile } from "./file.ts";
import { type FileBatch, type Position, readFiles } from "./read.ts";

/** To the worker: begin, or one more batch may be sent. */
export type Request = { readonly files: readonly SourceFile[]; readonly from: Position } | "more";
/** From the worker. */
export type Reply =
  | { readonly batch: FileBatch }
  | { readonly error: { readonly message: string; readonly isPlain: boolean; readonly stack?: string } }
  | "end";

/** Batches that wait at a time. */
export const AHEAD = 6;
/** Bytes from which on a second thread pays. */
const WORTH_A_THREAD = 4e6;

/** As {@link readFiles}, in another thread where there is much to read. */
export function readAhead(files: readonly SourceFile[], from: Position): AsyncGenerator<FileBatch> {
  const bytes = files.slice(from.file).reduce((sum, { size }) => sum + size, 0);
  return bytes < WORTH_A_THREAD ? readFiles(files, from) : readInWorker(files, from);
}

/** As {@link readFiles}, in another thread. */
export async function* readInWorker(files: readonly SourceFile[], from: Position): AsyncGenerator<FileBatch> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  try {
    const replies = new Replies(worker);
    const send = (request: Request) => worker.postMessage(request);
    send({ files, from });
    for (;;) {
      const reply = await replies.next();
      if (reply === "end") return;
      if ("error" in reply) throw errorFrom(reply.error);
      yield reply.batch;
      send("more");
    }
  } finally {
    worker.terminate();
  }
}

/** What a worker sends, in order. */
class Replies {
  readonly #waiting: Reply[] = [];
  #wake: () => void = () => {};
  #failure: Error | undefined;

  constructor(worker: Worker) {
    worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      this.#waiting.push(data);
      this.#wake();
    };
    worker.onerror = (event) => {
      event.preventDefault(); // told here
      this.#failure = new Error(`The thread that reads failed: ${event.message}`);
      this.#wake();
    };
  }

  async next(): Promise<Reply> {
    while (this.#waiting.length === 0) {
      if (this.#failure) throw this.#failure;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.#waiting.shift()!;
  }
}

function errorFrom({ message, isPlain, stack }: Extract<Reply, { error: unknown }>["error"]): Error {
  const error = isPlain ? new UserError(message) : new Error(message);
  if (!isPlain && stack !== undefined) error.stack = stack;
  return error;
}

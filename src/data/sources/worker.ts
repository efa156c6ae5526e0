/// <reference lib="deno.worker" />
/** The thread that ahead.ts starts: reads files and sends batches, as many ahead as it is allowed. */

import { UserError } from "../../stage/errors.ts";
import { AHEAD, type Reply, type Request } from "./ahead.ts";
import { type FileBatch, readFiles } from "./read.ts";

const scope = self as unknown as DedicatedWorkerGlobalScope;
let allowed = AHEAD;
let wake = () => {};

scope.onmessage = async ({ data }: MessageEvent<Request>) => {
  if (data === "more") {
    allowed++;
    wake();
    return;
  }
  try {
    for await (const batch of readFiles(data.files, data.from)) await send(batch);
    scope.postMessage("end" satisfies Reply);
  } catch (error) {
    const { message, stack } = error as Error;
    const isPlain = error instanceof UserError;
    scope.postMessage(
      { error: stack === undefined ? { message, isPlain } : { message, isPlain, stack } } satisfies Reply,
    );
  }
};

async function send(batch: FileBatch): Promise<void> {
  while (allowed === 0) await new Promise<void>((resolve) => wake = resolve);
  allowed--;
  scope.postMessage({ batch } satisfies Reply, [batch.text.buffer, batch.ends.buffer]);
}

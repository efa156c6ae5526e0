/** Many requests at a time; those without an answer are counted, never made up, and too many of them end the stage. */

import type { ServerConfig } from "../../config/schema.ts";
import { Interrupted, UserError } from "../../stage/errors.ts";
import type { StageIo } from "../../stage/io.ts";
import { Unanswered } from "./server.ts";

/**
 * Asks for every item, some at a time; null where there is no answer.
 *
 * @param what Names the requests in messages: `SemScore`.
 * @throws {UserError} as soon as more than the share `max_missing` has no answer
 */
export async function collect<Item, Answer>(
  what: string,
  items: readonly Item[],
  { endpoint, parallel, max_missing }: ServerConfig,
  io: Pick<StageIo, "stop" | "progress" | "log">,
  ask: (item: Item, stop: AbortSignal) => Promise<Answer>,
): Promise<(Answer | null)[]> {
  const failed = new AbortController();
  const stop = AbortSignal.any([io.stop, failed.signal]);
  const answers: (Answer | null)[] = items.map(() => null);
  const queue = [...items.entries()];
  let [done, missing] = [0, 0];
  const unanswered = (error: unknown) => {
    if (!(error instanceof Unanswered)) throw error;
    missing++;
    if (missing > max_missing * items.length) {
      throw new UserError(
        `${what}: ${missing} of ${items.length} requests to ${endpoint} have no answer, which is more than max_missing ` +
          `(${max_missing}) lets pass; the last: ${error.message}. What was answered is kept: the same command asks ` +
          "for the rest",
        { cause: error },
      );
    }
  };
  const worker = async () => {
    for (let next; (next = queue.shift()) !== undefined && !stop.aborted;) {
      const [i, item] = next;
      await ask(item, stop).then((answer) => answers[i] = answer, unanswered);
      io.progress(`${what}: ${++done} of ${items.length} requests`);
    }
  };
  const workers = Array.from({ length: Math.min(parallel, items.length) }, worker);
  // The first failure stops the others, and is what is told.
  await Promise.all(workers.map((one) =>
    one.catch((error) => {
      failed.abort();
      throw error;
    })
  )).finally(() => Promise.allSettled(workers));
  if (io.stop.aborted) throw new Interrupted("stopped; what was answered is kept");
  if (missing > 0) io.log(`${what}: ${missing} of ${items.length} requests have no answer and no score`);
  return answers;
}

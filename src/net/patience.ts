/** How long to try: attempts, with growing pauses between them, at what may be better the next time. */

import { Interrupted } from "../stage/errors.ts";

/** How long to wait, and how often to try. Milliseconds. */
export interface Patience {
  /** Attempts in a row that bring nothing. */
  readonly attempts: number;
  /** Before the second attempt; doubled before each further one. */
  readonly pause: number;
  readonly longestPause: number;
  /** Without a byte, before a connection counts as lost. */
  readonly silence: number;
}

/** What may be better on the next attempt. */
export class Lost extends Error {
  override readonly name = "Lost";

  /** @param after Milliseconds that the server asks to wait. */
  constructor(message: string, readonly after?: number) {
    super(message);
  }
}

/** A failure that is followed by another attempt. */
export interface Failure {
  readonly reason: string;
  /** The number of the next attempt, from 2. */
  readonly next: number;
  /** Milliseconds until then. */
  readonly wait: number;
}

/** How to try. */
export interface Trying {
  readonly patience: Patience;
  readonly stop: AbortSignal;
  /** Bytes that are there by now: an attempt that adds to them counts as none. */
  readonly bytes?: () => number;
  /** Told of each failure that is not the last. */
  readonly failed: (failure: Failure) => void;
}

/**
 * Tries until an attempt succeeds or so many in a row have brought nothing.
 *
 * @throws {Lost} the last attempt's, after `patience.attempts` of them; any other error at once
 * @throws {Interrupted} where `stop` came while it waited
 */
export async function persist<T>(attempt: () => Promise<T>, trying: Trying): Promise<T> {
  const { patience: { attempts, pause, longestPause }, stop, bytes = () => 0, failed } = trying;
  for (let failures = 0, had = bytes();;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      failures = bytes() > had ? 1 : failures + 1;
      had = bytes();
      if (failures >= attempts) throw error;
      // Half of it by chance: many who were sent away together do not come back together.
      const backoff = Math.min(longestPause, pause * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
      const wait = Math.max(backoff, Math.min(error.after ?? 0, 5 * longestPause));
      failed({ reason: error.message, next: failures + 1, wait });
      await sleep(wait, stop);
    }
  }
}

function sleep(milliseconds: number, stop: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stopped = () => {
    clearTimeout(timer);
    reject(new Interrupted("stopped"));
  };
  const timer = setTimeout(() => {
    stop.removeEventListener("abort", stopped);
    resolve();
  }, milliseconds);
  if (stop.aborted) stopped();
  else stop.addEventListener("abort", stopped, { once: true });
  return promise;
}

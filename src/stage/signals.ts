/** Signals as a wish to stop. */

import { Interrupted } from "./errors.ts";

/** What asks for an orderly stop: Ctrl-C, the system, a scheduler shortly before the end, a terminal that closes. */
export const STOP_SIGNALS: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGUSR1", "SIGHUP"];

/** Milliseconds in which more SIGINTs are the first one's: each `deno task` passes on what the terminal sent to all. */
const ECHO = 1000;

/**
 * Aborted, with {@link Interrupted} as the reason, by the first of {@link STOP_SIGNALS}. A SIGINT a second after the
 * first ends the process at once with 130: whoever presses Ctrl-C twice does not want to wait for a save.
 */
export function stopOnSignals(onStop: (signal: Deno.Signal) => void = () => {}): AbortSignal {
  const controller = new AbortController();
  let interrupted = Infinity;
  for (const signal of STOP_SIGNALS) {
    Deno.addSignalListener(signal, () => {
      if (signal === "SIGINT" && performance.now() > interrupted + ECHO) Deno.exit(130);
      if (signal === "SIGINT") interrupted = Math.min(interrupted, performance.now());
      if (controller.signal.aborted) return;
      controller.abort(new Interrupted(`stopped by ${signal}`));
      onStop(signal);
    });
  }
  return controller.signal;
}

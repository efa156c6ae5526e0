/** Signals as a wish to stop. */

import { Interrupted } from "./errors.ts";

/** What asks for an orderly stop: Ctrl-C, the system, a scheduler shortly before the end, a terminal that closes. */
export const STOP_SIGNALS: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGUSR1", "SIGHUP"];

/**
 * Aborted, with {@link Interrupted} as the reason, by the first of {@link STOP_SIGNALS}. A second SIGINT ends
 * the process at once with 130: whoever presses Ctrl-C twice does not want to wait for a save.
 */
export function stopOnSignals(onStop: (signal: Deno.Signal) => void = () => {}): AbortSignal {
  const controller = new AbortController();
  let interrupts = 0;
  for (const signal of STOP_SIGNALS) {
    Deno.addSignalListener(signal, () => {
      if (signal === "SIGINT" && ++interrupts > 1) Deno.exit(130);
      if (controller.signal.aborted) return;
      controller.abort(new Interrupted(`stopped by ${signal}`));
      onStop(signal);
    });
  }
  return controller.signal;
}

/** The first signal asks for a stop; Ctrl-C again ends the process, but not what `deno task` makes of the first. */

import assert from "node:assert/strict";
import { Interrupted } from "../../src/stage/errors.ts";
import { STOP_SIGNALS, stopOnSignals } from "../../src/stage/signals.ts";

/** Listens with stand-ins for the system's signals, its exit and its clock. */
function listen() {
  const listeners = new Map<Deno.Signal, () => void>();
  const seen: (Deno.Signal | number)[] = [];
  const { addSignalListener, exit } = Deno;
  const { now } = performance;
  let time = 0;
  Deno.addSignalListener = (signal, listener) => void listeners.set(signal, listener);
  const stop = stopOnSignals((signal) => seen.push(signal));
  Deno.addSignalListener = addSignalListener;
  const send = (signal: Deno.Signal, at: number) => {
    time = at;
    performance.now = () => time;
    Deno.exit = (code) => {
      seen.push(code ?? 0);
      return undefined as never;
    };
    try {
      listeners.get(signal)!();
    } finally {
      performance.now = now;
      Deno.exit = exit;
    }
  };
  return { stop, seen, send };
}

Deno.test("stopOnSignals() aborts once, with the signal's name, whichever comes first", () => {
  for (const signal of STOP_SIGNALS) {
    const { stop, seen, send } = listen();
    assert(!stop.aborted);
    send(signal, 0);
    send("SIGTERM", 5000);
    assert(stop.reason instanceof Interrupted);
    assert.equal(stop.reason.message, `stopped by ${signal}`);
    assert.deepEqual(seen, [signal]);
  }
});

Deno.test("stopOnSignals() ends the process at a SIGINT a second after the first", () => {
  const { seen, send } = listen();
  for (const at of [100, 101, 103, 900]) send("SIGINT", at); // one Ctrl-C under two `deno task`
  assert.deepEqual(seen, ["SIGINT"]);
  send("SIGINT", 1500);
  assert.deepEqual(seen, ["SIGINT", 130]);
});

/** The event loop's turn in the middle of a long computation: without one, no signal handler ever runs. */

/** Milliseconds between turns: a turn costs one to two, so this is less than 1% of the time. */
const BETWEEN = 200;
let last = performance.now();

/**
 * Lets signals and timers through, at most every 0.2 s; in between it returns at once. Await it once a step.
 *
 * It waits for a timer, since only that goes once around the whole loop: after 0.1 s of computing a step, a signal
 * was seen within one step this way, but after 7 to 14 steps with `setImmediate` (Deno 2.9.6).
 */
export async function turn(): Promise<void> {
  if (performance.now() - last < BETWEEN) return;
  await new Promise((resolve) => setTimeout(resolve));
  last = performance.now();
}

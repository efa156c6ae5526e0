/** The event loop's turn in the middle of a long computation: without one, no signal handler ever runs. */

/** Milliseconds between turns: a turn costs one to two, so this is less than 1% of the time. */
const BETWEEN = 200;
let last = performance.now();

/**
 * Lets signals and timers through, at most every 0.2 s; in between it returns at once. Await it once a step.
 *
 * It waits for a timer, since that goes once around the whole loop: a signal is seen within this time and one step.
 * With `setImmediate`, which takes microseconds, it took 7 to 14 steps of 50 ms (Deno 2.9.6).
 */
export async function turn(): Promise<void> {
  if (performance.now() - last < BETWEEN) return;
  await new Promise((resolve) => setTimeout(resolve));
  last = performance.now();
}

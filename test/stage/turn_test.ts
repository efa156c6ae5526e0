/** A computation that awaits its turn lets timers and signals through. */

import assert from "node:assert/strict";
import { turn } from "../../src/stage/turn.ts";

Deno.test("turn() lets a timer through within a fraction of a second", async () => {
  let fired = false;
  const timer = setTimeout(() => fired = true, 1);
  const end = performance.now() + 2000;
  while (!fired && performance.now() < end) await turn();
  clearTimeout(timer);
  assert(fired);
});

/** Proves that about one text in eight is held out, and that drawing keeps to its side. */

import assert from "node:assert/strict";
import { drawOnSide, isHeldOut } from "../../src/data/held_out.ts";

Deno.test("isHeldOut() holds about one text in eight out, alike ones independently", () => {
  const flags = Array.from({ length: 8000 }, (_, i) => isHeldOut(`text ${i}`));
  const share = (flags: readonly boolean[]) => flags.filter(Boolean).length / flags.length;
  assert.ok(Math.abs(share(flags) - 1 / 8) < 0.02, `${share(flags)}`);
  const afterOne = flags.filter((_, i) => flags[i - 1]);
  assert.ok(Math.abs(share(afterOne) - 1 / 8) < 0.05, `${share(afterOne)}`);
});

Deno.test("drawOnSide() gives the first one drawn that is on the side asked for", () => {
  for (const side of [true, false]) {
    let n = 0;
    const drawn = drawOnSide(side, () => ({ text: `text ${n++}` }), ({ text }) => text);
    const all = Array.from({ length: n }, (_, i) => isHeldOut(`text ${i}`));
    assert.equal(drawn.text, `text ${all.indexOf(side)}`);
    assert.equal(all.lastIndexOf(side), n - 1);
  }
});

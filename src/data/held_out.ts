/** Which made-up texts are kept for tests, so that none of them stands in made-up training text. */

import { scramble } from "./random.ts";

/**
 * Whether a text is kept for tests: one in eight, by a hash of the text alone. No seed goes in, so that what is held out
 * for one seed is in the training text of no other.
 */
export function isHeldOut(text: string): boolean {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193); // FNV-1a
  return scramble(hash) % 8 === 0;
}

/** Draws until something comes that is held out, or that is not. @param textOf What the hash is taken of. */
export function drawOnSide<T>(heldOut: boolean, draw: () => T, textOf: (drawn: T) => string): T {
  for (;;) {
    const drawn = draw();
    if (isHeldOut(textOf(drawn)) === heldOut) return drawn;
  }
}

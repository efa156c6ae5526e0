/** Text that needs no download: what each built-in generator makes, document by document. */

import type { MadeUp } from "../config/schema/prepare.ts";
import { namedStory } from "./names.ts";
import { exerciseText } from "./polynomials.ts";
import { story } from "./stories.ts";

/** Document `index`, 0 and up. */
const DOCUMENT: Record<MadeUp, (seed: number, index: number) => string> = {
  stories: story,
  names: namedStory,
  polynomials: exerciseText,
};

/**
 * Documents as UTF-8 until there are at least `bytes` bytes of them: the last one is whole.
 *
 * The same seed gives the same bytes on every machine, and document i does not depend on how many follow.
 * A yielded array is fresh: the caller may keep it.
 */
export function* madeUp(what: MadeUp, seed: number, bytes: number): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  for (let index = 0, made = 0; made < bytes; index++) {
    const document = encoder.encode(DOCUMENT[what](seed, index));
    yield document;
    made += document.length;
  }
}

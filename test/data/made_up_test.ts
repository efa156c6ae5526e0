/** Proves that made-up text is the same everywhere, and as long as was asked for. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { MadeUp } from "../../src/config/schema/prepare.ts";
import { madeUp } from "../../src/data/made_up.ts";
import { namedStory } from "../../src/data/names.ts";
import { exerciseText } from "../../src/data/polynomials.ts";
import { story } from "../../src/data/stories.ts";

/** SHA-256 of the first 200,000 bytes and what completes their last document, of seed 1337. */
const HASHES: Record<MadeUp, string> = {
  stories: "833a364ea9c1ba43bd5e45eb8237bb1e803ea07b7063ff54642ca9c858337616",
  names: "c2ecb3e5b5bbf45c07c7eb6e06e8c101f0bf8e80096aa9aabcb8555e72fcf38a",
  polynomials: "a2f88321cf1096b08b9fff93556a5f3c16e193e8fc69fea6475d1cf406d20446",
};

const MAKERS: Record<MadeUp, (seed: number, index: number) => string> = {
  stories: story,
  names: namedStory,
  polynomials: exerciseText,
};

for (const what of ["stories", "names", "polynomials"] as const) {
  Deno.test(`madeUp() makes the same bytes of ${what} on every machine`, () => {
    const hash = createHash("sha256");
    for (const document of madeUp(what, 1337, 200_000)) hash.update(document);
    assert.equal(hash.digest("hex"), HASHES[what]);
  });

  Deno.test(`madeUp() makes whole documents of ${what} until there are enough bytes`, () => {
    const decoder = new TextDecoder();
    const made = [...madeUp(what, 5, 20_000)];
    assert.deepEqual(
      made.map((document) => decoder.decode(document)),
      made.map((_, i) => MAKERS[what](5, i)),
    );
    const bytes = made.reduce((sum, document) => sum + document.length, 0);
    assert.ok(bytes >= 20_000 && bytes - made.at(-1)!.length < 20_000);
  });
}

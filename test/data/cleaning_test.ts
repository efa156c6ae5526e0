/** Proves what each filter leaves out, and that what has been seen survives a kill. */

import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { Cleaner } from "../../src/data/cleaning.ts";
import { Repetition } from "../../src/data/repetition.ts";
import { Seen } from "../../src/data/seen.ts";
import { withFiles } from "../support.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const OFF = { normalize: "none", min_bytes: 0, deduplicate: false } as const;

/** By the definition: bytes in runs of 48 that stood in the text before, each byte once. */
function repetitionByHand(text: Uint8Array): number {
  const runs = new Set<string>();
  const repeated = new Set<number>();
  for (let end = 48; end <= text.length; end++) {
    const run = text.subarray(end - 48, end).join();
    if (runs.has(run)) { for (let i = end - 48; i < end; i++) repeated.add(i); }
    runs.add(run);
  }
  return text.length === 0 ? 0 : repeated.size / text.length;
}

Deno.test("Repetition is the share of bytes in runs that stood in the document before", () => {
  const repetition = new Repetition();
  const piece = fc.constantFrom(
    "a",
    "bb",
    "a sentence of more than forty-eight bytes, which may come back. ",
    "\n",
    "短い文",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = encode(pieces.join(""));
      assert.equal(repetition.of(text), repetitionByHand(text));
    }),
    { numRuns: 300 },
  );
});

Deno.test("Repetition tells running text from text that repeats, in any script", () => {
  const repetition = new Repetition();
  const running = Array.from({ length: 3000 }, (_, i) => `${i * i}`).join(" ");
  assert.ok(repetition.of(encode(running)) < 0.01);
  assert.ok(repetition.of(encode("買ってください。".repeat(400))) > 0.99);
  assert.ok(
    repetition.of(encode(`${running}${"All rights reserved, whatever that may mean today. ".repeat(500)}`)) >
      0.5,
  );
  assert.ok(repetition.of(encode("x".repeat(3_000_000))) > 0.99); // several windows
});

Deno.test("a Cleaner leaves out what is too short or repeats, and counts it", () => {
  const counts: [string, number][] = [];
  const config = { ...OFF, min_bytes: 4, max_repetition: 0.5 };
  const cleaner = new Cleaner(config, undefined, (filter, bytes) => counts.push([filter, bytes]));
  const long = "The same sentence of sixty bytes is here, again and again. ";
  assert.deepEqual(cleaner.clean(encode("four"), 0), encode("four"));
  assert.equal(cleaner.clean(encode("two"), 0), undefined);
  assert.equal(cleaner.clean(encode(long.repeat(9)), 0), undefined);
  assert.deepEqual(counts, [["too_short", 3], ["repetition", 9 * long.length]]);
});

Deno.test("a Cleaner normalizes where that is asked for, and counts what it changed", () => {
  const counts: [string, number][] = [];
  const clean = (normalize: "none" | "nfc" | "nfkc", text: string) => {
    const cleaner = new Cleaner(
      { ...OFF, normalize },
      undefined,
      (filter, bytes) => counts.push([filter, bytes]),
    );
    return new TextDecoder().decode(cleaner.clean(encode(text), 0));
  };
  const decomposed = "cafe\u0301 ﬁ";
  assert.equal(clean("none", decomposed), decomposed);
  assert.equal(clean("nfc", decomposed), "café ﬁ");
  assert.equal(clean("nfkc", decomposed), "café fi");
  assert.equal(clean("nfc", "café"), "café");
  assert.deepEqual(counts, [["normalized", 10], ["normalized", 10]]);
});

withFiles(
  "Seen takes the first of equal documents, and in later passes over its source what it took",
  (folder) => {
    using seen = new Seen(join(folder, "seen.bin"), [0, 0, 2]); // passes 0 and 1 over one source, 2 over another
    const add = (text: string, pass: number) => seen.add(encode(text), pass);
    assert.deepEqual([add("a", 0), add("b", 0), add("a", 0)], [true, true, false]);
    assert.deepEqual([add("a", 1), add("b", 1), add("a", 1)], [true, true, false]);
    assert.deepEqual([add("c", 2), add("a", 2), add("c", 2)], [true, false, false]);
  },
);

withFiles("Seen goes on from what was saved, and forgets what was not", (folder) => {
  const path = join(folder, "seen.bin");
  const texts = Array.from({ length: 20_000 }, (_, i) => encode(`document ${i}`));
  let saved: number;
  {
    using seen = new Seen(path, [0, 0]);
    for (const text of texts.slice(0, 9000)) assert.ok(seen.add(text, 0));
    saved = seen.save();
    for (const text of texts.slice(9000, 15_000)) assert.ok(seen.add(text, 0));
    seen.save();
  }
  assert.equal(saved, 9000 * 16);
  using seen = new Seen(path, [0, 0], saved);
  assert.equal(texts.filter((text) => seen.add(text, 0)).length, 11_000);
  assert.equal(texts.filter((text) => seen.add(text, 1)).length, 20_000);
});

/** Proves that a thread of its own reads what this one reads, errors included, and not far ahead. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { readInWorker } from "../../../src/data/sources/ahead.ts";
import { withFiles } from "../../support.ts";
import { BEGINNING, encode, fileAt, parquetOf, readAll, words } from "./support.ts";

withFiles("a worker sends the batches that are read here", async (folder) => {
  const texts = Array.from(words(3000), (word) => `${word} `.repeat(400));
  Deno.writeFileSync(join(folder, "a.parquet"), parquetOf(texts.slice(0, 1500)));
  const lines = texts.slice(1500).map((text) => JSON.stringify({ text })).join("\n");
  Deno.writeFileSync(join(folder, "b.jsonl.zst"), zstdCompressSync(encode(lines)));
  const files = [fileAt(join(folder, "a.parquet")), fileAt(join(folder, "b.jsonl.zst"))];
  assert.deepEqual(await readAll(files, BEGINNING, readInWorker), await readAll(files));
  const from = { file: 1, at: 0, line: 0 };
  assert.deepEqual((await readAll(files, from, readInWorker)).texts, texts.slice(1500));
});

withFiles("an error of the worker's is the user's here", async (folder) => {
  Deno.writeTextFileSync(join(folder, "a.jsonl"), '{"text":"one"}\n{"text":\n');
  await assert.rejects(readAll([fileAt(join(folder, "a.jsonl"))], BEGINNING, readInWorker), {
    name: "UserError",
    message: /^Cannot read ".*a\.jsonl" line 2: not valid JSON/,
  });
});

withFiles("a reader that stops early ends the worker", async (folder) => {
  Deno.writeTextFileSync(join(folder, "a.txt"), "block\n\n".repeat(1_000_000));
  for await (const batch of readInWorker([fileAt(join(folder, "a.txt"))], BEGINNING)) {
    assert.ok(batch.ends.length > 0);
    break;
  }
});

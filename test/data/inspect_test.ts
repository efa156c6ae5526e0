/** Proves what `inspect` shows of a set: its counts, aligned, within 80 columns, and nothing that a terminal obeys. */
import assert from "node:assert/strict";
import { inspect } from "../../src/data/inspect.ts";
import type { ShardMeta, SourceInfo } from "../../src/data/shards.ts";
import { widthOf } from "../../src/formats/columns.ts";
import { withFiles } from "../support.ts";
import { sourceInfo as source, writeByteSet } from "./byte_set.ts";

function writeSet(
  folder: string,
  train: readonly string[],
  sources: SourceInfo[],
  cleaning: ShardMeta["cleaning"] = {},
): void {
  writeByteSet(folder, { train, val: ["held out"] }, { sources, cleaning });
}

withFiles("inspect() shows counts, bytes per token by source, lengths, tokens and samples", (folder) => {
  writeSet(folder, ["the cat ", "sat on the mat ".repeat(9), "x".repeat(1000)], [
    source("/data/books/emma.txt"),
  ]);
  const lines = inspect(folder, { samples: 4, seed: 1 });
  const text = lines.join("\n");
  assert.match(text, /^1,151 bytes of text in 4 documents, as bytes, stored in 1 byte each$/m);
  assert.match(
    text,
    /^split +documents +bytes +tokens +bytes\/token +shards\ntrain +3 +1,143 +1,143 +1\.000 +1$/m,
  );
  assert.match(text, /^val +1 +8 +8 +1\.000 +1$/m);
  assert.match(text, /^books\/emma\.txt +3 +1,200 +600 +2\.000$/m);
  assert.match(text, /^Length of the documents in tokens: 8 to 1,000, on average 288 \(4 documents\)$/m);
  assert.match(text, /^ +8 to 15 {2}2 {2}█{30,}$/m);
  assert.match(text, /^ +16 to 31 {2}0$/m);
  assert.match(text, /^Tokens of the training text \(all 1,143 tokens\): 11 of 320 ids occur$/m);
  assert.match(text, /^x {2}1,000 +87\.5%$/m);
  assert.match(text, /^train, document 0, 8 tokens\n {2}the cat $/m);
  assert.ok(!text.includes("removed") && !text.includes("skipped") && !text.includes("UTF-8"));
});

withFiles("inspect() says what cleaning and damage left out", (folder) => {
  writeSet(folder, ["abc"], [source("a", { skipped: 1200, invalidUtf8: 3 }), source("b", { weight: 2 })], {
    deduplicate: { documents: 17, bytes: 6212 },
    min_bytes: { documents: 0, bytes: 0 },
  });
  const text = inspect(folder, { samples: 0, seed: 1 }).join("\n");
  assert.match(text, /^removed by deduplicate: 17 documents, 6,212 bytes$/m);
  assert.match(text, /^skipped, since they could not be read: 1,200 records$/m);
  assert.match(text, /^not UTF-8: 3 documents$/m);
  assert.match(text, /^b x 2 /m);
  assert.ok(!text.includes("min_bytes"));
});

withFiles("inspect() stays within 80 columns and prints no control characters", (folder) => {
  const wild = [
    "\x1b[31mred\x07\r\n\t",
    "語🦊".repeat(80),
    "\u202eabc\u2028\u200b",
    "e\u0301".repeat(200),
    "a".repeat(70_000),
  ];
  const sources = Array.from(
    { length: 40 },
    (_, i) => source(`/data/${"語".repeat(40)}/${"x".repeat(60)}${i}`),
  );
  writeSet(folder, wild, sources);
  const lines = inspect(folder, { samples: 6, seed: 1 });
  for (const line of lines) {
    assert.ok(widthOf(line) <= 80, `${widthOf(line)} columns: ${line}`);
    assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\u2028\u2029]/u);
  }
  const text = lines.join("\n");
  assert.ok(text.includes("\\u{1b}[31mred\\u{7}↵→"));
  assert.ok(text.includes("\\u{202e}abc\\u{2028}"));
  assert.match(text, /^and 28 more +84 /m);
});

withFiles("inspect() refuses a folder without a set", (folder) => {
  assert.throws(() => inspect(folder, { samples: 1, seed: 1 }), {
    name: "UserError",
    message:
      /^Cannot read ".*meta\.json": no such file or directory; run prepare again, with --stage and --force$/,
  });
});

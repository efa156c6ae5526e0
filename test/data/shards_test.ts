/** Proves that a shard set holds what went into it, and that no damaged one opens. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import fc from "fast-check";
import { readDocuments } from "../../src/data/documents.ts";
import { removeShardSet, SplitWriter, writeMeta } from "../../src/data/shard_writer.ts";
import { openShardSet, type ShardMeta, type SourceInfo, verifyShards } from "../../src/data/shards.ts";
import { withFiles } from "../support.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function writeSplit(
  folder: string,
  split: "train" | "val",
  documents: Iterable<Uint8Array>,
  shardBytes: number,
) {
  using writer = new SplitWriter(folder, split, shardBytes);
  for (const document of documents) writer.add(document);
  return writer.finish();
}

/** A set of two training shards and one held-out shard. */
function writeSet(folder: string): ShardMeta {
  const train = writeSplit(folder, "train", ["one", "two", "three", "four"].map(encode), 8);
  const val = writeSplit(folder, "val", [encode("five")], 8);
  const source: SourceInfo = {
    path: "numbers",
    format: "text",
    weight: 1,
    documents: 5,
    bytes: 19,
    tokens: 19,
    invalidUtf8: 0,
    skipped: 0,
    removed: {},
    fingerprint: null,
  };
  return writeMeta(folder, [source], { train, val });
}

withFiles("SplitWriter lays documents end to end and their ends into the index", (folder) => {
  const meta = writeSet(folder);
  assert.equal(Deno.readTextFileSync(join(folder, "train-00000.bin")), "onetwo");
  assert.equal(Deno.readTextFileSync(join(folder, "train-00001.bin")), "three");
  assert.equal(Deno.readTextFileSync(join(folder, "train-00002.bin")), "four");
  const index = Deno.readFileSync(join(folder, "train-00000.idx"));
  assert.deepEqual([...new BigUint64Array(index.buffer)], [3n, 6n]);
  assert.equal(meta.splits.train.shards[0]!.sha256, createHash("sha256").update("onetwo").digest("hex"));
  assert.equal(meta.splits.train.shards[0]!.indexSha256, createHash("sha256").update(index).digest("hex"));
});

withFiles("writeMeta() counts an end token for each document and one more for each shard", (folder) => {
  const { splits } = writeSet(folder);
  const { shards: _train, ...train } = splits.train;
  const { shards: _val, ...val } = splits.val;
  assert.deepEqual(train, { documents: 4, bytes: 15, tokens: 3 + 15 + 4 });
  assert.deepEqual(val, { documents: 1, bytes: 4, tokens: 1 + 4 + 1 });
});

withFiles("openShardSet() gives back what writeMeta() returned, with absolute paths", (folder) => {
  const meta = writeSet(folder);
  const set = openShardSet(folder);
  assert.deepEqual(set.meta, meta);
  assert.deepEqual(set.splits.val, [{
    file: join(folder, "val-00000.bin"),
    index: join(folder, "val-00000.idx"),
    info: meta.splits.val.shards[0],
  }]);
  assert.deepEqual(verifyShards(folder), set);
});

withFiles("readDocuments() gives back any documents, whatever the size of the shards", (folder) => {
  const document = fc.uint8Array({ minLength: 1, maxLength: 40 });
  const arbitrary = fc.tuple(
    fc.array(document, { minLength: 1, maxLength: 12 }),
    fc.integer({ min: 1, max: 60 }),
  );
  fc.assert(
    fc.property(arbitrary, ([documents, shardBytes]) => {
      removeShardSet(folder);
      const train = writeSplit(folder, "train", documents, shardBytes);
      writeMeta(folder, [], { train, val: [] });
      assert.deepEqual([...readDocuments(folder, "train")], documents);
      assert.deepEqual([...readDocuments(folder, "val")], []);
      for (const { bytes, documents } of train) assert.ok(bytes <= shardBytes || documents === 1);
    }),
    { numRuns: 20 },
  );
});

const refuses = (folder: string, message: RegExp, act: (folder: string) => unknown = openShardSet) =>
  assert.throws(() => act(folder), { name: "UserError", message });

withFiles("openShardSet() says to run prepare again when meta.json is missing", (folder) => {
  writeSet(folder);
  Deno.removeSync(join(folder, "meta.json"));
  refuses(
    folder,
    /^Cannot read ".*meta\.json": no such file or directory; run prepare again, with --stage and --force$/,
  );
});

withFiles("openShardSet() names a shard that is cut short, with both sizes", (folder) => {
  writeSet(folder);
  Deno.truncateSync(join(folder, "train-00001.bin"), 2);
  refuses(
    folder,
    /train-00001\.bin": it is cut short, expected 5 bytes, found 2; run prepare again, with --stage and --force$/,
  );
});

withFiles("openShardSet() names an index that is too long, and a shard that is missing", (folder) => {
  writeSet(folder);
  Deno.writeFileSync(join(folder, "val-00000.idx"), new Uint8Array(16));
  refuses(folder, /val-00000\.idx": it is too long, expected 8 bytes, found 16/);
  Deno.removeSync(join(folder, "val-00000.bin"));
  refuses(folder, /^Cannot read ".*val-00000\.bin": no such file or directory/);
});

withFiles("verifyShards() names an altered file with the checksum expected and the one found", (folder) => {
  const { splits } = writeSet(folder);
  const [shard] = splits.train.shards;
  const found = createHash("sha256").update("onetwO").digest("hex");
  Deno.writeTextFileSync(join(folder, "train-00000.bin"), "onetwO");
  openShardSet(folder);
  const message = new RegExp(
    `train-00000\\.bin": it was altered, expected SHA-256 ${shard!.sha256}, found ${found}`,
  );
  refuses(folder, message, verifyShards);
});

withFiles("verifyShards() notices any altered byte of an index", (folder) => {
  writeSet(folder);
  const path = join(folder, "train-00000.idx");
  const bytes = Deno.readFileSync(path);
  bytes[8]! ^= 1;
  Deno.writeFileSync(path, bytes);
  refuses(folder, /train-00000\.idx": it was altered/, verifyShards);
});

withFiles("openShardSet() names the key of meta.json that is wrong", (folder) => {
  const meta = writeSet(folder);
  const path = join(folder, "meta.json");
  const altered = (change: (meta: Record<string, unknown>) => void, message: RegExp) => {
    const copy = structuredClone(meta) as unknown as Record<string, unknown>;
    change(copy);
    Deno.writeTextFileSync(path, JSON.stringify(copy));
    refuses(folder, message);
  };
  // deno-lint-ignore no-explicit-any
  const train = (meta: any) => meta.splits.train;
  altered((meta) => meta.version = 1, /meta\.json": version: .*; run prepare again/);
  altered((meta) => meta.more = 1, /meta\.json": .*more/);
  altered((meta) => train(meta).shards[0].file = "../train-00000.bin", /splits\.train\.shards\.0\.file/);
  altered((meta) => train(meta).tokens++, /splits\.train is not the sum of its shards/);
  Deno.writeTextFileSync(path, "{");
  refuses(folder, /meta\.json": not valid JSON \(.*\); run prepare again, with --stage and --force$/);
});

withFiles("SplitWriter leaves no half-written shard when it is given up", (folder) => {
  {
    using writer = new SplitWriter(folder, "train", 4);
    writer.add(encode("whole"));
    writer.add(encode("half"));
  }
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
    "train-00000.bin",
    "train-00000.idx",
  ]);
});

withFiles("removeShardSet() leaves the stage's other files alone", (folder) => {
  writeSet(folder);
  for (const name of ["stage.json", "log.txt", "train-00009.bin.partial"]) {
    Deno.writeTextFileSync(join(folder, name), "");
  }
  removeShardSet(folder);
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["log.txt", "stage.json"]);
});

/** Proves that an index gives every document's place, also far into a large shard, and that a wrong one is refused. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DocumentIndex } from "../../src/data/document_index.ts";
import { inspect } from "../../src/data/inspect.ts";
import { openShardSet, type ShardInfo } from "../../src/data/shards.ts";
import { withFiles } from "../support.ts";
import { writeByteSet } from "./byte_set.ts";

/** An index of these ends, of a shard that has so many tokens of text. */
function indexOf(folder: string, ends: readonly bigint[], tokens: number): DocumentIndex {
  const index = join(folder, "train-00000.idx");
  Deno.writeFileSync(index, new Uint8Array(BigUint64Array.from(ends).buffer));
  const info = { documents: ends.length, tokens: 1 + tokens + ends.length } as ShardInfo;
  return new DocumentIndex({ file: "", index, info });
}

withFiles("an index knows where documents begin and end, beyond 2^32 tokens too", (folder) => {
  const index = indexOf(folder, [3n, 2n ** 32n + 7n, 2n ** 40n], 2 ** 40);
  assert.equal(index.documents, 3);
  assert.deepEqual([0, 1, 2].map((row) => [index.start(row), index.end(row)]), [
    [0, 3],
    [3, 2 ** 32 + 7],
    [2 ** 32 + 7, 2 ** 40],
  ]);
});

withFiles("an index that goes back, or ends elsewhere than its shard, is refused by name", (folder) => {
  const refuses = (ends: readonly bigint[], tokens: number, message: RegExp) =>
    assert.throws(() => indexOf(folder, ends, tokens), { name: "UserError", message });
  refuses(
    [5n, 4n],
    4,
    /^Cannot use ".*train-00000\.idx": it goes back at document 1; run prepare again, with --stage and --force$/,
  );
  refuses([3n, 2n ** 63n, 9n], 9, /it goes back at document 2/);
  refuses(
    [3n, 8n],
    9,
    /it ends at token 8, and its shard at 9; run prepare again, with --stage and --force$/,
  );
});

withFiles("inspect() refuses a set with an altered index", (folder) => {
  writeByteSet(folder, { train: ["one", "two", "three"], val: ["four"] });
  const path = join(folder, "train-00000.idx");
  Deno.writeFileSync(path, Deno.readFileSync(path).fill(255, 8, 16));
  openShardSet(folder); // whose size is right
  assert.throws(() => inspect(folder, { samples: 1, seed: 0 }), {
    name: "UserError",
    message: /train-00000\.idx": it goes back at document 2; run prepare again, with --stage and --force$/,
  });
});

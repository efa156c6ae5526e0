/** Which files of a data set are fetched: by the card, by names, by globs; and what is said where there are none. */

import assert from "node:assert/strict";
import { chooseFiles } from "../../src/fetch/choose.ts";
import type { Configuration, Listing } from "../../src/fetch/hub.ts";
import { UserError } from "../../src/stage/errors.ts";

type Wanted = Partial<{ config: string; split: string; include: string[] }>;

function chosen(
  paths: readonly string[],
  configurations: readonly Configuration[],
  wanted: Wanted,
): string[] {
  const listing: Listing = {
    commit: "0",
    licence: undefined,
    configurations,
    files: paths.map((path) => ({ path, bytes: 1, hash: { gitBlob: "0" } })),
  };
  return chooseFiles(listing, { dataset: "o/d", ...wanted }).map(({ path }) => path);
}

function refusal(paths: readonly string[], configurations: readonly Configuration[], wanted: Wanted): string {
  try {
    chosen(paths, configurations, wanted);
  } catch (error) {
    assert(error instanceof UserError);
    return error.message;
  }
  assert.fail("files were chosen");
}

/** As the hub converts what was uploaded without a list. */
const PLAIN = [
  "README.md",
  ".gitattributes",
  "dataset_infos.json",
  "data/train-00000-of-00002.parquet",
  "data/train-00001-of-00002.parquet",
  "data/validation-00000-of-00001.parquet",
  "data/test-00000-of-00001.parquet",
];

Deno.test("without a card's list, all files that prepare reads are chosen, or those named for a split", () => {
  assert.deepEqual(chosen(PLAIN, [], {}), PLAIN.slice(3).sort());
  assert.deepEqual(chosen(PLAIN, [], { split: "train" }), PLAIN.slice(3, 5));
  assert.deepEqual(chosen(PLAIN, [], { split: "val" }), [PLAIN[5]]);
  // A word of its own: not the `train` in `trained`, nor the `test` in `latest`.
  const names = ["trained.jsonl", "latest/a.jsonl", "en.train.jsonl.gz", "test/a.txt.zst", "dev_0.jsonl"];
  assert.deepEqual(chosen(names, [], { split: "train" }), ["en.train.jsonl.gz"]);
  assert.deepEqual(chosen(names, [], { split: "test" }), ["test/a.txt.zst"]);
  assert.deepEqual(chosen(names, [], { split: "validation" }), ["dev_0.jsonl"]);
  assert.match(
    refusal(names, [], { split: "extra" }),
    /^o\/d has no files that are named for the split "extra"; its files are dev_0/,
  );
});

Deno.test("without a card's list, a configuration is a folder", () => {
  const names = ["en/a.parquet", "de/a.parquet", "de/b.parquet"];
  assert.deepEqual(chosen(names, [], { config: "de" }), ["de/a.parquet", "de/b.parquet"]);
  assert.match(
    refusal(names, [], { config: "fr" }),
    /^o\/d has no configuration "fr"; its files are de\/a\.parquet, /,
  );
});

/** As FineWeb and WikiText list theirs. */
const CARD: Configuration[] = [
  { name: "default", files: [{ split: "train", globs: ["data/*/*"] }] },
  { name: "sample-10BT", files: [{ split: "train", globs: ["sample/10BT/*"] }] },
  {
    name: "wikitext-2-raw-v1",
    files: [
      { split: "test", globs: ["wikitext-2-raw-v1/test-*"] },
      { split: "train", globs: ["wikitext-2-raw-v1/train-*"] },
      { split: "validation", globs: ["wikitext-2-raw-v1/validation-*"] },
    ],
  },
];
const CARDED = [
  "data/CC-1/000.parquet",
  "sample/10BT/000.parquet",
  "sample/100BT/000.parquet",
  "wikitext-2-raw-v1/test-0.parquet",
  "wikitext-2-raw-v1/train-0.parquet",
  "wikitext-2-raw-v1/validation-0.parquet",
];

Deno.test("a card's list says which files are a configuration and a split", () => {
  assert.deepEqual(chosen(CARDED, CARD, { config: "sample-10BT" }), ["sample/10BT/000.parquet"]);
  assert.deepEqual(chosen(CARDED, CARD, { config: "wikitext-2-raw-v1", split: "val" }), [
    "wikitext-2-raw-v1/validation-0.parquet",
  ]);
  assert.deepEqual(chosen(CARDED, CARD, {}), CARDED.filter((path) => !path.includes("100BT")));
  assert.deepEqual(chosen(CARDED, CARD, { split: "test" }), ["wikitext-2-raw-v1/test-0.parquet"]);
  assert.match(
    refusal(CARDED, CARD, { config: "sample-10BT", split: "test" }),
    /^o\/d has no split "test": there is train; its files are /,
  );
  assert.match(
    refusal(CARDED, CARD, { config: "sample-10B" }),
    /^o\/d has no configuration "sample-10B": there is default, sample-10BT, wikitext-2-raw-v1: did you mean "sample-10BT"\?; its files/,
  );
});

Deno.test("a card may name single files, folders, or files without splits", () => {
  const list = (
    globs: string[],
  ): Configuration[] => [{ name: "default", files: [{ split: undefined, globs }] }];
  assert.deepEqual(chosen(PLAIN, list(["data/train-00000-of-00002.parquet"]), {}), [PLAIN[3]]);
  assert.deepEqual(chosen(PLAIN, list(["./data"]), { split: "test" }), [PLAIN[6]]);
  assert.deepEqual(chosen(PLAIN, list(["**/*.parquet"]), {}).length, 4);
});

Deno.test("include takes files of any kind, and says which there are where none matches", () => {
  assert.deepEqual(chosen(PLAIN, CARD, { include: ["*.md", "data/t*-00000-*"] }), [
    "README.md",
    "data/test-00000-of-00001.parquet",
    "data/train-00000-of-00002.parquet",
  ]);
  assert.equal(
    refusal(["a.bin", "b.bin"], [], { include: ["*.txt"] }),
    "o/d has no file that matches *.txt; its files are a.bin, b.bin: name some with --include",
  );
  assert.equal(
    refusal(["a.bin"], [], {}),
    "o/d has no Parquet, JSON Lines or text files; its files are a.bin: name some with --include",
  );
  const many = Array.from({ length: 11 }, (_, i) => `${i}.bin`);
  assert.match(refusal(many, [], {}), /6\.bin and 3 more: name some|and 3 more: name some/);
});

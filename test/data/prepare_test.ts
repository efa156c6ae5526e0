/** Proves the prepare stage end to end: what becomes of files, and that nothing half-made looks whole. */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { PrepareConfig } from "../../src/config/schema.ts";
import { run } from "../../src/data/prepare.ts";
import { sha256OfFile } from "../../src/formats/atomic.ts";
import { readDocuments } from "../../src/data/documents.ts";
import { openShardSet, verifyShards } from "../../src/data/shards.ts";
import { madeUp } from "../../src/data/made_up.ts";
import { Interrupted } from "../../src/stage/errors.ts";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { sourcesOf } from "../../src/config/schema/prepare.ts";
import { withFiles } from "../support.ts";
import { encode, parquetOf } from "./sources/support.ts";

const DEFAULTS: PrepareConfig = {
  id: "text",
  run: "prepare",
  needs: [],
  input: "stories",
  bytes: 100_000,
  document: "file",
  tokenizer: "bytes",
  cleaning: { normalize: "none", min_bytes: 0, deduplicate: false },
  on_error: "stop",
  validation: 0.1,
  shard_bytes: 30_000,
  seed: 1337,
};

/** Runs the stage into `<folder>/out`; returns that folder and the lines of its log. */
async function prepare(folder: string, config: Partial<PrepareConfig>, stop = new AbortController().signal) {
  const out = join(folder, "out");
  Deno.mkdirSync(out, { recursive: true });
  const log: string[] = [];
  await run({ ...DEFAULTS, ...config }, {
    id: "text",
    folder: out,
    needs: [],
    interactive: false,
    stop,
    log: (line) => log.push(line),
    progress: () => {},
  });
  return { out, log };
}

/** Writes `<folder>/in/<name>` for each name; returns `<folder>/in`. */
function inputs(folder: string, files: Record<string, string | Uint8Array>): string {
  const input = join(folder, "in");
  Deno.mkdirSync(input, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    Deno.writeFileSync(join(input, name), bytes);
  }
  return input;
}

/** SHA-256 of every file of a set. */
const contentsOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    [...Deno.readDirSync(folder)].map(({ name }) => [name, sha256OfFile(join(folder, name))] as const)
      .sort(([a], [b]) => a < b ? -1 : 1),
  );

const texts = (folder: string, split: "train" | "val" | "test") =>
  Array.from(readDocuments(folder, split), (document) => new TextDecoder().decode(document));

withFiles("run() makes shards of the stories: all of them, about a tenth held out", async (folder) => {
  const { out, log } = await prepare(folder, {});
  const { meta } = verifyShards(out);
  const made = Array.from(madeUp("stories", 1337, 100_000), (document) => new TextDecoder().decode(document));
  const [train, val] = [texts(out, "train"), texts(out, "val")];
  assert.equal(train.length + val.length, made.length);
  assert.deepEqual([...train, ...val].sort(), [...made].sort());
  assert.ok(Math.abs(val.length - made.length / 10) < 5 * Math.sqrt(made.length / 10));
  assert.ok(meta.splits.train.shards.length >= 3);
  assert.deepEqual(meta.sources.map(({ path, documents }) => ({ path, documents })), [
    { path: "stories", documents: made.length },
  ]);
  assert.match(
    log.at(-1)!,
    /^train: 0\.(08|09|10) MB in \d+ documents; held out: 0\.0\d MB in \d+ documents; from 1 source$/,
  );
});

withFiles("run() makes shards of names and of polynomials", async (folder) => {
  for (const input of ["names", "polynomials"] as const) {
    const { out } = await prepare(folder, { input, bytes: 20_000 });
    const made = Array.from(madeUp(input, 1337, 20_000), (document) => new TextDecoder().decode(document));
    assert.deepEqual([...texts(out, "train"), ...texts(out, "val")].sort(), made.sort());
    const [source] = verifyShards(out).meta.sources;
    assert.deepEqual([source!.path, source!.format, source!.fingerprint], [input, input, null]);
  }
});

withFiles("run() makes the same bytes for the same seed and holds out others for another", async (folder) => {
  const hashes = async (seed: number) => {
    const { out } = await prepare(folder, { seed });
    return JSON.stringify(openShardSet(out).meta.splits);
  };
  const first = await hashes(1);
  assert.equal(await hashes(1), first);
  assert.notEqual(await hashes(2), first);
});

withFiles("run() makes each file a document, sorted, and drops empty ones", async (folder) => {
  const input = inputs(folder, { "b.txt": "bee\n", "a.txt": "a\n\nb", "empty.txt": "", "c.txt": "sea" });
  const { out } = await prepare(folder, { input: [input], validation: [join(input, "c.txt")] });
  assert.deepEqual(texts(out, "train"), ["a\n\nb", "bee\n"]);
  assert.deepEqual(texts(out, "val"), ["sea"]);
  assert.deepEqual(
    verifyShards(out).meta.sources.map((
      { path, bytes, documents },
    ) => [path.slice(input.length), bytes, documents]),
    [["/c.txt", 3, 1], ["/a.txt", 4, 1], ["/b.txt", 4, 1], ["/empty.txt", 0, 0]],
  );
});

withFiles("run() holds out a file whatever its name in input and in validation", async (folder) => {
  const input = inputs(folder, { "a.txt": "ay", "b.txt": "bee", "c.txt": "sea" });
  const realPathSync = Deno.realPathSync;
  // Making links needs unscoped permissions, so c.txt is said to be one to b.txt.
  Deno.realPathSync = (path) => realPathSync(String(path).replace("c.txt", "b.txt"));
  try {
    const { out } = await prepare(folder, { input: [input], validation: [`${input}/../in/./b.txt`] });
    assert.deepEqual(texts(out, "train"), ["ay"]);
    assert.deepEqual(texts(out, "val"), ["bee"]);
  } finally {
    Deno.realPathSync = realPathSync;
  }
});

withFiles("run() makes each block between blank lines a document", async (folder) => {
  const input = inputs(folder, { "a.txt": "one\n\ntwo\nlines\n\n\nthree", "b.txt": "four\n" });
  const validation = [join(inputs(folder, { "held.out": "five\n\nsix" }), "held.out")];
  const { out } = await prepare(folder, {
    input: [join(input, "*.txt")],
    validation,
    document: "blank_line",
  });
  assert.deepEqual(texts(out, "train"), ["one", "two\nlines", "three", "four"]);
  assert.deepEqual(texts(out, "val"), ["five", "six"]);
});

withFiles("run() holds out one document even where the share is less than one", async (folder) => {
  const input = inputs(folder, { "a.txt": "one\n\ntwo" });
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    for (const validation of [0.01, 0.5, 0.99]) {
      const { out } = await prepare(folder, { input: [input], document: "blank_line", validation, seed });
      assert.equal(texts(out, "val").length, 1);
      assert.equal(texts(out, "train").length, 1);
    }
  }
});

withFiles("run() keeps bytes that are not UTF-8 and says so once a file", async (folder) => {
  const latin = Uint8Array.of(0x63, 0x61, 0x66, 0xe9, 10, 10, 0xe9, 10, 10, 0xe9);
  const input = inputs(folder, { "latin.txt": latin, "utf8.txt": "café" });
  const { out, log } = await prepare(folder, { input: [input], document: "blank_line", validation: 0.3 });
  assert.deepEqual(log.slice(0, -1), [`"${input}/latin.txt" is not UTF-8: its bytes are kept as they are`]);
  assert.deepEqual(verifyShards(out).meta.sources.map(({ invalidUtf8 }) => invalidUtf8), [3, 0]);
  const documents = [...readDocuments(out, "train"), ...readDocuments(out, "val")].map((
    document,
  ) => [...document]);
  assert.deepEqual(documents.filter((document) => document.length === 1), [[0xe9], [0xe9]]);
});

const REFUSED: readonly [
  what: string,
  files: Record<string, string>,
  config: (input: string) => Partial<PrepareConfig>,
  message: (input: string) => string,
][] = [
  [
    "an empty folder",
    {},
    (input) => ({ input: [input] }),
    (input) => `No files in the folder "${input}"`,
  ],
  [
    "files without text",
    { "a.txt": "", "b.txt": "" },
    (input) => ({ input: [input] }),
    (input) => `No text in "${input}": all files are empty`,
  ],
  [
    "one file as one document",
    { "a.txt": "a\n\nb" },
    (input) => ({ input: [input] }),
    (input) =>
      `Only one document in "${input}", and one has to be held out: ` +
      "set document: blank_line, or name files to hold out in validation",
  ],
  [
    "one block",
    { "a.txt": "a" },
    (input) => ({ input: [input], document: "blank_line" }),
    (input) =>
      `Only one document in "${input}", and one has to be held out: ` +
      "give more text, or name files to hold out in validation",
  ],
  [
    "equal documents",
    { "a.txt": "a", "b.txt": "a" },
    (input) => ({ input: [input], document: "blank_line" }),
    (input) =>
      `Only 2 documents, too few different ones, in "${input}", and one has to be held out: ` +
      "give more text, or name files to hold out in validation",
  ],
  [
    "fewer documents than are to be held out",
    { "a.txt": "a\n\nb\n\nc" },
    (input) => ({ input: [input], document: "blank_line", validation: 2, test: 1 }),
    (input) =>
      `Only 3 documents in "${input}", and 2 + 1 different ones have to be held out: ask for fewer, or give more text`,
  ],
  [
    "text of which nothing is left",
    { "a.txt": "a\n\nb" },
    (input) => ({
      input: [input],
      document: "blank_line",
      cleaning: { ...DEFAULTS.cleaning, min_bytes: 9 },
    }),
    (input) => `No text in "${input}": everything was left out (2 too_short)`,
  ],
  [
    "all files held out",
    { "a.txt": "a" },
    (input) => ({ input: [input], validation: [join(input, "*.txt")] }),
    () => "validation names every file of input: nothing is left to train on; leave some out",
  ],
  [
    "held-out files without text",
    { "a.txt": "a", "b.txt": "" },
    (input) => ({ input: [input], validation: [join(input, "b.txt")] }),
    (input) => `No text in the files that validation names: ${input}/b.txt`,
  ],
  [
    "no text but in held-out files",
    { "a.txt": "a", "b.txt": "" },
    (input) => ({ input: [input], validation: [join(input, "a.txt")] }),
    (input) => `No text in "${input}" but for the files that validation names`,
  ],
  [
    "held-out files that do not exist",
    { "a.txt": "a" },
    (input) => ({ input: [input], validation: [join(input, "none.txt")] }),
    (input) => `Cannot read "${input}/none.txt": there is no such file or folder`,
  ],
];

for (const [what, files, config, message] of REFUSED) {
  withFiles(`run() refuses ${what} and leaves no shards`, async (folder) => {
    const input = inputs(folder, files);
    await assert.rejects(prepare(folder, config(input)), { name: "UserError", message: message(input) });
    assert.deepEqual([...Deno.readDirSync(join(folder, "out"))], []);
  });
}

withFiles("run() stops between two documents and goes on there, to the same bytes", async (folder) => {
  const config = { bytes: 3_000_000, shard_bytes: 300_000 };
  const whole = join(folder, "whole");
  Deno.mkdirSync(whole);
  const expected = contentsOf((await prepare(whole, config)).out);
  for (let stops = 0; stops < 2; stops++) {
    const stop = new AbortController();
    const stopping = prepare(folder, config, stop.signal);
    stop.abort(); // at the end of the first batch
    await assert.rejects(stopping, Interrupted);
    assert.ok([...Deno.readDirSync(join(folder, "out"))].every(({ name }) => name !== "meta.json"));
  }
  await prepare(folder, config);
  assert.deepEqual(contentsOf(join(folder, "out")), expected);
});

withFiles("run() ends a set anew that was killed in its last steps", async (folder) => {
  const config = { bytes: 3_000_000, shard_bytes: 300_000 };
  const stop = new AbortController();
  stop.abort();
  await assert.rejects(prepare(folder, config, stop.signal), Interrupted);
  const progress = Deno.readTextFileSync(join(folder, "out/progress.json"));
  const { out } = await prepare(folder, config);
  const expected = contentsOf(out);
  Deno.writeTextFileSync(join(out, "progress.json"), progress); // as if it were still there
  const { log } = await prepare(folder, config);
  assert.match(log[0]!, /^going on/);
  assert.deepEqual(contentsOf(out), expected);
});

withFiles("run() starts over where config or files have changed", async (folder) => {
  const input = inputs(folder, { "a.txt": "one\n\ntwo\n\nthree" });
  const config = { input: [input], document: "blank_line" as const, validation: 1 };
  const stop = new AbortController();
  stop.abort();
  await assert.rejects(prepare(folder, config, stop.signal), Interrupted);
  Deno.writeTextFileSync(join(input, "a.txt"), "four\n\nfive");
  const { out, log } = await prepare(folder, config);
  assert.ok(!log.some((line) => line.startsWith("going on")));
  assert.deepEqual([...texts(out, "train"), ...texts(out, "val")].sort(), ["five", "four"]);
});

withFiles("run() says that the disk is full, and goes on when it is not", async (folder) => {
  const config = { bytes: 5_000_000, shard_bytes: 500_000 };
  const whole = join(folder, "whole");
  Deno.mkdirSync(whole);
  const expected = contentsOf((await prepare(whole, config)).out);
  const original = Deno.FsFile.prototype.writeSync;
  for (const room of [0, 12]) { // before a shard is whole, and after
    let writes = 0;
    Deno.FsFile.prototype.writeSync = function (bytes) {
      if (++writes > room) throw new Error("No space left on device (os error 28)");
      return original.call(this, bytes);
    };
    try {
      await assert.rejects(prepare(folder, config), {
        name: "UserError",
        message: /^Cannot write ".*\.(bin|idx|json)": no space left on device; free some space/,
      });
    } finally {
      Deno.FsFile.prototype.writeSync = original;
    }
    const left = [...Deno.readDirSync(join(folder, "out"))].map(({ name }) => name);
    assert.equal(left.includes("progress.json"), room > 0, left.join());
    if (room === 0) assert.deepEqual(left, []);
  }
  const { out, log } = await prepare(folder, config);
  assert.match(log[0]!, /^going on behind \d\.\d\d MB of text that are prepared$/);
  assert.deepEqual(contentsOf(out), expected);
});

withFiles("run() replaces the set of an earlier run, its further shards included", async (folder) => {
  await prepare(folder, { bytes: 200_000 });
  const { out } = await prepare(folder, { bytes: 40_000, shard_bytes: 1_000_000 });
  assert.deepEqual([...Deno.readDirSync(out)].map(({ name }) => name).sort(), [
    "meta.json",
    "statistics.json",
    "train-00000.bin",
    "train-00000.idx",
    "val-00000.bin",
    "val-00000.idx",
  ]);
  verifyShards(out);
});

/** A small corpus in three formats: 40 documents in each. */
function mixture(folder: string): { input: string; all: Record<string, string[]> } {
  const made = (name: string) => Array.from({ length: 40 }, (_, i) => `${name} ${i}: ${"word ".repeat(i)}`);
  const all = { jsonl: made("jsonl"), parquet: made("parquet"), text: made("text") };
  const input = inputs(folder, {
    "a.jsonl.zst": zstdCompressSync(encode(all.jsonl.map((text) => JSON.stringify({ text })).join("\n"))),
    "b.parquet": parquetOf(all.parquet, { name: "content", rowGroupSize: 16 }),
    "c.txt.gz": gzipSync(encode(all.text.join("\n\n"))),
  });
  return { input, all };
}

withFiles("run() takes each source as often as its weight says, copies to the same split", async (folder) => {
  const { input, all } = mixture(folder);
  const source = (name: string, weight: number, more = {}) => ({
    ...sourcesOf([join(input, name)])[0]!,
    weight,
    document: "blank_line" as const,
    ...more,
  });
  const { out } = await prepare(folder, {
    input: [
      source("a.jsonl.zst", 2.5),
      source("b.parquet", 0.25, { column: "content" }),
      source("c.txt.gz", 1),
    ],
    validation: 0.2,
    test: 5,
  });
  const { meta } = verifyShards(out);
  assert.deepEqual(meta.sources.map(({ format, weight, documents }) => [format, weight, documents]), [
    ["jsonl.zstd", 2.5, 100],
    ["parquet", 0.25, 10],
    ["text.gzip", 1, 40],
  ]);
  const found = (["train", "val", "test"] as const).map((split) => texts(out, split));
  assert.deepEqual(
    found.map((texts) => texts.length),
    (["train", "val", "test"] as const).map((split) => meta.splits[split]!.documents),
  );
  assert.equal(new Set(found[2]).size, 5);
  const places = new Map<string, Set<number>>();
  for (const [split, texts] of found.entries()) {
    for (const text of texts) places.set(text, (places.get(text) ?? new Set()).add(split));
  }
  assert.ok([...places.values()].every((splits) => splits.size === 1), "a document is in two splits");
  const times = (text: string) => found.flat().filter((one) => one === text).length;
  assert.deepEqual([...new Set(all.jsonl!.map(times))].sort(), [2, 3]);
  assert.deepEqual(all.text!.map(times), all.text!.map(() => 1));
});

withFiles("run() cleans, and counts what it left out by source and by filter", async (folder) => {
  const input = inputs(folder, {
    "a.txt": `one\n\ntwo\n\none\n\nx\n\n${"again and again, the same words. ".repeat(20)}`,
    "b.txt": "two\n\nthree\n\ncafe\u0301",
  });
  const { out, log } = await prepare(folder, {
    input: sourcesOf([join(input, "a.txt"), join(input, "b.txt")]).map((source) => ({
      ...source,
      weight: 2,
    })),
    document: "blank_line",
    cleaning: { normalize: "nfc", min_bytes: 2, max_repetition: 0.5, deduplicate: true },
    validation: 1,
  });
  const { meta } = verifyShards(out);
  const all = [...texts(out, "train"), ...texts(out, "val")].sort();
  assert.deepEqual(all, ["café", "café", "one", "one", "three", "three", "two", "two"]); // twice each, for the weight
  assert.deepEqual(meta.sources.map(({ documents, removed }) => [documents, removed]), [
    [4, { duplicate: 2, too_short: 2, repetition: 2 }],
    [4, { duplicate: 2, normalized: 2 }],
  ]);
  assert.deepEqual(meta.cleaning.too_short, { documents: 2, bytes: 2 });
  assert.deepEqual(meta.cleaning.duplicate, { documents: 4, bytes: 12 });
  assert.match(log.at(-1)!, /4 duplicate/);
});

withFiles("run() leaves duplicates of held-out files out of the training text", async (folder) => {
  const input = inputs(folder, { "a.txt": "one\n\ntwo\n\nthree", "z.txt": "three\n\nfour" });
  const { out } = await prepare(folder, {
    input: [input],
    document: "blank_line",
    validation: [join(input, "z.txt")],
    cleaning: { ...DEFAULTS.cleaning, deduplicate: true },
  });
  assert.deepEqual([texts(out, "train"), texts(out, "val")], [["one", "two"], ["three", "four"]]);
});

withFiles("run() takes a file that several sources name once, as the first of them says", async (folder) => {
  const input = inputs(folder, { "a.txt": "one\n\ntwo", "b.txt": "three\n\nfour" });
  const { out } = await prepare(folder, {
    input: [
      { ...sourcesOf([join(input, "b.txt")])[0]!, document: "blank_line" },
      input,
      join(input, "*.txt"),
    ],
    validation: 1,
  });
  assert.deepEqual([...texts(out, "train"), ...texts(out, "val")].sort(), ["four", "one\n\ntwo", "three"]);
});

withFiles("run() reads folders of code with include and exclude", async (folder) => {
  const input = inputs(folder, { "a.ts": "a", "b.py": "b", "c.md": "c" });
  Deno.mkdirSync(join(input, "src/vendor"), { recursive: true });
  Deno.writeTextFileSync(join(input, "src/d.ts"), "d");
  Deno.writeTextFileSync(join(input, "src/vendor/e.ts"), "e");
  const source = { ...sourcesOf([input])[0]!, include: ["*.ts", "*.md"], exclude: ["vendor", "/none/**"] };
  const { out } = await prepare(folder, { input: [source], validation: 1 });
  assert.deepEqual([...texts(out, "train"), ...texts(out, "val")].sort(), ["a", "c", "d"]);
  await assert.rejects(prepare(folder, { input: [{ ...source, include: ["*.rs"] }] }), {
    message: `No files in the folder "${input}" that include and exclude leave`,
  });
});

withFiles("run() stops at a bad record, or skips and counts it", async (folder) => {
  const input = inputs(folder, { "a.jsonl": '{"text":"one"}\n{"text":3}\n{"text":"two"}\n' });
  await assert.rejects(prepare(folder, { input: [input] }), {
    message:
      `Cannot read "${input}/a.jsonl" line 2: "text" is a number, not text; set on_error: skip to leave out such records`,
  });
  assert.deepEqual([...Deno.readDirSync(join(folder, "out"))], []);
  const { out, log } = await prepare(folder, { input: [input], on_error: "skip" });
  assert.deepEqual(openShardSet(out).meta.sources.map(({ documents, skipped }) => [documents, skipped]), [[
    2,
    1,
  ]]);
  assert.deepEqual(log.slice(0, 1), [`"${input}/a.jsonl" line 2: "text" is a number, not text; skipped`]);
  assert.match(log.at(-1)!, /; 1 damaged$/);
});

withFiles("run() names a format that it does not read", async (folder) => {
  const input = inputs(folder, { "a.txt.xz": "a" });
  await assert.rejects(prepare(folder, { input: [input] }), {
    message: `Cannot read "${input}/a.txt.xz": .xz is not supported; unpack it, or exclude it`,
  });
});

/** Proves the prepare stage end to end: what becomes of files, and that nothing half-made looks whole. */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { PrepareConfig } from "../../src/config/schema.ts";
import { run } from "../../src/data/prepare.ts";
import { openShardSet, readDocuments, verifyShards } from "../../src/data/shards.ts";
import { stories } from "../../src/data/stories.ts";
import { Interrupted } from "../../src/stage/errors.ts";
import { withFiles } from "../support.ts";

const DEFAULTS: PrepareConfig = {
  id: "text",
  run: "prepare",
  needs: [],
  input: "stories",
  bytes: 100_000,
  document: "file",
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

const texts = (folder: string, split: "train" | "val") =>
  Array.from(readDocuments(folder, split), (document) => new TextDecoder().decode(document));

withFiles("run() makes shards of the stories: all of them, in order, a tenth held out", async (folder) => {
  const { out, log } = await prepare(folder, {});
  const { meta } = verifyShards(out);
  const made = Array.from(stories(1337, 100_000), (document) => new TextDecoder().decode(document));
  const [train, val] = [texts(out, "train"), texts(out, "val")];
  assert.equal(train.length + val.length, made.length);
  assert.deepEqual(made.filter((text) => !val.includes(text)), train);
  assert.deepEqual(made.filter((text) => val.includes(text)), val);
  assert.ok(Math.abs(val.length - made.length / 10) <= 1);
  assert.ok(meta.splits.train.shards.length >= 3);
  assert.deepEqual(meta.sources.map(({ path, documents }) => ({ path, documents })), [
    { path: "stories", documents: made.length },
  ]);
  assert.match(
    log.at(-1)!,
    /^train: 0\.09 MB in \d+ documents; held out: 0\.01 MB in \d documents; from 1 source$/,
  );
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
    [["/a.txt", 4, 1], ["/b.txt", 4, 1], ["/empty.txt", 0, 0], ["/c.txt", 3, 1]],
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
  assert.deepEqual(verifyShards(out).meta.sources.map(({ invalidUtf8 }) => invalidUtf8), [true, false]);
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

withFiles(
  "run() stops between two documents and leaves no shards, the earlier ones included",
  async (folder) => {
    await prepare(folder, {});
    const stop = new AbortController();
    const stopping = prepare(folder, { bytes: 20_000_000, shard_bytes: 1_000_000 }, stop.signal);
    stop.abort();
    await assert.rejects(stopping, Interrupted);
    assert.deepEqual([...Deno.readDirSync(join(folder, "out"))], []);
  },
);

withFiles("run() cleans up when the disk is full", async (folder) => {
  const original = Deno.FsFile.prototype.writeSync;
  let writes = 0;
  Deno.FsFile.prototype.writeSync = function (bytes) {
    if (++writes > 3) throw new Error("No space left on device (os error 28)");
    return original.call(this, bytes);
  };
  try {
    await assert.rejects(prepare(folder, { bytes: 200_000 }), {
      name: "UserError",
      message: /^Cannot write ".*\.(bin|idx)": no space left on device; free some space/,
    });
  } finally {
    Deno.FsFile.prototype.writeSync = original;
  }
  assert.deepEqual([...Deno.readDirSync(join(folder, "out"))], []);
});

withFiles("run() replaces the set of an earlier run, its further shards included", async (folder) => {
  await prepare(folder, { bytes: 200_000 });
  const { out } = await prepare(folder, { bytes: 40_000, shard_bytes: 1_000_000 });
  assert.deepEqual([...Deno.readDirSync(out)].map(({ name }) => name).sort(), [
    "meta.json",
    "train-00000.bin",
    "train-00000.idx",
    "val-00000.bin",
    "val-00000.idx",
  ]);
  verifyShards(out);
});

/** Proves where one document of a text file ends and the next begins, and that compression changes nothing. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { BlockCutter } from "../../../src/data/sources/blocks.ts";
import { readFiles } from "../../../src/data/sources/read.ts";
import { withFiles } from "../../support.ts";
import { encode, fileAt, readAll, textsOf } from "./support.ts";

const BLOCKS: readonly [what: string, text: string, documents: string[]][] = [
  ["blocks", "a\nb\n\nc\n", ["a\nb", "c"]],
  ["several blank lines", "\n\na\n\n\n\nb\n\n", ["a", "b"]],
  ["lines of spaces and tabs", "a\n \t \nb", ["a", "b"]],
  ["Windows line ends", "a\r\nb\r\n\r\nc\r\n", ["a\r\nb", "c"]],
  ["indented lines", "  a\n\n  b  \n", ["  a", "  b  "]],
  ["no line end at the end", "a\n\nb", ["a", "b"]],
  ["blanks at the end", "a\n\nb\n  ", ["a", "b"]],
  ["only blank lines", "\n \r\n\t\n", []],
  ["nothing", "", []],
];

for (const [what, text, expected] of BLOCKS) {
  Deno.test(`a BlockCutter cuts at blank lines: ${what}`, () => {
    for (const length of [1, 2, 3, 100]) {
      const cutter = new BlockCutter(0);
      const found: string[] = [];
      const keep = (blocks: Iterable<Uint8Array>) => {
        for (const block of blocks) found.push(new TextDecoder().decode(block));
      };
      const bytes = encode(text);
      for (let i = 0; i < bytes.length; i += length) keep(cutter.push(bytes.subarray(i, i + length)));
      keep(cutter.finish());
      assert.deepEqual(found, expected, `in pieces of ${length}`);
    }
  });
}

withFiles("blocks of long files are those that String.split would give", async (folder) => {
  const path = join(folder, "a.txt");
  const line = fc.constantFrom("", "", " ", "short", "é".repeat(700_000), "x".repeat(3_000_000));
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 12 }), async (lines) => {
      const text = lines.join("\n");
      Deno.writeTextFileSync(path, text);
      const expected = text.split(/(?:^|\n)(?:\s*(?:\n|$))+/).map((block) => block.replace(/\n$/, ""));
      const { texts } = await readAll([fileAt(path)]);
      assert.deepEqual(texts, expected.filter((block) => block.trim() !== ""));
    }),
    { numRuns: 10 },
  );
});

withFiles("a whole file is kept as it is, bytes that are no UTF-8 included", async (folder) => {
  const path = join(folder, "a.rs");
  const bytes = Uint8Array.of(0xef, 0xbb, 0xbf, 10, 10, 0xff, 0, 10);
  Deno.writeFileSync(path, bytes);
  const lengths = async (document: "file" | "blank_line") => {
    const found: number[][] = [];
    for await (const batch of readFiles([fileAt(path, { document })], { file: 0, at: 0, line: 0 })) {
      found.push([...batch.ends]);
      if (document === "file") assert.deepEqual(batch.text, bytes);
    }
    return found.flat();
  };
  assert.deepEqual(await lengths("file"), [8]);
  assert.deepEqual(await lengths("blank_line"), [3, 5]);
});

withFiles("compressed text is the text, in one frame or member or in several", async (folder) => {
  const [one, two] = ["one\n\ntw", "o\n\nthree\n"].map(encode) as [Uint8Array, Uint8Array];
  const join_ = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
  const files = {
    "a.txt": join_(one, two),
    "b.txt.gz": gzipSync(join_(one, two)),
    "c.txt.gz": join_(gzipSync(one), gzipSync(two)),
    "d.txt.zst": zstdCompressSync(join_(one, two)),
    "e.txt.zst": join_(zstdCompressSync(one), zstdCompressSync(two)),
    "f.md.zst": join_(
      zstdCompressSync(one),
      Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 7, 7, 7),
      zstdCompressSync(two),
    ),
  };
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder, name);
    Deno.writeFileSync(path, bytes);
    assert.deepEqual((await readAll([fileAt(path)])).texts, ["one", "two", "three"], name);
    assert.deepEqual(
      (await readAll([fileAt(path, { document: "file" })])).texts,
      ["one\n\ntwo\n\nthree\n"],
      name,
    );
  }
});

withFiles("an empty file has no document, compressed or not", async (folder) => {
  for (
    const [name, bytes] of Object.entries({
      "a.txt": encode(""),
      "a.txt.gz": gzipSync(""),
      "a.txt.zst": zstdCompressSync(encode("")),
    })
  ) {
    Deno.writeFileSync(join(folder, name), bytes);
    for (const document of ["file", "blank_line"] as const) {
      const { texts, skipped } = await readAll([fileAt(join(folder, name), { document })]);
      assert.deepEqual([texts, skipped], [[], 0], name);
    }
  }
});

withFiles("reading goes on at every place where a batch ended", async (folder) => {
  const text = Array.from({ length: 300 }, (_, i) => `${i} `.repeat(i % 7 === 0 ? 12_000 : 3000)).join(
    "\n\n",
  );
  for (
    const [name, bytes] of Object.entries({
      "a.txt": encode(text),
      "a.txt.zst": zstdCompressSync(encode(text)),
    })
  ) {
    Deno.writeFileSync(join(folder, name), bytes);
    const file = fileAt(join(folder, name));
    const all = (await readAll([file])).texts;
    assert.equal(all.length, 300);
    const before: string[] = [];
    let batches = 0;
    for await (const batch of readFiles([file], { file: 0, at: 0, line: 0 })) {
      before.push(...textsOf(batch));
      batches++;
      const { texts } = await readAll([file], batch.next);
      assert.deepEqual([...before, ...texts], all, `${name}, batch ${batches}`);
    }
    assert.ok(batches >= 2);
  }
});

withFiles("a file that cannot be read is named", async (folder) => {
  Deno.writeTextFileSync(join(folder, "a.txt"), "a");
  const file = fileAt(join(folder, "a.txt"));
  Deno.removeSync(join(folder, "a.txt"));
  await assert.rejects(readAll([file]), {
    name: "UserError",
    message: `Cannot read "${folder}/a.txt": no such file or directory`,
  });
});

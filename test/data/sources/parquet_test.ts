/** Proves that Parquet columns are read whatever codec, page and group hold them, and that bad files are named. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { readFiles } from "../../../src/data/sources/read.ts";
import { withFiles } from "../../support.ts";
import { type Codec, fileAt, parquetOf, readAll, textsOf, words } from "./support.ts";

const TEXTS = Array.from(words(2500), (word, i) => i % 10 === 0 ? `${word} `.repeat(300) : `${word} é\n`);

for (const codec of ["UNCOMPRESSED", "SNAPPY", "ZSTD", "GZIP"] as Codec[]) {
  withFiles(`a column in ${codec} is read, over groups and pages`, async (folder) => {
    const path = join(folder, "a.parquet");
    Deno.writeFileSync(path, parquetOf(TEXTS, { codec, pageSize: 20_000 }));
    assert.deepEqual((await readAll([fileAt(path)])).texts, TEXTS);
  });
}

withFiles("a column with a dictionary is read", async (folder) => {
  const path = join(folder, "a.parquet");
  const texts = Array.from({ length: 3000 }, (_, i) => ["yes", "no", "perhaps"][i % 3]!);
  Deno.writeFileSync(path, parquetOf(texts));
  assert.deepEqual((await readAll([fileAt(path)])).texts, texts);
});

withFiles("reading goes on at every row, past pages and groups that come before", async (folder) => {
  const path = join(folder, "a.parquet");
  Deno.writeFileSync(path, parquetOf(TEXTS, { pageSize: 20_000 }));
  for (const at of [0, 1, 17, 999, 1000, 1001, 2100, 2499, 2500]) {
    assert.deepEqual((await readAll([fileAt(path)], { file: 0, at, line: 0 })).texts, TEXTS.slice(at));
  }
});

withFiles("reading goes on at every place where a batch ended", async (folder) => {
  const path = join(folder, "a.parquet");
  const texts = Array.from(words(300), (word) => `${word} `.repeat(2000));
  Deno.writeFileSync(path, parquetOf(texts, { rowGroupSize: 70, pageSize: 100_000 }));
  const before: string[] = [];
  for await (const batch of readFiles([fileAt(path)], { file: 0, at: 0, line: 0 })) {
    before.push(...textsOf(batch));
    assert.deepEqual(
      [...before, ...(await readAll([fileAt(path)], batch.next)).texts],
      texts,
    );
  }
});

withFiles("a missing column is named with those that there are", async (folder) => {
  const path = join(folder, "a.parquet");
  Deno.writeFileSync(path, parquetOf(["a"], { name: "content" }));
  await assert.rejects(readAll([fileAt(path)]), {
    name: "UserError",
    message: `Cannot read "${path}": no column "text"; its columns are "id", "content": name one with column`,
  });
  assert.deepEqual((await readAll([fileAt(path, { column: "content" })])).texts, ["a"]);
  await assert.rejects(readAll([fileAt(path, { column: "id" })]), {
    message: `Cannot read "${path}": column "id" holds INT32, not text; name another one with column`,
  });
});

withFiles("a nested column is refused", async (folder) => {
  const path = join(folder, "a.parquet");
  Deno.writeFileSync(
    path,
    new Uint8Array(parquetWriteBuffer({
      schema: [
        { name: "root", num_children: 1 },
        { name: "doc", num_children: 1, repetition_type: "OPTIONAL" },
        { name: "text", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
      ],
      columnData: [{ name: "doc", data: [{ text: "a" }] }],
    })),
  );
  await assert.rejects(readAll([fileAt(path, { column: "doc.text" })]), {
    message:
      `Cannot read "${path}": column "doc.text" holds nested values, not text; name another one with column`,
  });
});

withFiles("a file without rows has no document", async (folder) => {
  const path = join(folder, "a.parquet");
  Deno.writeFileSync(path, parquetOf([]));
  assert.deepEqual((await readAll([fileAt(path)])).texts, []);
});

withFiles("a row without text is named, or skipped and counted", async (folder) => {
  const path = join(folder, "a.parquet");
  Deno.writeFileSync(path, parquetOf(["a", null, "", "b", null]));
  await assert.rejects(readAll([fileAt(path)]), {
    message:
      `Cannot read "${path}": row 2: "text" is null, not text; set on_error: skip to leave out such rows`,
  });
  const { texts, skipped, empty } = await readAll([fileAt(path, { skipDamage: true })]);
  assert.deepEqual([texts, skipped, empty], [["a", "b"], 2, 1]);
});

withFiles("a damaged page is named with its place, or its rows are skipped", async (folder) => {
  const path = join(folder, "a.parquet");
  const texts = Array.from(words(400), (word) => `${word} `.repeat(30));
  const bytes = parquetOf(texts, { rowGroupSize: 100, codec: "ZSTD" });
  const magic = [0x28, 0xb5, 0x2f, 0xfd];
  const pages = [...bytes.keys()].filter((i) => magic.every((byte, j) => bytes[i + j] === byte));
  bytes.fill(0xff, pages[3]! + 8, pages[3]! + 60); // columns take turns: the texts of group 2
  Deno.writeFileSync(path, bytes);
  await assert.rejects(readAll([fileAt(path)]), {
    name: "UserError",
    message:
      /^Cannot read ".*a\.parquet": the page at byte \d+ is damaged \(.+\); set on_error: skip to leave out such rows$/,
  });
  const { texts: found, skipped } = await readAll([fileAt(path, { skipDamage: true })]);
  assert.deepEqual([found, skipped], [[...texts.slice(0, 100), ...texts.slice(200)], 100]);
});

withFiles("what is no Parquet file, or is cut short, is named", async (folder) => {
  const path = join(folder, "a.parquet");
  const whole = parquetOf(["a"]);
  for (const bytes of [new Uint8Array(0), Uint8Array.of(1, 2, 3), whole.subarray(0, whole.length - 4)]) {
    Deno.writeFileSync(path, bytes);
    await assert.rejects(readAll([fileAt(path)]), {
      message: `Cannot read "${path}": it is no Parquet file, or cut short: it does not end with PAR1`,
    });
  }
  const wrong = whole.slice();
  new DataView(wrong.buffer).setUint32(wrong.length - 8, 1e9, true);
  Deno.writeFileSync(path, wrong);
  await assert.rejects(readAll([fileAt(path)]), {
    message: /its footer says that it has 1000000008 bytes, more than the file$/,
  });
  Deno.writeFileSync(path, whole.slice().fill(0x15, whole.length - 40, whole.length - 20));
  await assert.rejects(readAll([fileAt(path)]), { name: "UserError", message: /^Cannot read ".*": / });
});

withFiles("a codec that is not supported is named", async (folder) => {
  const path = join(folder, "a.parquet");
  Deno.writeFileSync(path, parquetOf(["a".repeat(500)], { codec: "LZ4_RAW" }));
  await assert.rejects(readAll([fileAt(path)]), {
    message:
      `Cannot read "${path}": column "text" is compressed with LZ4_RAW; known are uncompressed, snappy, zstd, gzip, brotli`,
  });
});

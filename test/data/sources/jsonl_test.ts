/** Proves that JSON Lines give the texts that JSON.parse gives, and that bad lines and damaged files are named. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { FirstText } from "../../../src/data/sources/first_text.ts";
import { readFiles } from "../../../src/data/sources/read.ts";
import { withFiles } from "../../support.ts";
import { encode, fileAt, readAll, textsOf, words } from "./support.ts";

const records = fc.array(
  fc.record({ text: fc.string({ unit: "binary", maxLength: 30 }), more: fc.jsonValue() }),
  { maxLength: 20 },
);

withFiles("the texts are those of JSON.parse, wherever the key stands", async (folder) => {
  const path = join(folder, "a.jsonl");
  const orders = [
    (text: string) => `{"text":${text}}`,
    (text: string, more: string) => `{"text": ${text}, "more": ${more}}`,
    (text: string, more: string) => ` { "more":${more} , "text" : ${text} } `,
  ];
  await fc.assert(
    fc.asyncProperty(
      records,
      fc.constantFrom(...orders),
      fc.constantFrom("\n", "\r\n", "\n\n"),
      async (records, order, end) => {
        Deno.writeTextFileSync(
          path,
          records.map(({ text, more }) => order(JSON.stringify(text), JSON.stringify(more)) + end).join(""),
        );
        const { texts, empty } = await readAll([fileAt(path)]);
        const expected = records.map(({ text }) => new TextDecoder().decode(encode(text))); // lone surrogates become U+FFFD
        assert.deepEqual(texts, expected.filter((text) => text !== ""));
        assert.equal(empty, expected.filter((text) => text === "").length);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("FirstText gives the text of JSON.parse or nothing", () => {
  const first = new FirstText("text");
  const of = (json: string | Uint8Array) => {
    const found = first.of(typeof json === "string" ? encode(json) : json);
    return found && new TextDecoder().decode(found);
  };
  assert.equal(of('{"text":"a\\n\\"b\\"\\\\ é","n":[1]}'), 'a\n"b"\\ é');
  assert.equal(of('{"text": ""}'), "");
  const left = [
    '{"text":"a\\u00e9"}', // more than a byte
    '{"text":"a","text":"b"}', // the last one counts
    '{"text":"a",}',
    '{"text":"a"',
    '{"text":"a"} x',
    '{"text":"a" }',
    '{"text":"a","n":}',
    '{"text":"tab\there"}',
    '{"text":"a\\x"}',
    '{"text":"a\\',
    '{"text":1}',
    '{"n":1,"text":"a"}',
  ];
  for (const json of left) assert.equal(of(json), undefined, json);
  assert.equal(of(Uint8Array.of(...encode('{"text":"'), 0xff, ...encode('"}'))), undefined);
});

const LINES: readonly [what: string, line: string, complaint: RegExp][] = [
  ["no JSON", '{"text": "a', /^not valid JSON \(.+\)$/],
  ["a list", '["a"]', /^not a JSON object$/],
  [
    "another key",
    '{"content": "a", "id": 1}',
    /^no key "text" \(its keys are "content", "id": name one with column\)$/,
  ],
  ["no key at all", "{}", /^no key "text" \(its keys are none: name one with column\)$/],
  ["null", '{"text": null}', /^"text" is null, not text$/],
  ["a number", '{"text": 3}', /^"text" is a number, not text$/],
];

for (const [what, line, complaint] of LINES) {
  withFiles(`a line with ${what} is named, or skipped and counted`, async (folder) => {
    const path = join(folder, "a.jsonl");
    Deno.writeTextFileSync(path, `{"text":"one"}\n\n${line}\n{"text":"two"}`);
    const start = `"${path}" line 3: `;
    const end = "; set on_error: skip to leave out such records";
    await assert.rejects(readAll([fileAt(path)]), ({ name, message }: Error) => {
      assert.equal(name, "UserError");
      assert.ok(message.startsWith(`Cannot read ${start}`) && message.endsWith(end), message);
      assert.match(message.slice(12 + start.length, -end.length), complaint);
      return true;
    });
    const { texts, skipped, remarks } = await readAll([fileAt(path, { skipDamage: true })]);
    assert.deepEqual([texts, skipped], [["one", "two"], 1]);
    assert.ok(remarks[0]!.startsWith(start) && remarks[0]!.endsWith("; skipped"));
  });
}

withFiles("reading goes on at every place where a batch ended, with the line's number", async (folder) => {
  const lines = Array.from(words(400), (word, i) => JSON.stringify({ text: `${word} `.repeat(1500 + i), i }));
  for (
    const [name, pack] of [["a.jsonl", encode], [
      "a.jsonl.zst",
      (text: string) => zstdCompressSync(encode(text)),
    ]] as const
  ) {
    const path = join(folder, name);
    Deno.writeFileSync(path, pack(lines.join("\n") + "\n{}\n"));
    const file = fileAt(path, { skipDamage: true });
    const all = (await readAll([file])).texts;
    const before: string[] = [];
    for await (const batch of readFiles([file], { file: 0, at: 0, line: 0 })) {
      before.push(...textsOf(batch));
      const { texts, remarks } = await readAll([file], batch.next);
      assert.deepEqual([...before, ...texts], all);
      if (texts.length > 0) assert.match(remarks[0]!, /line 401: no key "text"/);
    }
  }
});

/** Some records, compressed a few at a time. */
function frames(compress: (bytes: Uint8Array) => Uint8Array, count: number, perFrame: number): Uint8Array[] {
  const lines = Array.from(words(count), (word, i) => JSON.stringify({ text: `${i} ${word}` }) + "\n");
  return Array.from(
    { length: count / perFrame },
    (_, i) => compress(encode(lines.slice(i * perFrame, (i + 1) * perFrame).join(""))),
  );
}

const concat = (parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const numbers = (texts: readonly string[]) => texts.map((text) => Number(text.split(" ")[0]));
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

withFiles(
  "a broken zstd frame in the middle is named with its place; skipped, the next frame goes on",
  async (folder) => {
    const path = join(folder, "a.jsonl.zst");
    const parts = frames(
      (bytes) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
      90,
      30,
    );
    const at = parts[0]!.length;
    const file = (skipDamage: boolean) => fileAt(path, { skipDamage });
    const damaged = (change: (frame: Uint8Array) => Uint8Array) =>
      Deno.writeFileSync(path, concat([parts[0]!, change(parts[1]!.slice()), parts[2]!]));

    damaged((frame) => frame.fill(0xaa, 40, 60)); // the content
    await assert.rejects(readAll([file(false)]), {
      name: "UserError",
      message: new RegExp(
        `^Cannot read "${path}": the zstd frame at byte ${at} is damaged before byte \\d+ \\(.+\\); get the file anew, or set on_error: skip to ` +
          "do without the rest of the frame$",
      ),
    });
    const content = await readAll([file(true)]);
    assert.deepEqual(numbers(content.texts).filter((n) => n < 30 || n >= 60), [
      ...range(0, 30),
      ...range(60, 90),
    ]);
    assert.equal(content.skipped, 1);
    assert.match(
      content.remarks[0]!,
      new RegExp(`^"${path}": the zstd frame at byte ${at} is damaged .*; skipped`),
    );

    damaged((frame) => frame.subarray(0, frame.length - 20)); // cut short: the next frame stands in its last block
    const cut = await readAll([file(true)]);
    assert.deepEqual(numbers(cut.texts).filter((n) => n < 30), range(0, 30));
    assert.ok(cut.skipped >= 1);

    damaged((frame) => frame.fill(0, 0, 4)); // no frame at all
    const lost = await readAll([file(true)]);
    assert.deepEqual(numbers(lost.texts), [...range(0, 30), ...range(60, 90)]);
    assert.match(lost.remarks[0]!, new RegExp(`all up to the next frame, at byte ${at + parts[1]!.length}$`));
  },
);

withFiles("a zstd file that is cut short is named, and what is whole is kept", async (folder) => {
  const path = join(folder, "a.jsonl.zst");
  const lines = Array.from(words(60_000), (word) => JSON.stringify({ text: word }) + "\n").join("");
  const whole = zstdCompressSync(encode(lines));
  Deno.writeFileSync(path, whole.subarray(0, whole.length - 1000));
  await assert.rejects(readAll([fileAt(path)]), {
    message:
      /the zstd frame at byte 0 is damaged \(the file ends at byte \d+\); get the file anew, or set on_error: skip/,
  });
  const { texts, skipped } = await readAll([fileAt(path, { skipDamage: true })]);
  assert.equal(skipped, 1);
  const expected = lines.trim().split("\n").map((line) => JSON.parse(line).text);
  assert.ok(texts.length > 1000 && texts.length < expected.length);
  assert.deepEqual(texts, expected.slice(0, texts.length));
});

withFiles("a long zstd frame whose checksum does not fit is named", async (folder) => {
  const path = join(folder, "a.jsonl.zst");
  const lines = Array.from(words(400_000), (word) => JSON.stringify({ text: word }) + "\n").join("");
  const bytes = zstdCompressSync(encode(lines), { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  bytes[bytes.length - 14]! ^= 1; // an empty frame of 13 bytes ends it
  Deno.writeFileSync(path, bytes);
  await assert.rejects(readAll([fileAt(path)]), {
    name: "UserError",
    message: /the zstd frame at byte 0 is damaged before byte \d+ \(.*checksum.*\)/i,
  });
  const { texts, skipped } = await readAll([fileAt(path, { skipDamage: true })]);
  assert.equal(skipped, 1);
  assert.ok(texts.length > 300_000);
});

withFiles("a file that is no zstd file is named", async (folder) => {
  const path = join(folder, "a.jsonl.zst");
  Deno.writeTextFileSync(path, '{"text":"not compressed"}\n');
  await assert.rejects(readAll([fileAt(path)]), {
    message: /the zstd frame at byte 0 is damaged \(no zstd frame begins at byte 0\)/,
  });
});

withFiles("a gzip file that is cut short is named, and what is whole is kept", async (folder) => {
  const path = join(folder, "a.jsonl.gz");
  const lines = Array.from(words(60_000), (word) => JSON.stringify({ text: word }) + "\n").join("");
  const whole = gzipSync(encode(lines));
  Deno.writeFileSync(path, whole.subarray(0, whole.length - 1000));
  await assert.rejects(readAll([fileAt(path)]), {
    name: "UserError",
    message: new RegExp(
      `^Cannot read "${path}": gzip data up to byte \\d+ are damaged or cut short \\(.+\\); get the file anew`,
    ),
  });
  const { texts, skipped } = await readAll([fileAt(path, { skipDamage: true })]);
  assert.equal(skipped, 1);
  const expected = lines.trim().split("\n").map((line) => JSON.parse(line).text);
  assert.ok(texts.length > 1000 && texts.length < expected.length);
  assert.deepEqual(texts, expected.slice(0, texts.length));
});

/** Proves what a prepare stage may say, and that paths in it become absolute. */

import assert from "node:assert/strict";
import { parsePipeline } from "../../src/config/load.ts";
import { isMadeUp, pathsOfPrepare, sourcesOf } from "../../src/config/schema/prepare.ts";

function prepare(keys: string) {
  const file = `name: a\nstages:\n  - { id: text, run: prepare, ${keys} }\n`;
  const stage = parsePipeline(file, "f.yaml", "/base").stages[0]!;
  assert.ok(stage.run === "prepare");
  return stage;
}

Deno.test("sources have defaults, and paths of theirs become absolute", () => {
  const stage = prepare(
    "input: [books, { path: [a.parquet, /b], weight: 0.5, column: content, exclude: [vendor] }], " +
      "tokenizer: t/tokenizer.json, validation: [books/emma.txt], test: 100",
  );
  assert.ok(!isMadeUp(stage.input));
  assert.deepEqual(sourcesOf(stage.input), [
    { path: "/base/books", weight: 1, format: "auto", column: "text", include: [], exclude: [] },
    {
      path: ["/base/a.parquet", "/b"],
      weight: 0.5,
      format: "auto",
      column: "content",
      include: [],
      exclude: ["vendor"],
    },
  ]);
  assert.deepEqual([stage.tokenizer, stage.validation, stage.test], ["/base/t/tokenizer.json", [
    "/base/books/emma.txt",
  ], 100]);
  assert.deepEqual(pathsOfPrepare(stage), [
    "/base/books",
    "/base/a.parquet",
    "/b",
    "/base/books/emma.txt",
    "/base/t/tokenizer.json",
  ]);
});

Deno.test("a tokenizer may be trained, with defaults", () => {
  const { tokenizer, cleaning, on_error } = prepare("input: stories, tokenizer: { kind: bpe, vocab: 4096 }");
  assert.deepEqual(tokenizer, {
    kind: "bpe",
    vocab: 4096,
    sample_bytes: 1e8,
    pattern: "gpt4",
    special: ["<|endoftext|>"],
  });
  assert.deepEqual(cleaning, { normalize: "none", min_bytes: 0, deduplicate: false });
  assert.equal(on_error, "stop");
  assert.equal(prepare("input: stories").tokenizer, "bytes");
  assert.deepEqual(pathsOfPrepare(prepare("input: polynomials")), []);
});

const REFUSED: readonly [keys: string, message: RegExp][] = [
  ["input: [{ path: a, wieght: 2 }]", /f\.yaml:3:.*wieght/],
  ["input: [{ weight: 2 }]", /f\.yaml:3:.*path/],
  ["input: [{ path: a, weight: 0 }]", /f\.yaml:3:.*weight/],
  [
    "input: stories, validation: {}",
    /stages\[0\]\.validation: expected a share between 0 and 1 \| a number of documents/,
  ],
  ["input: stories, tokenizer: { kind: bpe, vocab: 100 }", /f\.yaml:3:.*vocab/],
  ["input: stories, cleaning: { max_repetition: 2 }", /f\.yaml:3:.*max_repetition/],
  ["input: stories, on_error: ignore", /f\.yaml:3:.*on_error/],
];

for (const [keys, message] of REFUSED) {
  Deno.test(`a prepare stage may not say ${keys}`, () => {
    assert.throws(() => prepare(keys), { name: "UsageError", message });
  });
}

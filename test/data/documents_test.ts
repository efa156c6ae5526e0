/** Proves that documents come back as text, whatever their tokens, and what is refused of a damaged set. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parsePipeline } from "../../src/config/load.ts";
import type { PrepareConfig } from "../../src/config/schema.ts";
import { Documents, readDocuments } from "../../src/data/documents.ts";
import { run as prepare } from "../../src/data/prepare.ts";
import { openShardSet, verifyShards } from "../../src/data/shards.ts";
import { tokenizerOf } from "../../src/data/tokenizer_of.ts";
import { inFolder, withFfi } from "../support.ts";
import { ioFor } from "../train/fixture.ts";
import { tinyTokenizer, writeSubwordSet } from "./subword_set.ts";

const TEXTS = {
  train: [["the cat sat on the mat", "🦊 naïve café"], ["<|endoftext|> is text here\n\n"]],
  val: [["the mat sat on the cat"]],
};
const TOKENIZER = () => tinyTokenizer("the cat sat on the mat. ".repeat(20));

/** A test with a fresh folder that may load the text library. */
const withSet = (name: string, body: (folder: string) => void) => withFfi(name, () => inFolder(body));

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

for (const tokenBytes of [2, 4] as const) {
  withSet(`documents of ${8 * tokenBytes}-bit tokens come back as their text, in any order`, (folder) => {
    const ids = writeSubwordSet(folder, TEXTS, TOKENIZER(), tokenBytes);
    assert.deepEqual([...readDocuments(folder, "train")].map((d) => decoder.decode(d)), TEXTS.train.flat());
    const set = openShardSet(folder);
    using tokenizer = tokenizerOf(set);
    using documents = new Documents(set, "train", tokenizer);
    assert.equal(documents.count, 3);
    for (const i of [2, 0, 1, 2]) {
      const tokens = ids.train.flat()[i]!;
      assert.equal(documents.length(i), tokens.length);
      assert.deepEqual([...documents.tokens(i)], tokens);
      assert.deepEqual([...documents.tokens(i, 3)], tokens.slice(0, 3));
      assert.equal(decoder.decode(documents.text(i)), TEXTS.train.flat()[i]);
    }
    assert.throws(() => documents.text(3), { name: "RangeError", message: "There is no document 3 of 3" });
    assert.deepEqual([...readDocuments(folder, "test")], []);
  });
}

withSet("an altered tokenizer.json is refused, and one that is missing or of another size", (folder) => {
  const json = TOKENIZER();
  writeSubwordSet(folder, TEXTS, json);
  const path = join(folder, "tokenizer.json");
  const refuses = (message: RegExp) =>
    assert.throws(() => tokenizerOf(openShardSet(folder)), { name: "UserError", message });
  Deno.writeTextFileSync(path, json.replace("endoftext", "endoftexT"));
  refuses(
    /tokenizer\.json": it was altered, expected SHA-256 [0-9a-f]{64}, found [0-9a-f]{64}; run prepare again, with --stage and --force$/,
  );
  Deno.removeSync(path);
  refuses(/^Cannot read ".*tokenizer\.json": no such file or directory$/);
  Deno.writeTextFileSync(path, json);
  const meta = JSON.parse(Deno.readTextFileSync(join(folder, "meta.json")));
  meta.tokenizer.vocab--;
  Deno.writeTextFileSync(join(folder, "meta.json"), JSON.stringify(meta));
  refuses(
    /tokenizer\.json": it has 269 ids, meta\.json says 268; run prepare again, with --stage and --force$/,
  );
});

withSet("the end token is the one that meta.json names", (folder) => {
  writeSubwordSet(folder, TEXTS, TOKENIZER());
  using tokenizer = tokenizerOf(openShardSet(folder));
  assert.equal(tokenizer.end, openShardSet(folder).meta.tokenizer.endToken);
  assert.equal(tokenizer.byteLengths[tokenizer.end], 0);
});

withSet("an id that the tokenizer does not have is an error that names the folder", (folder) => {
  writeSubwordSet(folder, TEXTS, TOKENIZER());
  Deno.writeFileSync(
    join(folder, "val-00000.bin"),
    Deno.readFileSync(join(folder, "val-00000.bin")).fill(255, 0, 2),
  );
  assert.throws(() => [...readDocuments(folder, "val")], {
    name: "UserError",
    message:
      /^Cannot read document 0 of ".*": There is no token 65535: ids go from 0 to 268; run prepare again, with --stage and --force$/,
  });
});

withFfi(
  "prepare holds out the same text as bytes and as subwords, and both come back whole",
  () =>
    inFolder(async (folder) => {
      const { stages } = parsePipeline(
        `name: both
stages:
  - { id: bytes, run: prepare, input: stories, bytes: 3e4, validation: 0.2, test: 2, shard_bytes: 9000 }
  - { id: words, run: prepare, input: stories, bytes: 3e4, validation: 0.2, test: 2, tokenizer: { kind: bpe, vocab: 300 } }
`,
        "both.yaml",
        "/",
      );
      for (const stage of stages) await prepare(stage as PrepareConfig, ioFor(folder, stage.id));
      for (const split of ["train", "val", "test"] as const) {
        const [bytes, words] = ["bytes", "words"].map((id) =>
          [...readDocuments(join(folder, id), split)].map((document) => decoder.decode(document))
        );
        assert.ok(bytes!.length > 1);
        assert.deepEqual(words, bytes);
        const { meta } = verifyShards(join(folder, "words"));
        assert.equal(meta.splits[split]!.bytes, bytes!.reduce((sum, text) => sum + text.length, 0));
        assert.ok(meta.splits[split]!.tokens < meta.splits[split]!.bytes);
      }
    }),
);

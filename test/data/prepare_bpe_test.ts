/** Proves that subword shards hold the ids of their tokenizer, trained here or given, and that counts fit. */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { PrepareConfig } from "../../src/config/schema.ts";
import { readDocuments } from "../../src/data/documents.ts";
import { run } from "../../src/data/prepare.ts";
import { verifyShards } from "../../src/data/shards.ts";
import { sha256OfFile } from "../../src/formats/atomic.ts";
import { Interrupted } from "../../src/stage/errors.ts";
import { openTokenizerFile } from "../../src/text/bpe.ts";
import { inFolder } from "../support.ts";
import { withText } from "../text/text_library.ts";
import { encode } from "./sources/support.ts";

const PLAIN = ["The old man and the sea.", "naïve café 猫 🙂\n\ttabs", "<|endoftext|> is text here"];
const DOCUMENTS = [
  ...PLAIN.flatMap((text) =>
    Array.from({ length: 120 }, (_, i) => encode(`${text} ${i} ${text.repeat(i % 9)}`))
  ),
  Uint8Array.of(...encode("malformed "), 0xff, 0xfe, 0x80),
];
const REPAIRED = new TextDecoder("utf-8", { ignoreBOM: true });

function configOf(folder: string, more: Partial<PrepareConfig> = {}): PrepareConfig {
  const input = join(folder, "in");
  Deno.mkdirSync(input, { recursive: true });
  for (const [i, document] of DOCUMENTS.entries()) Deno.writeFileSync(join(input, `${i}.txt`), document);
  return {
    id: "text",
    run: "prepare",
    needs: [],
    input: [input],
    bytes: 1,
    document: "file",
    tokenizer: {
      kind: "bpe",
      vocab: 400,
      sample_bytes: 20_000,
      pattern: "gpt4",
      special: ["<|endoftext|>", "<|x|>"],
    },
    cleaning: { normalize: "none", min_bytes: 0, deduplicate: false },
    validation: 0.1,
    on_error: "stop",
    shard_bytes: 4096,
    seed: 3,
    ...more,
  };
}

async function prepare(folder: string, config: PrepareConfig, stop = new AbortController().signal) {
  const out = join(folder, "out");
  Deno.mkdirSync(out, { recursive: true });
  await run(config, {
    id: "text",
    folder: out,
    needs: [],
    interactive: false,
    stop,
    log: () => {},
    progress: () => {},
  });
  return out;
}

withText("run() trains a tokenizer, writes its ids, and counts them", () =>
  inFolder(async (folder) => {
    const out = await prepare(folder, configOf(folder));
    const { meta, splits } = verifyShards(out);
    assert.ok(meta.tokenizer.kind === "bpe");
    assert.deepEqual([meta.tokenizer.vocab, meta.tokenizer.endToken, meta.tokenizer.tokenBytes], [400, 0, 2]);
    assert.equal(meta.tokenizer.sha256, sha256OfFile(join(out, "tokenizer.json")));

    using tokenizer = openTokenizerFile(join(out, "tokenizer.json"));
    let tokens = 0, bytes = 0;
    for (const split of ["train", "val"] as const) {
      const ids: number[] = [];
      for (const document of readDocuments(out, split)) ids.push(...tokenizer.encode(document));
      const found = splits[split].flatMap(({ file }) => [...new Uint16Array(Deno.readFileSync(file).buffer)]);
      assert.deepEqual(found, ids);
      tokens += ids.length;
      bytes += meta.splits[split].bytes;
    }
    assert.equal(meta.sources.reduce((sum, source) => sum + source.tokens, 0), tokens);
    const texts = [...readDocuments(out, "train"), ...readDocuments(out, "val")].map((text) =>
      REPAIRED.decode(text)
    );
    const expected = DOCUMENTS.map((document) => REPAIRED.decode(document));
    assert.deepEqual(texts.sort(), expected.sort());
    assert.equal(bytes, expected.reduce((sum, text) => sum + encode(text).length, 0));
    assert.ok(meta.splits.train.shards.length > 5);
  }));

withText(
  "a document ends with the first special token, or with the one that is named for a tokenizer.json",
  () =>
    inFolder(async (folder) => {
      const special = ["<eot>", "<|endoftext|>"];
      const tokenizer = {
        kind: "bpe",
        vocab: 300,
        sample_bytes: 20_000,
        pattern: "gpt4",
        special,
      } as const;
      const out = await prepare(
        folder,
        configOf(folder, { tokenizer: { ...tokenizer, special: [...special] } }),
      );
      assert.equal(verifyShards(out).meta.tokenizer.endToken, 0);
      const given = join(folder, "tokenizer.json");
      Deno.renameSync(join(out, "tokenizer.json"), given);
      assert.equal(
        verifyShards(await prepare(folder, configOf(folder, { tokenizer: given }))).meta.tokenizer.endToken,
        1,
      );
      const named = configOf(folder, { tokenizer: given, end_token: "<eot>" });
      assert.equal(verifyShards(await prepare(folder, named)).meta.tokenizer.endToken, 0);
    }),
);

withText(
  "run() takes a tokenizer.json that is given, and goes on with it after a stop",
  () =>
    inFolder(async (folder) => {
      const trained = await prepare(folder, configOf(folder));
      const given = join(folder, "tokenizer.json");
      Deno.renameSync(join(trained, "tokenizer.json"), given);
      const hashes = () =>
        Object.fromEntries(
          [...Deno.readDirSync(join(folder, "out"))].map((
            { name },
          ) => [name, sha256OfFile(join(folder, "out", name))]),
        );
      const config = configOf(folder, { tokenizer: given });
      await prepare(folder, config);
      const whole = hashes();
      const changed = { ...config, seed: 4 };
      for (let stops = 0; stops < 3; stops++) {
        const stop = new AbortController();
        stop.abort();
        await assert.rejects(prepare(folder, changed, stop.signal), Interrupted);
      }
      await prepare(folder, changed);
      const stopped = hashes();
      assert.notDeepEqual(stopped, whole);
      Deno.removeSync(join(folder, "out"), { recursive: true });
      await prepare(folder, changed);
      assert.deepEqual(hashes(), stopped);
    }),
);

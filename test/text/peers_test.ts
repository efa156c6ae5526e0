/** Proves that ids, merges and decoded text are those of the public `tokenizers` library. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { openTokenizerText } from "../../src/text/bpe.ts";
import { trainBpe } from "../../src/text/train.ts";
import { type Python, withPeers } from "../peers.ts";
import { allScripts, anyText, HARD_DOCUMENTS, isYoung } from "./samples.ts";
import { loadOutsideTests } from "./text_library.ts";

loadOutsideTests();

const encoder = new TextEncoder();

/** Real text and code: files of this project. */
const TRAINING = ["README.md", "LICENSE", "src/cli.ts", "native/ops.cpp", "scripts/peers.ts"];

interface Answer {
  readonly kinds: readonly { readonly name: string; readonly json: string; readonly ids: number[][] }[];
  readonly others: readonly { readonly ids: number[][]; readonly decoded: string[] }[];
  readonly merges: Record<"gpt2" | "gpt4", [string, string][]>;
}

async function ask(python: Python, request: unknown): Promise<Answer> {
  return JSON.parse(await python(["test/text/peer_tokenizers.py"], JSON.stringify(request)));
}

withPeers("ids, merges and text are those of the public tokenizers", async (python) => {
  const training = [...TRAINING.map((path) => Deno.readTextFileSync(path)), ...HARD_DOCUMENTS, allScripts()];
  const random = fc.sample(anyText, { numRuns: 400, seed: 3 });
  const documents = [...HARD_DOCUMENTS, allScripts(), Deno.readTextFileSync("README.md"), ...random];
  const texts = documents.map((document) => encoder.encode(document));
  const vocab = 1500;
  const bytes = training.map((text) => encoder.encode(text));
  const ours = {
    gpt2: trainBpe(bytes, { vocab, pattern: "gpt2" }),
    gpt4: trainBpe(bytes, { vocab, pattern: "gpt4", threads: 1 }),
  };
  const answer = await ask(python, { training, documents, vocab, others: Object.values(ours) });

  for (const { name, json, ids } of answer.kinds) {
    using tokenizer = openTokenizerText(json, name);
    const encoded = tokenizer.encodeBatch(texts, 2);
    const normalizes = JSON.parse(json).normalizer !== null;
    documents.forEach((document, i) => {
      if (normalizes && isYoung(document)) return;
      const found = Array.from(encoded.ids.subarray(encoded.ends[i - 1] ?? 0, encoded.ends[i]));
      assert.deepEqual(found, ids[i], `${name}: ${JSON.stringify(document.slice(0, 200))}`);
    });
  }

  (["gpt2", "gpt4"] as const).forEach((pattern, which) => {
    const merges = answer.merges[pattern].map((merge) => merge.join(" "));
    assert.deepEqual(JSON.parse(ours[pattern]).model.merges, merges, `merges of ${pattern}`);
    using tokenizer = openTokenizerText(ours[pattern], pattern);
    texts.forEach((text, i) => {
      const ids = tokenizer.encode(text);
      assert.deepEqual(Array.from(ids), answer.others[which]!.ids[i]);
      assert.deepEqual(tokenizer.decode(ids), text);
      assert.equal(answer.others[which]!.decoded[i], documents[i]);
    });
  });
});

/** Shard sets of subword tokens, written by hand: what is read is not what was written with the same code. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { openTokenizerText } from "../../src/text/bpe.ts";
import { trainBpe } from "../../src/text/train.ts";
import { loadOutsideTests } from "../text/text_library.ts";

loadOutsideTests();

const encoder = new TextEncoder();

/** Documents by split, each in its shards. */
export type Texts = Readonly<Record<"train" | "val", readonly (readonly string[])[]>>;

/** A small tokenizer, trained on a text. */
export const tinyTokenizer = (text: string, vocab = 280): string =>
  trainBpe([encoder.encode(text)], { vocab });

/**
 * Writes a shard set into a folder: tokens as u16 or u32, an index per shard, tokenizer.json and meta.json. Returns the
 * ids of each document.
 */
export function writeSubwordSet(
  folder: string,
  texts: Texts,
  tokenizerJson: string,
  tokenBytes: 2 | 4 = 2,
): Record<"train" | "val", number[][][]> {
  Deno.mkdirSync(folder, { recursive: true });
  using tokenizer = openTokenizerText(tokenizerJson, "tokenizer.json");
  Deno.writeTextFileSync(join(folder, "tokenizer.json"), tokenizerJson);
  const ids = (split: "train" | "val") =>
    texts[split].map((shard) => shard.map((text) => [...tokenizer.encode(encoder.encode(text))]));
  const written = { train: ids("train"), val: ids("val") };
  const all = [...texts.train, ...texts.val].flat();
  const meta = {
    format: "foretoken-shards",
    version: 2,
    tokenizer: {
      kind: "bpe",
      vocab: tokenizer.vocab,
      endToken: tokenizer.end,
      tokenBytes,
      file: "tokenizer.json",
      sha256: sha256(encoder.encode(tokenizerJson)),
    },
    sources: [{
      path: "by hand",
      format: "text",
      weight: 1,
      documents: all.length,
      bytes: encoder.encode(all.join("")).length,
      tokens: [...written.train, ...written.val].flat(2).length,
      invalidUtf8: 0,
      skipped: 0,
      removed: {},
      fingerprint: null,
    }],
    cleaning: {},
    splits: {
      train: split(folder, "train", texts.train, written.train, tokenBytes),
      val: split(folder, "val", texts.val, written.val, tokenBytes),
    },
  };
  Deno.writeTextFileSync(join(folder, "meta.json"), JSON.stringify(meta));
  return written;
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

function split(
  folder: string,
  name: string,
  texts: readonly (readonly string[])[],
  ids: readonly (readonly number[])[][],
  tokenBytes: 2 | 4,
) {
  const shards = texts.map((documents, i) => {
    const flat = ids[i]!.flat();
    const file = `${name}-${String(i).padStart(5, "0")}.bin`;
    const index = file.replace(".bin", ".idx");
    const tokens = new Uint8Array((tokenBytes === 2 ? Uint16Array : Uint32Array).from(flat).buffer);
    let end = 0n;
    const ends = new Uint8Array(BigUint64Array.from(ids[i]!, (d) => end += BigInt(d.length)).buffer);
    Deno.writeFileSync(join(folder, file), tokens);
    Deno.writeFileSync(join(folder, index), ends);
    return {
      file,
      index,
      documents: documents.length,
      bytes: encoder.encode(documents.join("")).length,
      tokens: 1 + flat.length + documents.length,
      sha256: sha256(tokens),
      indexSha256: sha256(ends),
    };
  });
  const sum = (key: "documents" | "bytes" | "tokens") =>
    shards.reduce((total, shard) => total + shard[key], 0);
  return { documents: sum("documents"), bytes: sum("bytes"), tokens: sum("tokens"), shards };
}

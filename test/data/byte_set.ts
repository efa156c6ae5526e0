/** Shard sets of bytes, for tests of what reads them. */
import { SplitWriter, writeMeta } from "../../src/data/shard_writer.ts";
import { BYTE_TOKENIZER, type ShardMeta, type SourceInfo, type Split } from "../../src/data/shards.ts";

const encoder = new TextEncoder();

/** Documents by split; text stands for its UTF-8. */
export type ByteTexts = Partial<Record<Split, readonly (string | Uint8Array)[]>>;

/** Writes a set into a folder; what is left out of `about` is as for text of no particular source. */
export function writeByteSet(
  folder: string,
  texts: ByteTexts,
  about: Partial<Pick<ShardMeta, "sources" | "cleaning">> & { readonly shardBytes?: number } = {},
): ShardMeta {
  const { sources = [], cleaning = {}, shardBytes = 1e6 } = about;
  const write = (split: Split) => {
    using writer = new SplitWriter(folder, split, shardBytes);
    for (const text of texts[split] ?? []) writer.add(typeof text === "string" ? encoder.encode(text) : text);
    return writer.finish();
  };
  const shards = { train: write("train"), val: write("val"), test: write("test") };
  return writeMeta(folder, sources, shards, { tokenizer: BYTE_TOKENIZER, cleaning });
}

/** A source of which all is kept. */
export const sourceInfo = (path: string, changes: Partial<SourceInfo> = {}): SourceInfo => ({
  path,
  format: "text",
  weight: 1,
  documents: 3,
  bytes: 1200,
  tokens: 600,
  invalidUtf8: 0,
  skipped: 0,
  removed: {},
  fingerprint: null,
  ...changes,
});

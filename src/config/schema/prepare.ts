/** The prepare stage: text to shards. */

import * as z from "zod";
import { count, id, needs, path, share, whole } from "./values.ts";

/** Text that is made up in place of being read; src/data/made_up.ts has the generators. */
const MADE_UP = ["stories", "names", "polynomials"] as const;
export type MadeUp = typeof MADE_UP[number];

/** Whether a word stands for made-up text. */
export const isMadeUp = (input: unknown): input is MadeUp => MADE_UP.some((word) => word === input);

const paths = z.array(path).min(1);
const document = z.enum(["file", "blank_line"]);

const source = z.strictObject({
  path: z.union([path, paths], { error: "a path | a list of paths" })
    .describe("files, folders and globs"),
  weight: z.number().gt(0).max(1000).default(1)
    .describe("how often its documents are taken: 2: all twice; 0.5: every second one"),
  format: z.enum(["auto", "text", "jsonl", "parquet"]).default("auto")
    .describe("auto: by the file name's ending; what is neither .jsonl nor .parquet is text"),
  column: z.string().min(1).default("text").describe("Parquet column or JSONL key that holds the text"),
  document: document.optional().describe("of text files; default: what the stage says"),
  include: z.array(path).default([]).describe("globs within folders; only files that match one are read"),
  exclude: z.array(path).default([]).describe(
    "globs within folders; files and folders that match are left out",
  ),
});

const bpe = z.strictObject({
  kind: z.literal("bpe"),
  vocab: z.int().min(257).max(2 ** 20).describe("ids in all: special tokens, 256 bytes, merges"),
  sample_bytes: count.default(100_000_000).describe(
    "bytes of text that it is trained on, from all over the corpus",
  ),
  pattern: z.enum(["gpt4", "gpt2"]).default("gpt4").describe("how text is cut into words before merging"),
  special: z.array(z.string().min(1)).min(1).default(["<|endoftext|>"])
    .describe("special tokens, ids 0 and up; the first one ends a document"),
});

const heldOut = z.union([share, count, paths], {
  error: "a share between 0 and 1 | a number of documents | a list of paths",
});

export const prepareStage = z.strictObject({
  id,
  run: z.literal("prepare"),
  needs,
  input: z.union([path, z.array(z.union([path, source], { error: "a path | a map with a path" })).min(1)], {
    error: `${MADE_UP.join(" | ")} | a path | a list of paths and of maps with a path`,
  }).describe(
    "stories: made-up ones; names: the same with random names of two tokens; polynomials: sums and products to work out; " +
      "else paths, folders and globs of text; fetched:raw, fetched:raw/data/*.parquet: of the files that the fetch stage " +
      "raw in needs has brought",
  ),
  bytes: count.default(4_000_000).describe("bytes of text that are made up; files are read whole"),
  document: document.default("file")
    .describe("of text files: file: each is a document; blank_line: each block between blank lines is one"),
  tokenizer: z.union([z.literal("bytes"), path, bpe], {
    error: "bytes | a tokenizer.json | a map with kind: bpe",
  })
    .default("bytes")
    .describe("bytes; the path of a byte-level BPE's tokenizer.json; or kind: bpe, trained on the corpus"),
  end_token: z.string().min(1).optional()
    .describe("of a tokenizer.json: the token that ends a document, where its name is not a usual one"),
  cleaning: z.strictObject({
    normalize: z.enum(["none", "nfc", "nfkc"]).default("none").describe("Unicode normalization"),
    min_bytes: whole(0).default(0).describe("shorter documents are left out"),
    max_repetition: z.number().min(0).lt(1).optional()
      .describe("documents are left out of which a larger share repeats what came before in them"),
    deduplicate: z.boolean().default(false).describe("keep only the first of equal documents"),
  }).prefault({}).describe("what is left out, each counted in meta.json"),
  validation: heldOut.default(0.02)
    .describe("held out: a share of the documents, a number of them, or the paths and globs that are"),
  test: heldOut.optional().describe("held out as well, and apart from validation; default: nothing"),
  on_error: z.enum(["stop", "skip"]).default("stop")
    .describe("damaged files and records without text: stop, or skip and count them"),
  shard_bytes: whole(1024).default(256_000_000).describe("text bytes after which a new shard begins"),
});

/** The stage as the file gives it, defaults filled in. */
type Given = z.output<typeof prepareStage>;

/** Some files that are read alike; a path alone stands for one with the defaults. Paths are absolute. */
export type SourceConfig = z.output<typeof source>;

/** What the prepare stage is given, but for the seed: paths are absolute. */
export type ResolvedPrepare = Omit<Given, "input"> & {
  readonly input: MadeUp | (string | SourceConfig)[];
};

/** Makes paths absolute. */
export function resolvePrepare(given: Given, absolute: (path: string) => string): ResolvedPrepare {
  const { input, tokenizer, validation, test } = given;
  const full = (path: string | string[]) => Array.isArray(path) ? path.map(absolute) : absolute(path);
  const resolved = (entry: string | SourceConfig) =>
    typeof entry === "string" ? absolute(entry) : { ...entry, path: full(entry.path) };
  return {
    ...given,
    input: isMadeUp(input) ? input : [input].flat().map(resolved),
    tokenizer: typeof tokenizer === "string" && tokenizer !== "bytes" ? absolute(tokenizer) : tokenizer,
    validation: Array.isArray(validation) ? validation.map(absolute) : validation,
    ...(test === undefined ? {} : { test: Array.isArray(test) ? test.map(absolute) : test }),
  };
}

/** Sources written out; a path alone has the defaults. */
export function sourcesOf(input: (string | SourceConfig)[]): SourceConfig[] {
  return input.map((entry) => typeof entry === "string" ? source.parse({ path: entry }) : entry);
}

/** Files, folders and globs that the stage names, `fetched:` ones among them. */
export function pathsOfPrepare({ input, tokenizer, validation, test }: ResolvedPrepare): string[] {
  return [
    ...(isMadeUp(input) ? [] : sourcesOf(input).flatMap(({ path }) => path)),
    ...[validation, test].flatMap((heldOut) => Array.isArray(heldOut) ? heldOut : []),
    ...(typeof tokenizer === "string" && tokenizer !== "bytes" ? [tokenizer] : []),
  ];
}

/** The prepare stage: text to shards. */

import * as z from "zod";
import { count, id, needs, path, share, whole } from "./values.ts";

export const prepareStage = z.strictObject({
  id,
  run: z.literal("prepare"),
  needs,
  input: z.union([path, z.array(path).min(1)], { error: "stories | a path | a list of paths" })
    .describe("stories: the built-in generator; else paths, folders and globs of text"),
  bytes: count.default(4_000_000).describe("bytes of text that the generator makes; files are read whole"),
  document: z.enum(["file", "blank_line"]).default("file")
    .describe("file: each file is a document; blank_line: each block between blank lines is one"),
  validation: z.union([share, z.array(path).min(1)], { error: "a share between 0 and 1 | a list of paths" })
    .default(0.02)
    .describe("share of the documents held out, or the paths and globs that are"),
  shard_bytes: whole(1024).default(256_000_000).describe("text bytes after which a new shard begins"),
});

/** The decode stage: how fast each arm decodes with its own drafts, and what it writes. */

import * as z from "zod";
import { sampling } from "./sampling.ts";
import { count, id, name, needs, path, whole } from "./values.ts";

const split = z.enum(["val", "test", "train"]);

const domain = z.strictObject({
  name: name.describe("names the domain in tables and charts"),
  split: split.optional().describe("a part of the prepared text; default: the stage's split"),
  files: z.array(path).min(1).optional().describe(
    "text of its own in place of a split: files, folders and globs of text, .jsonl and Parquet",
  ),
});

const tree = z.strictObject({
  candidates: z.int().min(2).max(64).default(3).describe("tokens that each head proposes"),
  nodes: z.int().min(2).max(32).default(12).describe("drafted tokens of a forward in all"),
});

export const decodeStage = z.strictObject({
  id,
  run: z.literal("decode"),
  needs,
  split: split.default("val").describe("which part of the text prompts are cut from"),
  domains: z.array(domain).min(1).optional().describe(
    "kinds of text that are measured apart, each with its prompts; default: one, the split",
  ),
  prompts: count.default(16).describe("prompts of each domain, cut from its text"),
  prompt_bytes: whole(4).default(64).describe("bytes of each prompt, at most"),
  new_tokens: count.default(128).describe("tokens generated after each prompt"),
  heads: z.array(z.union([count, z.literal("auto")], { error: "a whole number | auto" })).min(1).optional()
    .describe("how many heads draft, one measurement each; auto: as many as pay; default: each of 2 to K"),
  batches: z.array(count).min(1).default([1]).describe("prompts that share a forward, one measurement each"),
  sampling: sampling.prefault({}).describe("how tokens are chosen"),
  acceptance: z.enum(["exact", "typical"]).default("exact").describe(
    "exact: drafts leave the output as it is; typical: Medusa's rule, which accepts more and is not lossless",
  ),
  tree: tree.optional().describe("drafts branch; default: a chain, one token a head"),
  mode: z.enum(["strict", "exact"]).default("strict")
    .describe("strict: all decoders use one row-invariant computation; exact: equal but for near ties"),
  tolerance: z.number().min(0).default(1e-4).describe(
    "gap between the two best logits below which exact sees a tie",
  ),
  repeats: count.default(3).describe("timed rounds over the prompts, of which the median counts"),
});

type Given = z.output<typeof decodeStage>;

/** A kind of text: a split of what was prepared, or files, whose paths are absolute. */
export type DomainConfig =
  & { readonly name: string }
  & ({ readonly split: z.output<typeof split> } | { readonly files: readonly string[] });

/** Makes paths absolute. */
export function resolveDecode<G extends Given>(given: G, absolute: (path: string) => string): G {
  if (given.domains === undefined) return given;
  const domains = given.domains.map((domain) =>
    domain.files === undefined ? domain : { ...domain, files: domain.files.map(absolute) }
  );
  return { ...given, domains };
}

/** The domains in their order; without any, the split is the only one. */
export function domainsOf({ domains, split }: Pick<Given, "domains" | "split">): DomainConfig[] {
  if (domains === undefined) return [{ name: split, split }];
  return domains.map(({ name, files, split: own = split }) =>
    files === undefined ? { name, split: own } : { name, files }
  );
}

/** Files, folders and globs that the stage names. */
export const pathsOfDecode = ({ domains = [] }: Pick<Given, "domains">): string[] =>
  domains.flatMap(({ files = [] }) => files);

/** The fetch stage: files of a public data set, from a hub to this disk. */

import * as z from "zod";
import { endpoint, id, needs, whole } from "./values.ts";

/** `name:port`; `*.` stands for any subdomain and the domain itself. */
const host = z.string().regex(/^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/i, {
  error: "a host's name, such as cdn.example.com, *.example.com or 127.0.0.1:8080",
}).refine((host) => Number(/:(\d+)$/.exec(host)?.[1] ?? 1) <= 65535, { error: "ports end at 65535" });

export const fetchStage = z.strictObject({
  id,
  run: z.literal("fetch"),
  needs,
  dataset: z.string().regex(/^[\w.-]+(\/[\w.-]+)?$/, { error: "a short name (minipile) or owner/name" })
    .describe("a name of the list in src/config/datasets.ts, or owner/name as the hub has it"),
  config: z.string().min(1).optional().describe("one of the data set's configurations; default all files"),
  split: z.string().min(1).optional().describe("one of its splits, such as train; default all of them"),
  include: z.array(z.string().min(1)).min(1).optional()
    .describe("globs of the files wanted, in place of config and split"),
  revision: z.string().regex(/^[\w./-]+$/, { error: "a branch, a tag or a commit" }).default("main")
    .describe("branch, tag or commit; the commit that it names on the first run is kept"),
  endpoint: endpoint.default("https://huggingface.co").describe("the hub, or a mirror that speaks its paths"),
  hosts: z.array(host).default([])
    .describe("hosts that downloads may be redirected to, besides the endpoint and its subdomains"),
  parallel: whole(1).max(8).default(3).describe("files that are downloaded at a time"),
});

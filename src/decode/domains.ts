/** The domains of a decode stage: prompts of each kind of text, and what the text goes on with. */
import type { DecodeConfig, DomainConfig } from "../config/schema.ts";
import { domainsOf } from "../config/schema/decode.ts";
import { sourcesOf } from "../config/schema/prepare.ts";
import type { ShardSet } from "../data/shards.ts";
import { filesOf } from "../data/sources/file.ts";
import { documentsIn } from "../data/sources/mod.ts";
import { readFiles } from "../data/sources/read.ts";
import type { StageIo } from "../stage/io.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { type Cut, cutPassages, type Passage, passagesOfSplit } from "./prompts.ts";

export interface Domain {
  readonly name: string;
  /** The split, or the files as the pipeline names them. */
  readonly source: string | readonly string[];
  readonly passages: readonly Passage[];
}

/** @throws {UserError} when there is no such text, or too little of it. */
export async function openDomains(
  config: DecodeConfig,
  set: ShardSet,
  tokenizer: Tokenizer,
  io: StageIo,
): Promise<Domain[]> {
  const { prompts: count, prompt_bytes: bytes, new_tokens: continuation } = config;
  const cut = { count, bytes, continuation };
  const domains = [];
  for (const domain of domainsOf(config)) domains.push(await openDomain(domain, set, tokenizer, cut, io));
  return domains;
}

async function openDomain(
  domain: DomainConfig,
  set: ShardSet,
  tokenizer: Tokenizer,
  cut: Cut,
  io: StageIo,
): Promise<Domain> {
  const { name } = domain;
  if ("split" in domain) {
    return { name, source: domain.split, passages: passagesOfSplit(set, domain.split, tokenizer, cut) };
  }
  const texts = await readTexts(domain.files, cut.bytes, (line) => io.log(`domain ${name}: ${line}`));
  return { name, source: domain.files, passages: cutPassages(texts, `domain ${name}`, tokenizer, cut) };
}

/** Bytes of text that are kept of a domain's files: prompts need little, and files may be any size. */
const MOST_BYTES = 64e6;

async function readTexts(paths: readonly string[], least: number, log: (line: string) => void) {
  const reading = { document: "file", skipDamage: false, seed: 0 } as const;
  const files = sourcesOf([...paths]).flatMap((source) => filesOf(source, reading));
  const kept: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  all: for await (const batch of readFiles(files, { file: 0, at: 0, line: 0 })) {
    for (const text of documentsIn(batch)) {
      if (text.length < least) continue;
      kept.push(text.slice());
      if ((bytes += text.length) < MOST_BYTES) continue;
      log(`prompts are cut from its first ${(bytes / 1e6).toFixed(0)} MB`);
      break all;
    }
  }
  return {
    count: kept.length,
    isLong: (document: number, bytes: number) => kept[document]!.length >= bytes,
    text: (document: number) => kept[document]!,
  };
}

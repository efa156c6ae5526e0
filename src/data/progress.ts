/** progress.json: how far a preparation has come, so that a killed one goes on and ends with the same bytes. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import * as z from "zod";
import type { PrepareConfig } from "../config/schema.ts";
import { sha256OfFile, writeText } from "../formats/atomic.ts";
import type { Tally } from "./cleaning.ts";
import type { Corpus } from "./corpus.ts";
import { TOKENIZER } from "./encoding.ts";
import { SEEN, type SplitState } from "./shard_writer.ts";
import { type SourceInfo, type Split, SPLITS, type TokenizerInfo } from "./shards.ts";
import type { Position } from "./sources/mod.ts";
import type { DealerState } from "./splits.ts";

const PROGRESS = "progress.json";
const VERSION = 1;

/** Everything that the documents to come depend on. */
export interface Progress {
  /** Of config and files; another preparation has another one. */
  readonly fingerprint: string;
  readonly tokenizer: TokenizerInfo;
  /** Where reading goes on. */
  readonly position: Position;
  /** Documents of each pass so far. */
  readonly drawn: readonly number[];
  readonly sources: readonly SourceInfo[];
  readonly cleaning: Readonly<Record<string, Tally>>;
  readonly splits: Readonly<Record<Split, SplitState>>;
  readonly dealer: DealerState;
  /** Bytes of the file of seen documents that count. */
  readonly seen: number;
}

/** What a preparation depends on: its config, and path, size and time of last change of each file. */
export function fingerprintOf(config: PrepareConfig, corpus: Corpus): string {
  const files = corpus.files.map(({ path, size, mtime }, i) => [path, size, mtime, corpus.roles[i]]);
  const { tokenizer } = config;
  const own = typeof tokenizer === "string" && tokenizer !== "bytes" ? sha256OfFile(tokenizer) : null;
  return createHash("sha256").update(JSON.stringify([VERSION, config, files, own])).digest("hex");
}

/** Writes it, atomically, after everything that it tells of is on the disk. */
export function writeProgress(folder: string, progress: Progress): void {
  const dealer = progress.dealer.map((cut) => ({
    ...cut,
    waiting: cut.waiting.map(({ key, file, text }) => ({ key, file, text: text.toBase64() })),
  }));
  writeText(join(folder, PROGRESS), JSON.stringify({ version: VERSION, ...progress, dealer }) + "\n");
}

/** What an earlier attempt left; undefined where there is nothing that can be gone on with. */
export function readProgress(folder: string, fingerprint: string): Progress | undefined {
  const head = z.looseObject({ version: z.literal(VERSION), fingerprint: z.literal(fingerprint) });
  let progress;
  try {
    progress = JSON.parse(Deno.readTextFileSync(join(folder, PROGRESS)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (!head.safeParse(progress).success || !filesAreThere(folder, progress)) return undefined;
  for (const cut of progress.dealer) {
    for (const document of cut.waiting) document.text = Uint8Array.fromBase64(document.text);
  }
  return progress;
}

/** Whether progress.json was ever written: then there is something to go on with. */
export function hasProgress(folder: string): boolean {
  return [...Deno.readDirSync(folder)].some(({ name }) => name === PROGRESS);
}

/** Removes it: the set is whole. */
export function removeProgress(folder: string): void {
  if (hasProgress(folder)) Deno.removeSync(join(folder, PROGRESS));
}

/** Whether the shards that are told of are there with at least the bytes told of, and the tokenizer unchanged. */
function filesAreThere(folder: string, { tokenizer, splits, seen }: Progress): boolean {
  const atLeast = (name: string, bytes: number) =>
    bytes === 0 ||
    [name, `${name}.partial`].some((name) => {
      const info = statOrNot(join(folder, name));
      return info !== undefined && info.size >= bytes;
    });
  if (tokenizer.kind === "bpe") {
    const path = join(folder, TOKENIZER);
    if (!statOrNot(path) || sha256OfFile(path) !== tokenizer.sha256) return false;
  }
  return atLeast(SEEN, seen) && SPLITS.every((split) => {
    const { finished, open } = splits[split];
    const name = `${split}-${`${finished.length}`.padStart(5, "0")}`;
    return finished.every(({ file, index, documents }) =>
      atLeast(file, 1) && atLeast(index, 8 * documents)
    ) &&
      (open === null || atLeast(`${name}.bin`, open.fileBytes) && atLeast(`${name}.idx`, 8 * open.documents));
  });
}

function statOrNot(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

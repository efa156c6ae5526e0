/**
 * The prepare stage: text in, shard set out.
 *
 * Documents stream through: reading (sources/, in a thread of its own where there is much), weights (corpus.ts), cleaning
 * (cleaning.ts), splits (splits.ts), tokens (encoding.ts), shards (shard_writer.ts). Memory holds some batches of them,
 * or one that is longer, never the corpus; what grows with it is 24 to 48 bytes a document where duplicates are left out, and
 * the documents that are held out by number.
 *
 * Whenever a shard is whole, progress.json says how far everything has come; an attempt that was stopped or killed goes
 * on from there. It reads the file in hand again up to that place, without parsing it. meta.json is written last: what
 * has none does not open as a set.
 */

import { realPathOf } from "../config/fetched.ts";
import type { PrepareConfig } from "../config/schema.ts";
import { isMadeUp, resolvePrepare } from "../config/schema/prepare.ts";
import { Interrupted, UserError } from "../stage/errors.ts";
import type { Run, StageIo } from "../stage/io.ts";
import { type Corpus, corpusOf } from "./corpus.ts";
import { makeEncoding, reopenEncoding } from "./encoding.ts";
import { megabytes, Pace } from "./pace.ts";
import { Preparation } from "./preparation.ts";
import { fingerprintOf, hasProgress, type Progress, readProgress, removeProgress } from "./progress.ts";
import { startsOf } from "./sample.ts";
import { removeMeta, removeSeen, removeShardSet, writeMeta } from "./shard_writer.ts";
import type { ShardMeta, SourceInfo } from "./shards.ts";
import { readAhead } from "./sources/mod.ts";
import { writeStatistics } from "./statistics.ts";

/** Turns `config.input` into a shard set in `io.folder`. */
export const run: Run<PrepareConfig> = async (given, io) => {
  const folderOf = (id: string) => io.needs.find((need) => need.id === id)!.folder;
  const config = { ...given, ...resolvePrepare(given, (path) => realPathOf(path, folderOf)) };
  const corpus = corpusOf(config);
  const fingerprint = fingerprintOf(config, corpus);
  const before = readProgress(io.folder, fingerprint);
  if (before) {
    io.log(`going on behind ${megabytes(bytesOf(before.sources))} of text that are prepared`);
    removeMeta(io.folder); // where only the last steps were left
  } else removeShardSet(io.folder);
  try {
    const meta = await prepare(config, corpus, fingerprint, before, io);
    writeStatistics(io.folder);
    removeProgress(io.folder);
    removeSeen(io.folder);
    io.log(summary(meta));
  } catch (error) {
    if (!hasProgress(io.folder)) removeShardSet(io.folder);
    throw error;
  }
};

async function prepare(
  config: PrepareConfig,
  corpus: Corpus,
  fingerprint: string,
  before: Progress | undefined,
  io: StageIo,
): Promise<ShardMeta> {
  const encoding = before
    ? await reopenEncoding(io.folder, before.tokenizer)
    : await makeEncoding(config, corpus, io);
  using preparation = new Preparation(io.folder, config, corpus, encoding, fingerprint, before);
  try {
    if (!before && encoding.info.kind === "bpe") preparation.save(); // the tokenizer took a while
    await takeAll(preparation, corpus, io);
    preparation.deal();
    refuseEmpty(config, preparation);
    const { info: tokenizer } = encoding;
    return writeMeta(io.folder, preparation.sources, preparation.finish(), {
      tokenizer,
      cleaning: preparation.cleaning,
    });
  } catch (error) {
    if (hasProgress(io.folder)) preparation.leave();
    throw error;
  }
}

async function takeAll(preparation: Preparation, corpus: Corpus, io: StageIo): Promise<void> {
  const starts = startsOf(corpus.files);
  const remarks = new Remarks(preparation, corpus, io);
  let pace: Pace | undefined;
  for await (const batch of readAhead(corpus.files, preparation.position)) {
    const read = starts[batch.file]! + batch.read;
    pace ??= new Pace(io, starts.at(-1)!, starts[preparation.position.file]!);
    preparation.take(batch);
    preparation.saveIfDue();
    remarks.on(batch);
    await pace.step(batch.ends.length, batch.text.length, read);
    if (io.stop.aborted) {
      preparation.save();
      throw new Interrupted("Stopped; the same command goes on from here");
    }
  }
  remarks.end();
}

/** Lines about what is not as it should be: not more than a reader wants. */
const MOST_REMARKS = 20;

/** Says what was passed over, and which files are not UTF-8. */
class Remarks {
  #left = MOST_REMARKS;
  #source = -1;

  constructor(readonly preparation: Preparation, readonly corpus: Corpus, readonly io: StageIo) {}

  on({ file, remarks }: { readonly file: number; readonly remarks: readonly string[] }): void {
    const { source } = this.corpus.roles[file]!;
    if (source !== this.#source) this.end();
    this.#source = source;
    for (const remark of remarks) this.#say(remark);
  }

  /** Of the file in hand. */
  end(): void {
    const info = this.preparation.sources[this.#source];
    if (!info || info.invalidUtf8 === 0) return;
    const kept = this.preparation.encoding.info.kind === "bytes"
      ? "its bytes are kept as they are"
      : "what is malformed becomes U+FFFD";
    this.#say(`"${info.path}" is not UTF-8: ${kept}`);
  }

  #say(line: string): void {
    if (this.#left > 0) this.io.log(line);
    if (this.#left-- === 1) this.io.log("further remarks of this kind are counted in meta.json only");
  }
}

/** Says what to do where one of the splits has no document. */
function refuseEmpty(config: PrepareConfig, { writers, sources }: Preparation): void {
  const { input, validation, test } = config;
  const inputs = [input].flat().map((entry) => `"${typeof entry === "string" ? entry : entry.path}"`).join(
    ", ",
  );
  const empty = (["train", "val", "test"] as const).filter((split) => writers[split].isEmpty);
  if (empty.length === 3) throw new UserError(`No text in ${inputs}: ${whyNone(sources)}`);
  for (const [key, paths, split] of [["validation", validation, "val"], ["test", test, "test"]] as const) {
    if (Array.isArray(paths) && empty.includes(split)) {
      throw new UserError(`No text in the files that ${key} names: ${paths.join(", ")}`);
    }
  }
  const wanted = test === undefined ? ["train", "val"] : ["train", "val", "test"];
  if (!wanted.some((split) => empty.includes(split as "train"))) return;
  const byName = [Array.isArray(validation) ? "validation" : [], Array.isArray(test) ? "test" : []].flat();
  if (byName.length === wanted.length - 1) {
    throw new UserError(`No text in ${inputs} but for the files that ${byName.join(" and ")} names`);
  }
  const documents = sources.reduce((sum, source) => sum + source.documents, 0);
  const counts = [validation, test].filter((amount) => typeof amount === "number" && amount >= 1);
  if (counts.length > 0) {
    throw new UserError(
      `Only ${documents} documents in ${inputs}, and ${
        counts.join(" + ")
      } different ones have to be held out: ` +
        "ask for fewer, or give more text",
    );
  }
  const remedy = config.document === "file" && !isMadeUp(input)
    ? "set document: blank_line, or name files to hold out in validation"
    : "give more text, or name files to hold out in validation";
  const found = documents === 1 ? "one document" : `${documents} documents, too few different ones,`;
  throw new UserError(`Only ${found} in ${inputs}, and one has to be held out: ${remedy}`);
}

/** Why no source has a document. */
function whyNone(sources: readonly SourceInfo[]): string {
  const reasons = outcomes(sources).filter(([what]) => what !== "empty" && what !== "normalized");
  return reasons.length === 0
    ? "all files are empty"
    : `everything was left out (${reasons.map(([what, n]) => `${n} ${what}`).join(", ")})`;
}

/** What was left out, by reason: number of documents. */
function outcomes(sources: readonly SourceInfo[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { removed, skipped } of sources) {
    for (const [what, n] of [...Object.entries(removed), ["damaged", skipped] as const]) {
      if (n > 0) counts.set(what, (counts.get(what) ?? 0) + n);
    }
  }
  return [...counts];
}

function summary({ splits, sources }: ShardMeta): string {
  const said = ({ bytes, documents }: { bytes: number; documents: number }) =>
    `${megabytes(bytes)} in ${documents} documents`;
  const test = splits.test ? `; test: ${said(splits.test)}` : "";
  const left = outcomes(sources).filter(([what]) => what !== "empty").map(([what, n]) => `${n} ${what}`);
  const from = `from ${sources.length} ${sources.length === 1 ? "source" : "sources"}`;
  return `train: ${said(splits.train)}; held out: ${said(splits.val)}${test}; ${from}` +
    (left.length === 0 ? "" : `; ${left.join(", ")}`);
}

const bytesOf = (sources: readonly SourceInfo[]): number =>
  sources.reduce((sum, { bytes }) => sum + bytes, 0);

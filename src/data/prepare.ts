/**
 * The prepare stage: text in, shard set out. Leaves out tokenizing: bytes become ids where batches are gathered.
 *
 * Documents stream through: memory holds one of them (a whole file, where that is a document) and some buffers,
 * never the corpus. meta.json is written last: a
 * run that was stopped, failed or killed has left nothing that opens as a set.
 */

import { isUtf8 } from "node:buffer";
import type { PrepareConfig } from "../config/schema.ts";
import { findFiles, realPath } from "../formats/input_files.ts";
import { Interrupted, UserError } from "../stage/errors.ts";
import type { Run, StageIo } from "../stage/io.ts";
import { turn } from "../stage/turn.ts";
import { HeldOut } from "./held_out.ts";
import {
  removeShardSet,
  type ShardMeta,
  type SourceInfo,
  type Split,
  SplitWriter,
  writeMeta,
} from "./shards.ts";
import { documentsOf } from "./sources.ts";
import { stories } from "./stories.ts";

/** Turns `config.input` into a shard set in `io.folder`. */
export const run: Run<PrepareConfig> = async (config, io) => {
  const sources = sourcesOf(config);
  removeShardSet(io.folder);
  try {
    const meta = await writeShards(config, sources, io);
    io.log(summary(meta));
  } catch (error) {
    removeShardSet(io.folder);
    throw error;
  }
};

/** Some documents that come from one place. */
interface Source {
  /** A file's absolute path, or "stories". */
  readonly path: string;
  /** Where all its documents go; undefined: each is dealt by the seed. */
  readonly split: Split | undefined;
  /** A yielded slice is valid until the next one. */
  documents(): Iterable<Uint8Array>;
}

function sourcesOf({ input, validation, document, bytes, seed }: PrepareConfig): Source[] {
  const heldOut = typeof validation === "number" ? [] : findFiles(validation);
  const isHeldOut = new Set(heldOut.map(realPath)); // whatever name input has for it
  const rest = typeof validation === "number" ? undefined : "train";
  const fromFile = (path: string, split: Split | undefined) => ({
    path,
    split,
    documents: () => documentsOf(path, document),
  });
  const found = input === "stories"
    ? [{ path: "stories", split: rest, documents: () => stories(seed, bytes) } as const]
    : findFiles(input).filter((path) => !isHeldOut.has(realPath(path))).map((path) => fromFile(path, rest));
  if (found.length === 0) {
    throw new UserError("validation names every file of input: nothing is left to train on; leave some out");
  }
  return [...found, ...heldOut.map((path) => fromFile(path, "val"))];
}

async function writeShards(
  config: PrepareConfig,
  sources: readonly Source[],
  io: StageIo,
): Promise<ShardMeta> {
  using train = new SplitWriter(io.folder, "train", config.shard_bytes);
  using val = new SplitWriter(io.folder, "val", config.shard_bytes);
  const share = typeof config.validation === "number" ? config.validation : 0;
  const deal = new HeldOut(train, val, share, config.seed);
  const pace = new Pace(io);
  const infos: SourceInfo[] = [];
  for (const source of sources) {
    let bytes = 0, documents = 0, invalidUtf8 = false;
    for (const document of source.documents()) {
      deal.add(document, source.split);
      bytes += document.length;
      documents++;
      invalidUtf8 ||= !isUtf8(document);
      if (pace.isDue(document.length)) await pace.rest();
    }
    if (invalidUtf8) io.log(`"${source.path}" is not UTF-8: its bytes are kept as they are`);
    infos.push({ path: source.path, bytes, documents, invalidUtf8 });
  }
  deal.finish();
  refuseEmpty(config, train, val);
  return writeMeta(io.folder, infos, { train: train.finish(), val: val.finish() });
}

/** Says what to do where one of the splits has no document. */
function refuseEmpty(config: PrepareConfig, train: SplitWriter, val: SplitWriter): void {
  const inputs = [config.input].flat().map((input) => `"${input}"`).join(", ");
  if (train.documents + val.documents === 0) throw new UserError(`No text in ${inputs}: all files are empty`);
  if (train.documents > 0 && val.documents > 0) return;
  if (typeof config.validation !== "number") {
    throw new UserError(
      val.documents === 0
        ? `No text in the files that validation names: ${config.validation.join(", ")}`
        : `No text in ${inputs} but for the files that validation names`,
    );
  }
  const remedy = config.document === "file" && config.input !== "stories"
    ? "set document: blank_line, or name files to hold out in validation"
    : "give more text, or name files to hold out in validation";
  throw new UserError(`Only one document in ${inputs}, and one has to be held out: ${remedy}`);
}

/** Bytes between two rests: some 10 to 50 ms. */
const PACE = 4e6;

/** Lets signals through and reports progress. */
class Pace {
  readonly #started = performance.now();
  #bytes = 0;
  #documents = 0;
  #due = PACE;

  constructor(readonly io: StageIo) {}

  /** Counts a document; true when it is time for `rest`. */
  isDue(bytes: number): boolean {
    this.#bytes += bytes;
    this.#documents++;
    return this.#bytes >= this.#due;
  }

  /** @throws Interrupted once the stage is told to stop: always between two documents. */
  async rest(): Promise<void> {
    this.#due = this.#bytes + PACE;
    const seconds = (performance.now() - this.#started) / 1e3;
    this.io.progress(
      `${megabytes(this.#bytes)}, ${this.#documents} documents, ${megabytes(this.#bytes / seconds)}/s`,
    );
    await turn(); // signals get theirs
    if (this.io.stop.aborted) throw new Interrupted("Stopped before all text was read: nothing was kept");
  }
}

function summary({ splits, sources }: ShardMeta): string {
  const [train, val] = [splits.train, splits.val].map(({ bytes, documents }) =>
    `${megabytes(bytes)} in ${documents} documents`
  );
  return `train: ${train}; held out: ${val}; from ${sources.length} ${
    sources.length === 1 ? "source" : "sources"
  }`;
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 0)} MB`;

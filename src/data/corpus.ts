/** What `input`, `validation` and `test` name: the files to be read, in the order of their reading. */

import type { PrepareConfig } from "../config/schema.ts";
import { isMadeUp, type SourceConfig, sourcesOf } from "../config/schema/prepare.ts";
import { findFiles, realPath } from "../formats/input_files.ts";
import { UserError } from "../stage/errors.ts";
import { Random } from "./random.ts";
import type { Split } from "./shards.ts";
import { filesOf, madeUpFile, type Reading, type SourceFile } from "./sources/file.ts";

/** One reading of one source. A weight of 2.5 is three of them: all documents, all again, every second one. */
export interface Pass {
  /** The first pass over the same source. */
  readonly first: number;
  /** Of its documents that are taken; from 0 (left out) to 1. */
  readonly share: number;
  /** Where in the first 1 / share documents the first one is taken: from 0 to 1. */
  readonly start: number;
}

/** Why a file is read. */
export interface Role {
  readonly pass: number;
  /** Index in `sources` of the corpus: the same for each pass over a file. */
  readonly source: number;
  /** Where all its documents go; undefined: each by its own text. */
  readonly split: Split | undefined;
}

/** All that is read. */
export interface Corpus {
  /** A file once for each pass over it. */
  readonly files: readonly SourceFile[];
  /** Of each of `files`. */
  readonly roles: readonly Role[];
  readonly passes: readonly Pass[];
  /** What is counted apart: each file; of a folder or glob with very many, all together. */
  readonly sources: readonly CountedSource[];
}

/** A file, or very many that one source names: `path` is then the source's, `size` their sum, `mtime` the latest. */
export type CountedSource =
  & Pick<SourceFile, "path" | "format" | "compression" | "size" | "mtime">
  & { readonly weight: number };

/** Files of one source that are still counted one by one: with more, meta.json would grow without use. */
const MOST_COUNTED = 1000;

/**
 * Finds the files. Those held out come first, so that what is left out as a duplicate of their documents is the training
 * text. A file that several of `test`, `validation` and the sources of `input` name, by whatever name, is the first one's.
 *
 * @throws {UserError} where a path does not exist, or nothing is left to train on
 */
export function corpusOf(config: PrepareConfig): Corpus {
  const { input, validation, test, document, on_error, seed, bytes } = config;
  const reading: Reading = { document, skipDamage: on_error === "skip", seed };
  const builder = new CorpusBuilder(seed);
  const taken = new Set<string>();
  const notTaken = (files: readonly SourceFile[]): SourceFile[] => {
    const rest = files.filter(({ path }) => !taken.has(realPath(path)));
    for (const { path } of rest) taken.add(realPath(path));
    return rest;
  };
  for (const [split, amount] of [["test", test], ["val", validation]] as const) {
    if (!Array.isArray(amount)) continue;
    builder.add(notTaken(heldOutFiles(amount, input, reading)), amount.join(", "), 1, split);
  }
  const rest = Array.isArray(validation) && (test === undefined || Array.isArray(test)) ? "train" : undefined;
  const before = builder.files.length;
  if (isMadeUp(input)) builder.add([madeUpFile(input, bytes, reading)], input, 1, rest);
  else {
    for (const source of sourcesOf(input)) {
      const files = notTaken(filesOf(source, reading));
      if (files.length > 0) builder.add(files, [source.path].flat().join(", "), source.weight, rest);
    }
  }
  if (builder.files.length === before) {
    throw new UserError("validation names every file of input: nothing is left to train on; leave some out");
  }
  return builder;
}

/** Files that are held out by name: read as the source that names them too, if there is one. */
function heldOutFiles(
  paths: readonly string[],
  input: PrepareConfig["input"],
  reading: Reading,
): SourceFile[] {
  const alike = new Map<string, SourceFile>();
  const sources = isMadeUp(input) ? [] : sourcesOf(input);
  for (const file of sources.flatMap((source) => filesOf(source, reading))) {
    alike.set(realPath(file.path), file);
  }
  const plain: SourceConfig = sourcesOf(["-"])[0]!;
  return findFiles(paths).flatMap((path) =>
    alike.get(realPath(path)) ?? filesOf({ ...plain, path }, reading)
  );
}

class CorpusBuilder implements Corpus {
  readonly files: SourceFile[] = [];
  readonly roles: Role[] = [];
  readonly passes: Pass[] = [];
  readonly sources: CountedSource[] = [];

  constructor(readonly seed: number) {}

  /** @param name stands for all files where they are very many. */
  add(files: readonly SourceFile[], name: string, weight: number, split: Split | undefined): void {
    const first = this.passes.length;
    const firstSource = this.sources.length;
    const isOne = files.length > MOST_COUNTED;
    if (isOne) this.sources.push({ ...together(files, name), weight });
    else for (const file of files) this.sources.push({ ...file, weight });
    const start = new Random(this.seed, first).unit();
    for (let left = weight; left > 1e-9; left--) {
      const pass = this.passes.push({ first, share: Math.min(1, left), start }) - 1;
      for (const [i, file] of files.entries()) {
        this.files.push(file);
        this.roles.push({ pass, source: firstSource + (isOne ? 0 : i), split });
      }
    }
  }
}

function together(files: readonly SourceFile[], path: string): Omit<CountedSource, "weight"> {
  const { format, compression } = files[0]!;
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const mtime = files.reduce((latest, file) => Math.max(latest, file.mtime), 0);
  return { path, format, compression, size, mtime };
}

/** Whether document `n` (from 0) of a pass is one of those taken: evenly spread, the share met to the document. */
export function isTaken({ share, start }: Pass, n: number): boolean {
  const turns = (documents: number) => Math.floor(documents * share + start);
  return share >= 1 || turns(n) < turns(n + 1);
}

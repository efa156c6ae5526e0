/** What decides a stage's results, as one hash: what is done and unchanged need not be done again. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import type { PrepareConfig, StageConfig, StageKind } from "../config/schema.ts";
import { globPattern, globRoot, isGlob } from "../formats/glob.ts";

/** Raised by hand when a stage's code gives other results for the same config: then they are made anew. */
export const STAGE_VERSIONS: Record<StageKind, number> = {
  prepare: 1,
  train: 1,
  eval: 1,
  decode: 1,
  report: 1,
};

/** SHA-256 in hexadecimal over a stage's config, its version, its input files, and the fingerprints that it needs. */
export function fingerprintOf(config: StageConfig, needs: readonly string[]): string {
  const inputs = config.run === "prepare" ? inputFiles(config) : [];
  const decisive = [STAGE_VERSIONS[config.run], decisivePart(config), inputs, needs];
  return createHash("sha256").update(JSON.stringify(sorted(decisive))).digest("hex");
}

/** The config less what may change on the way: where it is computed, and how often it is logged and saved. */
export function decisivePart(config: StageConfig): object {
  if (config.run === "train") {
    const { device: _d, threads: _t, train, ...rest } = config;
    const {
      log_every: _l,
      validate_every: _e,
      validate_batches: _b,
      checkpoint_every: _c,
      keep: _k,
      ...decisive
    } = train;
    return { ...rest, train: decisive };
  }
  if (config.run === "eval") {
    const { device: _d, threads: _t, ...rest } = config;
    return rest;
  }
  return config;
}

/** Objects with their keys in order, so that the order in the file does not count. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

/** Path, bytes and time of last change of each input file; what cannot be read is left for the stage to report. */
type InputFile = readonly [path: string, bytes: number, changed: number];

function inputFiles({ input, validation }: PrepareConfig): InputFile[] {
  const paths = [input, validation].flatMap((given) => Array.isArray(given) ? given : []);
  return paths.flatMap((path) => {
    const found = [...filesAt(path)];
    if (found.length > 0 || !isGlob(path)) return found;
    const pattern = globPattern(path);
    return [...filesAt(globRoot(path))].filter(([file]) => pattern.test(file));
  });
}

/** A file, or the files in a folder and below it; as in `prepare`, links to folders and dotted names are left out. */
function* filesAt(path: string, isLink = false): Generator<InputFile> {
  try {
    const { isDirectory, size, mtime } = Deno.statSync(path);
    if (!isDirectory) return yield [path, size, mtime?.getTime() ?? 0];
    if (isLink) return;
    const entries = [...Deno.readDirSync(path)].filter(({ name }) => !name.startsWith("."));
    entries.sort((a, b) => a.name < b.name ? -1 : 1);
    for (const { name, isSymlink } of entries) yield* filesAt(join(path, name), isSymlink);
  } catch (error) {
    const { NotFound, PermissionDenied, NotCapable } = Deno.errors;
    if (![NotFound, PermissionDenied, NotCapable].some((kind) => error instanceof kind)) throw error;
  }
}

/** What decides a stage's results, as one hash: what is done and unchanged need not be done again. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { isFetched } from "../config/fetched.ts";
import { type StageConfig, type StageKind, withoutCadence } from "../config/schema.ts";
import { pathsOfDecode } from "../config/schema/decode.ts";
import { pathsOfEval } from "../config/schema/eval.ts";
import { withoutPatience } from "../config/schema/generation.ts";
import { pathsOfPrepare } from "../config/schema/prepare.ts";
import { findFiles } from "../formats/input_files.ts";
import { UserError } from "../stage/errors.ts";
import { nativeOf } from "./permissions.ts";

/** Raised by hand when a stage's code gives other results for the same config: then they are made anew. */
export const STAGE_VERSIONS: Record<StageKind, number> = {
  fetch: 2,
  prepare: 3,
  import: 2,
  train: 2,
  eval: 3,
  decode: 3,
  export: 2,
  report: 4,
};

/** `ABI_VERSION` of src/torch/symbols.ts, which the runner does not load; a test compares them. */
export const SHIM_ABI = 3;

/**
 * SHA-256 in hexadecimal over a stage's config, its version, its input files, and the results that it needs.
 *
 * @param needs What tells the results of each stage that it needs from those of any other attempt.
 */
export function fingerprintOf(config: StageConfig, needs: readonly string[]): string {
  const { run } = config;
  const inputs = inputPaths(config).flatMap((path) => filesNamed([path]));
  const abi = nativeOf(config) === "torch" ? SHIM_ABI : null;
  const decisive = [STAGE_VERSIONS[run], abi, decisivePart(config), inputs, needs];
  return createHash("sha256").update(JSON.stringify(sorted(decisive))).digest("hex");
}

/** The config less what may change on the way: where it is computed, and how often it is logged and saved. */
export function decisivePart(config: StageConfig): object {
  if (config.run === "train") {
    const { device: _d, threads: _t, train, ...rest } = config;
    return { ...rest, train: withoutCadence(train) };
  }
  if (config.run === "fetch") {
    const { endpoint: _e, hosts: _h, parallel: _p, ...rest } = config; // a mirror has the same files, or is refused
    return rest;
  }
  if (config.run === "eval") {
    const { device: _d, threads: _t, generation, ...rest } = config;
    return generation === undefined ? rest : { ...rest, generation: withoutPatience(generation) };
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

/** Path, bytes and time of last change of each input file. */
type InputFile = readonly [path: string, bytes: number, changed: number];

/** What a stage reads besides the results that it needs. */
function inputPaths(config: StageConfig): string[] {
  if (config.run === "prepare") return pathsOfPrepare(config).filter((path) => !isFetched(path)); // those are results of its needs
  if (config.run === "decode") return pathsOfDecode(config);
  if (config.run === "eval") return pathsOfEval(config);
  // Every attempt at a stage writes its status anew.
  if (config.run === "report") return (config.from ?? []).map(({ run }) => join(run, "*/status.json"));
  if (config.run === "import" || config.run === "export") {
    return config.from === undefined ? [] : [config.from];
  }
  return [];
}

/** What cannot be read is left for the stage to report. */
function filesNamed(paths: readonly string[]): InputFile[] {
  try {
    return findFiles(paths).map((path) => {
      const { size, mtime } = Deno.statSync(path);
      return [path, size, mtime?.getTime() ?? 0];
    });
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}

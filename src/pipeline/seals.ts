/** Results as their stage left them: hashes in status.json, which tell of figures that were changed by hand. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import type { StageKind } from "../config/schema.ts";
import type { Status } from "./stage_files.ts";

/** The files that figures are taken from. Large ones (shards, weights) carry checksums of their own. */
const FIGURES: Record<StageKind, readonly string[]> = {
  fetch: ["fetch.json"],
  prepare: ["meta.json", "statistics.json"],
  import: [],
  train: ["train.json", "metrics.jsonl"],
  eval: ["eval.json"],
  decode: ["decode.json"],
  export: [],
  report: ["report.html", "report.json"],
};

/** SHA-256 in hexadecimal of each file of figures that a stage has left in its folder. */
export function sealsOf(folder: string, kind: StageKind): Record<string, string> {
  return Object.fromEntries(FIGURES[kind].flatMap((name) => {
    const hash = hashOf(join(folder, name));
    return hash === undefined ? [] : [[name, hash]];
  }));
}

/** The files that are not as the stage left them, or not there. */
export function brokenSeals(folder: string, { results = {} }: Pick<Status, "results">): string[] {
  return Object.entries(results).filter(([name, hash]) => hashOf(join(folder, name)) !== hash).map(([name]) =>
    name
  );
}

function hashOf(path: string): string | undefined {
  try {
    return createHash("sha256").update(Deno.readFileSync(path)).digest("hex");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

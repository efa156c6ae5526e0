/** pipeline.json: what a run's folder holds the results of, and which version of this program made it. */

import { join } from "node:path";
import type { PipelineConfig } from "../config/schema.ts";
import { fileError } from "../formats/file_errors.ts";
import { parseJson } from "../formats/json.ts";
import { UserError } from "../stage/errors.ts";
import type { Command } from "./stage_files.ts";

/** Version of this program, written into each run. */
const FORETOKEN = "0.1.0";

/** Raised when another version could not go on with what lies in a run's folder. */
const FORMAT = 1;

/** The resolved settings, and what ran them. */
export function describeRun(config: PipelineConfig, command: Command): object {
  const { deno, v8 } = Deno.version;
  const versions = { foretoken: FORETOKEN, deno, v8 };
  return { format: FORMAT, config, versions, ...command, created: new Date().toISOString() };
}

/**
 * Passes a folder that this version can go on with, or that holds no run yet.
 *
 * @throws {UserError} that says what to do.
 */
export function checkRunFormat(run: string): void {
  const path = join(run, "pipeline.json");
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw fileError("read", path, error);
  }
  const { format = FORMAT, versions } = (parseJson(text, `"${path}"`) ?? {}) as {
    format?: number;
    versions?: { foretoken?: string };
  };
  if (format === FORMAT) return;
  throw new UserError(
    `${run} was made by foretoken ${
      versions?.foretoken ?? "of another version"
    } (format ${format}, and this is ` +
      `${FORETOKEN} with format ${FORMAT}): go on with that version, or choose another name (--set name=...)`,
  );
}

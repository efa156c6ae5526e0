/** The files that describe a stage in its own folder: what it was asked (stage.json), and how it went (status.json). */

import { join } from "node:path";
import type { StageConfig, StageKind } from "../config/schema.ts";
import { writeJson, writeJsonOver } from "../formats/atomic.ts";
import { fileError } from "../formats/file_errors.ts";
import { parseJson } from "../formats/json.ts";
import { UserError } from "../stage/errors.ts";

/** stage.json: written by the runner before it starts the stage. */
export interface StageFile {
  readonly id: string;
  readonly run: StageKind;
  readonly config: StageConfig;
  /** Stages that this one reads; their folders are its folder's neighbours. */
  readonly needs: readonly { readonly id: string; readonly run: StageKind }[];
  /** Of the stage's code: see `STAGE_VERSIONS`. */
  readonly version: number;
  /** SHA-256 over all that decides the stage's results. */
  readonly fingerprint: string;
  /** What the user asked for: the report says how to do it again. */
  readonly command: Command;
}

/** Which settings a run was started with. */
export interface Command {
  /** The pipeline file, relative to the project where it lies inside. */
  readonly file: string;
  /** What followed each `--set`. */
  readonly set: readonly string[];
}

/** status.json: written by the stage itself, and by the runner for a stage that died without a word. */
export interface Status {
  readonly state: "running" | "done" | "failed" | "interrupted";
  /** Of the stage.json that this attempt was about: with another one beside it, this file says nothing. */
  readonly fingerprint: string;
  /** ISO 8601, UTC. */
  readonly started: string;
  /** Wall-clock seconds of this attempt so far. */
  readonly seconds: number;
  /** One sentence, where `state` is `failed`. */
  readonly error?: string;
  /** SHA-256 of the files that hold its figures, where `state` is `done`. */
  readonly results?: Readonly<Record<string, string>>;
}

/**
 * What the runner asked of the stage in this folder, or undefined where there is no stage.
 *
 * @throws {UserError} where it cannot be read, or something else stands there.
 */
export function readStageFile(folder: string): StageFile | undefined {
  const stage = readIfThere(join(folder, "stage.json")) as StageFile | undefined;
  if (stage === undefined || typeof stage?.id === "string" && typeof stage.run === "string") return stage;
  throw describesNothing(folder);
}

/**
 * The same with all that planning takes from it.
 *
 * @throws {UserError} where it lacks that.
 */
export function readWholeStageFile(folder: string): StageFile | undefined {
  const stage = readStageFile(folder);
  if (stage === undefined || typeof stage.config === "object" && Array.isArray(stage.needs)) return stage;
  throw describesNothing(folder);
}

function describesNothing(folder: string): UserError {
  const path = join(folder, "stage.json");
  return new UserError(
    `Cannot read "${path}": it does not describe a stage; remove its folder, or put it back`,
  );
}

/** Replaces stage.json in one step. */
export function writeStageFile(folder: string, stage: StageFile): void {
  writeJson(join(folder, "stage.json"), stage);
}

/** How the stage in this folder went, or undefined where it never ran. */
export function readStatus(folder: string): Status | undefined {
  return readIfThere(join(folder, "status.json")) as Status | undefined;
}

/** Replaces status.json in one step, on a full disk too where there is one already. */
export function writeStatus(folder: string, status: Status): void {
  writeJsonOver(join(folder, "status.json"), status);
}

function readIfThere(path: string): unknown {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw fileError("read", path, error);
  }
  return parseJson(text, `"${path}"`);
}

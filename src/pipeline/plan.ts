/** What is to be done: which stages have run already with the same config and inputs, and which have to run. */

import { join } from "node:path";
import type { PipelineConfig, StageConfig, StageKind } from "../config/schema.ts";
import { differences } from "../formats/differences.ts";
import { taskOf } from "../formats/shell.ts";
import { UsageError, UserError } from "../stage/errors.ts";
import { type Command, readStageFile, readStatus, type StageFile } from "./stage_files.ts";
import { decisivePart, fingerprintOf, STAGE_VERSIONS } from "./fingerprint.ts";

/**
 * - `done`: it ran to its end with the same config on the same inputs
 * - `continue`: it was begun with the same config
 * - `new`: its folder holds nothing
 * - `changed`: its folder holds results of another config or other inputs
 */
export type State = "done" | "continue" | "new" | "changed";

/** A stage, its folder, and what was found there. */
export interface PlannedStage {
  readonly config: StageConfig;
  readonly folder: string;
  /** The stages whose results it reads. */
  readonly needs: readonly PlannedStage[];
  readonly state: State;
  /** What differs in its own config, where `state` is `changed`: `train.steps: 400 before, 500 now`. */
  readonly changes: readonly string[];
}

/**
 * All stages in the order of the file, in which every stage comes after those that it needs.
 * @throws {UserError} where a stage's folder cannot be read.
 */
export function planPipeline({ stages }: PipelineConfig, runFolder: string): PlannedStage[] {
  const planned = new Map<string, PlannedStage>();
  for (const config of stages) {
    const needs = config.needs.map((need) => planned.get(need)!);
    planned.set(config.id, planStage(config, join(runFolder, config.id), needs));
  }
  return [...planned.values()];
}

function planStage(config: StageConfig, folder: string, needs: readonly PlannedStage[]): PlannedStage {
  const stage = { config, folder, needs };
  const before = readStageFile(folder);
  if (!before) return { ...stage, state: "new", changes: [] };
  const isCurrent = needs.every(({ state }) => state === "done") &&
    before.fingerprint === fingerprintNow(stage);
  if (!isCurrent) return { ...stage, state: "changed", changes: changesSince(before, config) };
  const status = readStatus(folder);
  const isDone = status?.state === "done" && status.fingerprint === before.fingerprint;
  return { ...stage, state: isDone ? "done" : "continue", changes: [] };
}

function changesSince(before: StageFile, config: StageConfig): string[] {
  const changes = differences(decisivePart(before.config), decisivePart(config));
  const version = STAGE_VERSIONS[config.run];
  return before.version === version ? changes : [
    ...changes,
    `version: ${before.version} before, ${version} now`,
  ];
}

/** The stage's fingerprint, once all that it needs is done: an attempt is told from others by when it started. */
function fingerprintNow({ config, needs }: Pick<PlannedStage, "config" | "needs">): string {
  return fingerprintOf(config, needs.map(({ folder }) => readStatus(folder)!.started));
}

/** What the stage is to be given, once all that it needs is done. */
export function stageFileOf(stage: Pick<PlannedStage, "config" | "needs">, command: Command): StageFile {
  const { config, needs } = stage;
  return {
    id: config.id,
    run: config.run,
    config,
    needs: needs.map(({ config: { id, run } }) => ({ id, run })),
    version: STAGE_VERSIONS[config.run],
    fingerprint: fingerprintNow(stage),
    command,
  };
}

/** Which stages a command means. */
export interface Selection {
  /** Only stages of this kind. */
  readonly kind?: StageConfig["run"];
  /** Only this stage. */
  readonly id?: string;
  /** Whether to throw away results in the way, and with `id` to start that stage over in any case. */
  readonly force: boolean;
}

/** A selected stage, and what is to happen to it. */
export interface Task {
  readonly stage: PlannedStage;
  readonly action: "skip" | "run" | "clear and run";
}

/** What the user typed, for sentences that name a command to run. */
export interface Asked {
  /** The pipeline file, or the command that needs none. */
  readonly file: string;
  /** The file with all settings, as a shell takes them; undefined for a command that needs no file. */
  readonly words: string | undefined;
}

/**
 * What to do, before anything is done.
 * @throws {UserError} where a needed stage is not done and not selected, or where a changed config meets checkpoints.
 */
export function select(plan: readonly PlannedStage[], selection: Selection, asked: Asked): Task[] {
  const { kind, id, force } = selection;
  const isSelected = ({ config }: PlannedStage) =>
    (kind === undefined || config.run === kind) && (id === undefined || config.id === id);
  const stages = plan.filter(isSelected);
  if (stages.length === 0) throw new UsageError(nothingSelected(plan, selection, asked.file));

  const ready = new Set(plan.filter(({ state }) => state === "done").map(({ config }) => config.id));
  return stages.map((stage) => {
    const missing = stage.config.needs.find((need) => !ready.has(need));
    if (missing !== undefined) throw new UserError(needIsMissing(stage, plan, missing, asked));
    ready.add(stage.config.id);
    return { stage, action: actionFor(stage, force, id !== undefined, asked) };
  });
}

function actionFor(stage: PlannedStage, force: boolean, isNamed: boolean, asked: Asked): Task["action"] {
  const { config, state, changes } = stage;
  if (force && isNamed) return "clear and run";
  if (state === "done") return "skip";
  if (state !== "changed") return "run";
  const costly = force ? undefined : costlyResults(stage);
  if (costly === undefined) return "clear and run";
  // What it reads, or the shim, was made anew, perhaps to the same bytes: training compares and refuses by itself.
  if (changes.length === 0) return "run";
  const remedy = asked.words === undefined
    ? "to throw them away, add --force; to keep them, choose another --name"
    : `to throw them away, add --force (or only for it: \`${
      runOnly(stage, asked)
    } --force\`); to keep them, ` +
      "choose another name for the pipeline (--set name=...) or for the stage";
  throw new UserError(`${config.id} holds ${costly} (${changes.join("; ")}): ${remedy}`);
}

/** What a stage has that took long to get, and where. */
const COSTLY: Partial<Record<StageKind, readonly [folder: string, what: string]>> = {
  train: ["checkpoints", "checkpoints of another run"],
  fetch: ["files", "files that were fetched with other settings"],
};

function costlyResults({ config, folder }: PlannedStage): string | undefined {
  const [name, what] = COSTLY[config.run] ?? [];
  if (name === undefined) return undefined;
  try {
    return [...Deno.readDirSync(join(folder, name))].length > 0 ? what : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function nothingSelected(plan: readonly PlannedStage[], { kind, id }: Selection, file: string): string {
  const ofKind = plan.filter(({ config }) => kind === undefined || config.run === kind);
  const known = ofKind.map(({ config }) => config.id).join(", ") || "none";
  return id === undefined
    ? `${file} has no ${kind} stage`
    : `${file} has no ${kind === undefined ? "" : `${kind} `}stage "${id}": there is ${known}`;
}

function needIsMissing(
  stage: PlannedStage,
  plan: readonly PlannedStage[],
  need: string,
  asked: Asked,
): string {
  const needed = plan.find(({ config }) => config.id === need)!;
  return `${stage.config.id} needs ${need}, which is not done: run \`${runOnly(needed, asked)}\`, ` +
    `or \`deno task pipeline ${asked.words}\` for all`;
}

/** The command for one stage. */
function runOnly({ config: { id, run } }: PlannedStage, { words }: Asked): string {
  return `deno task ${taskOf(run)} ${words} --stage ${id}`;
}

/** What was found in a run's folder: which stages have run already with the same config and inputs. */

import { join } from "node:path";
import type { PipelineConfig, StageConfig } from "../config/schema.ts";
import { differences } from "../formats/differences.ts";
import { UserError } from "../stage/errors.ts";
import { decisivePart, fingerprintOf, STAGE_VERSIONS } from "./fingerprint.ts";
import { brokenSeals } from "./seals.ts";
import { type Command, readStatus, readWholeStageFile, type StageFile } from "./stage_files.ts";

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
  const before = readWholeStageFile(folder);
  if (!before) return { ...stage, state: "new", changes: [] };
  if (before.run !== config.run) {
    throw new UserError(
      `${folder} holds the stage ${before.id} that ran \`${before.run}\`, and ${config.id} runs \`${config.run}\`: ` +
        "remove that folder, or choose another id for the stage",
    );
  }
  const isCurrent = (isPatient(config) || needs.every(({ state }) => state === "done")) &&
    before.fingerprint === fingerprintNow(stage);
  if (!isCurrent) return { ...stage, state: "changed", changes: changesSince(before, config) };
  const status = readStatus(folder);
  const isDone = status?.state === "done" && status.fingerprint === before.fingerprint;
  if (!isDone) return { ...stage, state: "continue", changes: [] };
  const edited = brokenSeals(folder, status);
  if (edited.length === 0) return { ...stage, state: "done", changes: [] };
  return { ...stage, state: "changed", changes: [`${edited.join(", ")}: not as the stage left it`] };
}

/** Whether a stage makes do with those of its needs that are done: a report shows what there is. */
export const isPatient = ({ run }: StageConfig): boolean => run === "report";

function changesSince(before: StageFile, config: StageConfig): string[] {
  const changes = differences(decisivePart(before.config), decisivePart(config));
  const version = STAGE_VERSIONS[config.run];
  return before.version === version ? changes : [
    ...changes,
    `version: ${before.version} before, ${version} now`,
  ];
}

/** The stage's fingerprint, once all that it needs has ended: an attempt is told from others by when it started. */
function fingerprintNow({ config, needs }: Pick<PlannedStage, "config" | "needs">): string {
  return fingerprintOf(config, needs.map(({ folder }) => doneSince(folder) ?? "not done"));
}

function doneSince(folder: string): string | undefined {
  const status = readStatus(folder);
  return status?.state === "done" ? status.started : undefined;
}

/** What the stage is to be given, once all that it needs has ended. */
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

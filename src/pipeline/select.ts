/** What a command means: which stages are to run, which of them start over, and whether that may be. */

import { join } from "node:path";
import { didYouMean } from "../config/nearest.ts";
import { withDependents } from "../config/needs.ts";
import type { PipelineConfig, StageConfig, StageKind } from "../config/schema.ts";
import { taskOf } from "../formats/shell.ts";
import { UsageError, UserError } from "../stage/errors.ts";
import { isPatient, type PlannedStage } from "./plan.ts";

/** Which stages a command means. Names are ids, or stand for all stages of a matrix. */
export interface Selection {
  /** Only stages of this kind. */
  readonly kind?: StageConfig["run"];
  /** Only these stages. */
  readonly only?: readonly string[];
  /** Only these stages, and all that need them. */
  readonly from?: readonly string[];
  /** Stages that start over in any case; `true`: results in the way are thrown away, of stages in `only` in any case. */
  readonly force: boolean | readonly string[];
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
export function select(
  plan: readonly PlannedStage[],
  selection: Selection,
  asked: Asked,
  groups: PipelineConfig["groups"] = {},
): Task[] {
  const { kind, force } = selection;
  const isOfKind = ({ config }: PlannedStage) => kind === undefined || config.run === kind;
  const idsOfKind = plan.filter(isOfKind).map(({ config }) => config.id);
  const ids = (names: readonly string[]) =>
    idsNamed(names, idsOfKind, groups, `${asked.file} has no ${kind === undefined ? "" : `${kind} `}stage`);
  const only = selection.only === undefined ? undefined : new Set(ids(selection.only));
  const from = selection.from && withDependents(plan.map(({ config }) => config), ids(selection.from));
  const forced = new Set(typeof force === "boolean" ? (force ? only ?? [] : []) : ids(force));
  const stages = plan.filter((stage) =>
    isOfKind(stage) && (only?.has(stage.config.id) ?? true) && (from?.has(stage.config.id) ?? true)
  );
  if (stages.length === 0) throw new UsageError(`${asked.file} has no ${kind ?? "such"} stage`);
  const idle = [...forced].find((id) => !stages.some(({ config }) => config.id === id));
  if (idle !== undefined) throw new UsageError(`--force ${idle}: it is not among the stages that are to run`);
  const tasks = new Map<string, Task>();
  const isReady = (need: PlannedStage) => need.state === "done" || tasks.has(need.config.id);
  for (const stage of stages) {
    const missing = stage.needs.filter((need) => !isReady(need));
    const canStart = missing.length === 0 || (isPatient(stage.config) && missing.length < stage.needs.length);
    if (!canStart) throw new UserError(needIsMissing(stage, missing[0]!, asked));
    const isOutdated = stage.needs.some((need) => (tasks.get(need.config.id)?.action ?? "skip") !== "skip");
    const action = forced.has(stage.config.id)
      ? "clear and run"
      : actionFor(stage, force === true, isOutdated, asked);
    tasks.set(stage.config.id, { stage, action });
  }
  return [...tasks.values()];
}

/** From what the user calls stages to their ids. */
function idsNamed(
  names: readonly string[],
  ofKind: readonly string[],
  groups: PipelineConfig["groups"],
  where: string,
): string[] {
  return names.flatMap((name) => {
    const meant = Object.hasOwn(groups, name) ? groups[name]! : [name];
    if (meant.some((id) => ofKind.includes(id))) return meant;
    const members = new Set(Object.values(groups).flat());
    const known = [
      ...Object.keys(groups).filter((group) => groups[group]!.some((id) => ofKind.includes(id))),
      ...ofKind.filter((id) => !members.has(id)),
    ];
    throw new UsageError(
      `${where} "${name}": there is ${known.join(", ") || "none"}${didYouMean(name, [...known, ...ofKind])}`,
    );
  });
}

function actionFor(stage: PlannedStage, force: boolean, isOutdated: boolean, asked: Asked): Task["action"] {
  const { config, state, changes } = stage;
  if (state === "done" && !isOutdated) return "skip";
  if (state === "new" || state === "continue") return "run";
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
  train: ["checkpoints", "checkpoints of an earlier run"],
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

function needIsMissing(stage: PlannedStage, needed: PlannedStage, asked: Asked): string {
  return `${stage.config.id} needs ${needed.config.id}, which is not done: run \`${
    runOnly(needed, asked)
  }\`, ` +
    `or \`deno task pipeline ${asked.words}\` for all`;
}

/** The command for one stage. */
function runOnly({ config: { id, run } }: PlannedStage, { words }: Asked): string {
  const task = taskOf(run);
  return `deno task ${task} ${words} ${task === "pipeline" ? "--only" : "--stage"} ${id}`;
}

/** From what the user typed to the folder of a run or of a stage that has run. */

import { dirname, join, resolve } from "node:path";
import { didYouMean } from "../config/nearest.ts";
import type { StageKind } from "../config/schema.ts";
import { UsageError } from "../stage/errors.ts";
import { readStageFile } from "./stage_files.ts";

/** The stages of a run, by id. */
export interface FoundRun {
  /** Absolute. */
  readonly folder: string;
  readonly stages: readonly { readonly id: string; readonly run: StageKind }[];
}

/**
 * A run: the name of a folder in `runs`, or the path of one.
 * @throws {UsageError} that names the runs there are.
 */
export function findRun(given: string, runs: string): FoundRun {
  for (const folder of [join(runs, given), given].map((path) => resolve(path))) {
    const stages = stagesIn(folder);
    if (stages.length > 0) return { folder, stages };
  }
  const known = foldersIn(resolve(runs)).filter((name) => stagesIn(join(resolve(runs), name)).length > 0)
    .sort();
  const there = known.length === 0 ? `${runs} holds none` : `there is ${known.slice(0, 12).join(", ")}`;
  throw new UsageError(`${given}: no such run; ${there}${didYouMean(given, known)}`);
}

/**
 * A stage of one kind that has run: `run/stage`, the run alone where it has one such stage, or the stage's folder.
 * @returns its folder, absolute.
 * @throws {UsageError} that names the stages of that kind.
 */
export function findStage(given: string, kind: StageKind, runs: string): string {
  for (const folder of [join(runs, given), given].map((path) => resolve(path))) {
    if (stageIn(folder)?.run === kind) return folder;
  }
  const isRun = [join(runs, given), given].some((path) => stagesIn(resolve(path)).length > 0);
  const run = findRun(isRun || ["/", "."].includes(dirname(given)) ? given : dirname(given), runs);
  const ids = run.stages.filter((stage) => stage.run === kind).map(({ id }) => id);
  if (isRun && ids.length === 1) return join(run.folder, ids[0]!);
  const choice = ids.length === 0
    ? `it has no ${kind} stage`
    : `choose one of ${ids.map((id) => `${given}/${id}`).join(", ")}`;
  if (isRun) throw new UsageError(`${given}: ${choice}`);
  const wanted = given.slice(dirname(given).length + 1);
  throw new UsageError(
    `${dirname(given)} has no ${kind} stage "${wanted}": there is ${ids.join(", ") || "none"}${
      didYouMean(wanted, ids)
    }`,
  );
}

function stagesIn(folder: string): FoundRun["stages"] {
  return foldersIn(folder).sort().flatMap((name) => {
    const stage = stageIn(join(folder, name));
    return stage === undefined ? [] : [{ id: stage.id, run: stage.run }];
  });
}

/** Deno lets no one look into /dev and /proc, and someone who mistypes a path may well ask for what lies there. */
function stageIn(folder: string): ReturnType<typeof readStageFile> {
  try {
    return readStageFile(folder);
  } catch (error) {
    if (error instanceof Error && error.cause instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

function foldersIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  } catch {
    return []; // whatever the reason, it holds no run that could be read
  }
}

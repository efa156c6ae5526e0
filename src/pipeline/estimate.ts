/** How long stages will take: by what such stages took in this folder of runs, else by a usual machine. */

import { dirname, join } from "node:path";
import type { StageConfig, StageKind } from "../config/schema.ts";
import type { PlannedStage } from "./plan.ts";
import { isAlone } from "./schedule.ts";
import { readStageFile, readStatus } from "./stage_files.ts";
import { type Work, workOf } from "./work.ts";

/** Seconds, and whether a stage of this kind has been timed here before. */
export interface Estimate {
  readonly seconds: number;
  readonly measured: boolean;
}

/** A stage that ran to its end. */
interface Timed {
  readonly run: StageKind;
  readonly work: number;
  readonly seconds: number;
}

/** Work a second of a usual machine with two cores, and the seconds that a process takes to start. */
const USUAL: Partial<Record<StageKind, number>> = {
  prepare: 25e6,
  train: 80e9,
  eval: 40e9,
  decode: 40e9,
  report: 100,
};
const START = 1;
/** Nothing is told of a stage by one with so many times as much or as little work, in natural logarithms. */
const FAR = Math.log(300);
/** How many of the latest runs are looked at. */
const RUNS = 8;

/** Knows what took how long. */
export class Estimator {
  readonly #timed: readonly Timed[];

  /** @param run The run's folder; the others lie beside it. */
  constructor(run: string) {
    this.#timed = latestRuns(run).flatMap(timedIn);
  }

  /** Undefined where it cannot be told: a download, or a text whose size is not known yet. */
  estimate({ config, needs }: PlannedStage): Estimate | undefined {
    const work = safely({ config, needs: needs.map((need) => need.config) });
    if (work === undefined) return undefined;
    const distance = (other: Timed) => Math.abs(Math.log(other.work / work));
    const [alike] = this.#timed.filter((timed) => timed.run === config.run && distance(timed) < FAR)
      .sort((a, b) => distance(a) - distance(b));
    if (alike !== undefined) return { seconds: alike.seconds * work / alike.work, measured: true };
    const rate = USUAL[config.run];
    return rate === undefined ? undefined : { seconds: START + work / rate, measured: false };
  }
}

/** Seconds of stages of which so many go side by side, but for those that run alone. */
export function sideBySide(
  stages: readonly { config: StageConfig; seconds: number }[],
  jobs: number,
): number {
  return stages.reduce((sum, { config, seconds }) => sum + seconds / (isAlone(config) ? 1 : jobs), 0);
}

/** A model that cannot be is told of elsewhere. */
function safely(work: Work): number | undefined {
  try {
    return workOf(work);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** This run's folder and those beside it that were changed last. */
function latestRuns(run: string): string[] {
  const runs = dirname(run);
  const changed = namesIn(runs).map((name) => join(runs, name)).map((folder) => ({
    folder,
    at: changedAt(folder),
  }));
  const others = changed.filter(({ folder }) => folder !== run).sort((a, b) => b.at - a.at).slice(0, RUNS);
  return [run, ...others.map(({ folder }) => folder)];
}

function changedAt(folder: string): number {
  try {
    return Deno.statSync(folder).mtime?.getTime() ?? 0;
  } catch {
    return 0; // it has just gone
  }
}

function timedIn(run: string): Timed[] {
  const files = namesIn(run).flatMap((name) => {
    const folder = join(run, name);
    try {
      const stage = readStageFile(folder);
      return stage === undefined ? [] : [{ folder, stage }];
    } catch {
      return []; // what cannot be read tells nothing
    }
  });
  const configs = new Map<string, StageConfig>(files.map(({ stage }) => [stage.id, stage.config]));
  return files.flatMap(({ folder, stage: { run, config, needs } }) => {
    try {
      const needed = needs.flatMap(({ id }) => configs.get(id) ?? []);
      const { state, seconds } = readStatus(folder) ?? {};
      if (state !== "done" || seconds === undefined) return [];
      const work = workOf({ config, needs: needed });
      return work !== undefined && work > 0 ? [{ run, work, seconds }] : []; // not of NaN either
    } catch {
      return []; // settings of another version
    }
  });
}

function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  } catch {
    return [];
  }
}

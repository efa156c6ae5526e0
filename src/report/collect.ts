/** Gathers what stages of one or more runs left behind into one object; what is missing becomes a sentence. */

import { basename, dirname, join } from "node:path";
import { UserError } from "../stage/errors.ts";
import type { Need } from "../stage/io.ts";
import type { StageCommand } from "./commands.ts";
import {
  type DecodedArm,
  type Decoding,
  type EvaluatedArm,
  type Evaluation,
  type Meta,
  type Phase,
  pipelineFile,
  type Statistics,
  type Step,
  type Training,
  type Validation,
  type Warning,
} from "./inputs.ts";
import { mergedDecodings, mergedEvaluations } from "./merge.ts";
import { readJson, type ReadText } from "./read.ts";
import { readRun } from "./run_results.ts";
import { named, type NamedSource, type Source } from "./sources.ts";
import { type Config, StageFolder } from "./stage_folder.ts";
import { foreignTexts } from "./texts.ts";

export type { Config } from "./stage_folder.ts";
export { phasesSeen } from "./run_results.ts";

/** Everything that a page is made of. */
export interface Results {
  /** The run's name: that of its folder. */
  readonly name: string;
  /** What the needed stages and the report were run with, where their folders say so. */
  readonly commands: readonly StageCommand[];
  readonly versions: Config;
  readonly data: readonly Dataset[];
  readonly arms: readonly Arm[];
  /** Stages with equal settings are one. */
  readonly evaluations: readonly Staged<Evaluation>[];
  /** Stages with equal settings are one. */
  readonly decodings: readonly Staged<Decoding>[];
  /** Configurations of the needed stages that are not arms. */
  readonly configs: readonly Staged<Config>[];
  /** How long each stage took, and which arms it was about. */
  readonly stages: readonly StageTime[];
  /** Sentences about what could not be shown, or is not what it seems. */
  readonly missing: readonly string[];
}

/** A result and the id of the stage that it came from. */
export interface Staged<T> {
  readonly id: string;
  readonly value: T;
}

/** Prepared text; `statistics`: null where the stage has left none. */
export type Dataset = Staged<Meta> & { readonly statistics: Statistics | null };

/** Wall-clock time of a stage. */
export interface StageTime {
  readonly id: string;
  readonly run: string;
  /** Of its last attempt, of a training at least its steps' own; null where it has not ended. */
  readonly seconds: number | null;
  /** Ids of the arms that it trained or measured. */
  readonly arms: readonly string[];
}

/** One model: its training, its evaluation, its decoding, as far as they are there. */
export interface Arm {
  /** No two arms have the same. */
  readonly id: string;
  /** Name of the run that it is part of. */
  readonly run: string;
  /** What tells the text that it was trained on, with its tokenizer, from other texts; null where nothing says. */
  readonly text: string | null;
  /** The curriculum's name. */
  readonly curriculum: string;
  /** K. */
  readonly heads: number;
  readonly config: Config | null;
  readonly training: Training | null;
  readonly phases: readonly Phase[];
  readonly steps: readonly Step[];
  readonly validations: readonly Validation[];
  readonly warnings: readonly Warning[];
  readonly evaluation: ArmEvaluation | null;
  readonly decoding: DecodedArm | null;
}

/** An arm's evaluation and the part of the text that it is about: `val`, `test` or `train`. */
export type ArmEvaluation = EvaluatedArm & { readonly split: string };

/**
 * Reads the folders of the needed stages. An arm that several evaluations or decodings have measured carries the
 * first one's results, an evaluation on held-out text before others.
 *
 * @param folder The report's own folder; the run's folder holds it.
 * @throws {UserError} when there is nothing to report on
 */
export function collect(folder: string, needs: readonly Need[], read: ReadText): Results {
  return collectRuns(folder, [{ folder: dirname(folder), needs }], read);
}

/**
 * The same of any runs together. Ids of stages begin with their run's name where there are several runs, those of arms
 * where two runs have an arm of one name.
 *
 * @throws {UserError} when there is nothing to report on
 */
export function collectRuns(folder: string, sources: readonly Source[], read: ReadText): Results {
  const missing: string[] = [];
  const tell = (sentence: string) => missing.push(sentence);
  const runs = named(sources).map((source) => ({ source, ...readRun(source, read, tell) }));
  const evaluations = mergedEvaluations(runs.flatMap((run) => run.evaluations));
  const decodings = mergedDecodings(runs.flatMap((run) => run.decodings), tell);
  const arms = runs.flatMap((run) => run.arms);
  if (arms.length === 0) {
    throw new UserError("Cannot report: needs names no train, eval or decode stage that has results");
  }
  const name = basename(dirname(folder));
  const own = { id: basename(folder), run: "report", folder };
  const { command } = new StageFolder(own, read, () => {});
  return {
    name,
    versions: versionsOf(runs.map(({ source }) => source), read),
    commands: [
      ...runs.flatMap((run) => run.commands),
      ...(command === null ? [] : [{ id: own.id, run: own.run, of: name, command }]),
    ],
    data: runs.flatMap((run) => run.data),
    arms,
    evaluations,
    decodings,
    configs: runs.flatMap((run) => run.configs),
    stages: runs.flatMap((run) => run.stages),
    missing: [...missing, ...foreignTexts(arms)],
  };
}

function versionsOf(sources: readonly NamedSource[], read: ReadText): Config {
  const [first, ...others] = sources.map((
    { name, folder },
  ): [string, Config] => [name, readVersions(folder, read)]);
  return others.length === 0 ? first?.[1] ?? {} : Object.fromEntries([first!, ...others]);
}

/** pipeline.json stands outside of the folders that a stage is given: where it may not be read, the page does without. */
function readVersions(folder: string, read: ReadText): Config {
  try {
    return readJson(read, join(folder, "pipeline.json"), pipelineFile)?.versions ?? {};
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return {};
  }
}

/** Gathers what the needed stages left behind into one object; what is missing becomes a sentence. */

import { basename, dirname, join } from "node:path";
import type * as z from "zod";
import { UserError } from "../stage/errors.ts";
import type { Need } from "../stage/io.ts";
import type { StageCommand } from "./commands.ts";
import {
  type DecodedArm,
  decodeFile,
  type Decoding,
  evalFile,
  type EvaluatedArm,
  type Evaluation,
  type Meta,
  metaFile,
  type Phase,
  pipelineFile,
  stageFile,
  type Statistics,
  statisticsFile,
  type Step,
  trainFile,
  type Training,
  type Validation,
  type Warning,
} from "./inputs.ts";
import { readJson, readMetrics, type ReadText } from "./read.ts";

/** A stage's configuration as it was run. */
export type Config = Readonly<Record<string, unknown>>;

/** Everything that a page is made of. */
export interface Results {
  /** The run's name: that of its folder. */
  readonly name: string;
  /** What the needed stages and the report were run with, where their folders say so. */
  readonly commands: readonly StageCommand[];
  readonly versions: Config;
  readonly data: readonly Dataset[];
  readonly arms: readonly Arm[];
  readonly evaluations: readonly Staged<Evaluation>[];
  readonly decodings: readonly Staged<Decoding>[];
  /** Configurations of the needed stages that are not arms. */
  readonly configs: readonly Staged<Config>[];
  /** Sentences about what could not be shown. */
  readonly missing: readonly string[];
}

/** A result and the id of the stage that it came from. */
export interface Staged<T> {
  readonly id: string;
  readonly value: T;
}

/** Prepared text; `statistics`: null where the stage has left none. */
export type Dataset = Staged<Meta> & { readonly statistics: Statistics | null };

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
 * @throws {UserError} when a file is malformed, or when there is nothing to report on
 */
export function collect(folder: string, needs: readonly Need[], read: ReadText): Results {
  const missing: string[] = [];
  const of = (run: string): Need[] => needs.filter((need) => need.run === run);
  const results = <T>(run: string, file: string, schema: Parameters<typeof readJson<T>>[2]): Staged<T>[] =>
    of(run).flatMap(({ id, folder }) => {
      const value = readJson<T>(read, join(folder, file), schema);
      if (value === null) missing.push(`The ${run} stage ${id} has left no ${file}.`);
      return value === null ? [] : [{ id, value }];
    });
  const data = results("prepare", "meta.json", metaFile).map(({ id, value }) => {
    const { folder } = needs.find((need) => need.id === id)!;
    return { id, value, statistics: readJson(read, join(folder, "statistics.json"), statisticsFile) };
  });
  const evaluations = results("eval", "eval.json", evalFile);
  const decodings = results("decode", "decode.json", decodeFile);
  const name = basename(dirname(folder));
  const textOf = (config: Config | null) => textNeeded(config, data);
  const arms = collectArms(of("train"), evaluations, decodings, read, missing).map((arm) => ({
    ...arm,
    run: name,
    text: textOf(arm.config),
  }));
  if (arms.length === 0) {
    throw new UserError("Cannot report: needs names no train, eval or decode stage that has results");
  }
  return {
    name,
    versions: readVersions(dirname(folder), read),
    commands: [...needs, { id: basename(folder), run: "report", folder }].flatMap(({ id, run, folder }) => {
      const command = readStage(folder, read)?.command;
      return command === undefined ? [] : [{ id, run, command }];
    }),
    data,
    arms,
    evaluations,
    decodings,
    configs: needs.filter(({ run }) => run !== "train").flatMap((need) => {
      const config = readStage(need.folder, read)?.config ?? null;
      return config === null ? [] : [{ id: need.id, value: config }];
    }),
    missing,
  };
}

/** pipeline.json stands outside of the folders that a stage is given: where it may not be read, the page does without. */
function readVersions(folder: string, read: ReadText): Config {
  try {
    return readJson(read, join(folder, "pipeline.json"), pipelineFile)?.versions ?? {};
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return {};
  }
}

function isRefusal(error: unknown): boolean {
  const cause = error instanceof UserError ? error.cause : null;
  return cause instanceof Deno.errors.NotCapable || cause instanceof Deno.errors.PermissionDenied;
}

function readStage(folder: string, read: ReadText): z.output<typeof stageFile> | null {
  return readJson(read, join(folder, "stage.json"), stageFile);
}

/** The prepared text by its content where that is known, else by the names of what the training needed. */
function textNeeded(config: Config | null, data: readonly Dataset[]): string | null {
  if (!Array.isArray(config?.needs)) return null;
  const text = data.find(({ id }) => (config.needs as unknown[]).includes(id))?.value;
  return text === undefined ? config.needs.join(" ") : JSON.stringify([text.tokenizer, text.splits]);
}

type Unplaced = Omit<Arm, "run" | "text">;

/** Trained arms in the order of `needs`, then those that were only measured. */
function collectArms(
  needs: readonly Need[],
  evaluations: readonly Staged<Evaluation>[],
  decodings: readonly Staged<Decoding>[],
  read: ReadText,
  missing: string[],
): Unplaced[] {
  const heldOutFirst = [...evaluations].sort((a, b) =>
    Number(b.value.split !== "train") - Number(a.value.split !== "train")
  );
  const evaluated = heldOutFirst.flatMap(({ value }) =>
    value.arms.map((arm) => ({ ...arm, split: value.split }))
  );
  const decoded = decodings.flatMap(({ value }) => value.arms);
  const ids = new Set([...needs, ...evaluated, ...decoded].map(({ id }) => id));
  return [...ids].map((id) => {
    const need = needs.find((need) => need.id === id);
    // Files may be any text: their figures stand in a table of their own.
    const evaluation = evaluated.find((arm) => arm.id === id && arm.split !== "files") ?? null;
    const decoding = decoded.find((arm) => arm.id === id) ?? null;
    return collectArm(id, need, evaluation, decoding, read, missing);
  });
}

function collectArm(
  id: string,
  need: Need | undefined,
  evaluation: ArmEvaluation | null,
  decoding: DecodedArm | null,
  read: ReadText,
  missing: string[],
): Unplaced {
  const config = need ? readStage(need.folder, read)?.config ?? null : null;
  const training = need ? readJson(read, join(need.folder, "train.json"), trainFile) : null;
  const metrics = need ? readMetrics(read, join(need.folder, "metrics.jsonl")) : null;
  if (need && !training) missing.push(`The training of ${id} has not ended: it has left no train.json.`);
  if (need && !metrics) {
    missing.push(`The training of ${id} has left no metrics.jsonl: its curves are not drawn.`);
  }
  const steps = metrics?.steps ?? [];
  return {
    id,
    curriculum: training?.curriculum.name ?? evaluation?.curriculum ?? decoding?.curriculum ??
      namedIn(config),
    heads: training?.curriculum.heads ?? evaluation?.heads.length ?? decoding?.heads ??
      steps[0]?.heads.length ?? 1,
    config,
    training,
    phases: training?.curriculum.phases ?? phasesSeen(steps),
    steps,
    validations: metrics?.validations ?? [],
    warnings: metrics?.warnings ?? [],
    evaluation,
    decoding,
  };
}

function namedIn(config: Config | null): string {
  return typeof config?.curriculum === "string" ? config.curriculum : "custom";
}

/** The phases that the logged steps show: of a training that has not ended, nothing else is known. */
export function phasesSeen(steps: readonly Step[]): Phase[] {
  const phases: Phase[] = [];
  for (const { step, weights } of steps) {
    const open = phases.at(-1);
    if (open !== undefined && String(open.weights) === String(weights)) open.to = step;
    else phases.push({ from: open?.to ?? 0, to: step, weights });
  }
  return phases;
}

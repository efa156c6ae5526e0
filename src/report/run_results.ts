/** What the stages of one run left behind: its text, its arms, its measurements. */

import type { Arm, ArmEvaluation, Config, Dataset, Staged, StageTime } from "./collect.ts";
import type { StageCommand } from "./commands.ts";
import { listed } from "./headline.ts";
import {
  type DecodedArm,
  decodeFile,
  type Decoding,
  evalFile,
  type Evaluation,
  metaFile,
  type Phase,
  statisticsFile,
  type Step,
  trainFile,
} from "./inputs.ts";
import { firstResults, type Measured } from "./merge.ts";
import type { ReadText } from "./read.ts";
import type { NamedSource } from "./sources.ts";
import { StageFolder } from "./stage_folder.ts";
import { textOf } from "./texts.ts";

/** One run's part of a page. */
export interface RunResults {
  readonly data: readonly Dataset[];
  readonly arms: readonly Arm[];
  readonly evaluations: readonly Measured<Evaluation>[];
  readonly decodings: readonly Measured<Decoding>[];
  readonly configs: readonly Staged<Config>[];
  readonly stages: readonly StageTime[];
  readonly commands: readonly StageCommand[];
}

/** @param tell Gets sentences about what is missing or broken. */
export function readRun(source: NamedSource, read: ReadText, tell: (sentence: string) => void): RunResults {
  const wanted = (arm: string) => source.arms === undefined || source.arms.includes(arm);
  const needs = source.needs.filter(({ id, run }) => run !== "train" || wanted(id));
  const stages = needs.map((need) => {
    const id = need.run === "train" ? source.arm(need.id) : source.stage(need.id);
    return { need, folder: new StageFolder({ ...need, id }, read, tell) };
  });
  const of = (run: string) => stages.filter(({ need }) => need.run === run);
  tellOfFailures(stages.map(({ folder }) => folder), tell);

  const data = of("prepare").flatMap(({ need, folder }) => {
    const value = resultOf(folder, "meta.json", metaFile, tell);
    return value === null
      ? []
      : [{ id: need.id, value, statistics: folder.json("statistics.json", statisticsFile) }];
  });
  const trained = of("train").map(({ need }) => need.id);
  const measured = <T extends Evaluation | Decoding>(
    run: string,
    file: string,
    schema: Parameters<typeof resultOf<T>>[2],
  ): Measured<T>[] =>
    of(run).flatMap(({ folder }) => {
      const value = resultOf<T>(folder, file, schema, tell);
      const { id, config } = folder;
      return value === null
        ? []
        : [{ id, config, text: textOf(config, data, trained), value: ofArms(value, source, wanted) }];
    });
  const evaluations = measured<Evaluation>("eval", "eval.json", evalFile);
  const decodings = measured<Decoding>("decode", "decode.json", decodeFile);
  const arms = armsOf(of("train").map(({ folder }) => folder), evaluations, decodings, tell)
    .map((arm) => ({ ...arm, run: source.name, text: textOf(arm.config, data, trained) }));
  const aboutArms = new Map<string, readonly string[]>([
    ...arms.map(({ id }) => [id, [id]] as const),
    ...[...evaluations, ...decodings].map(({ id, value }) => [id, value.arms.map(({ id }) => id)] as const),
  ]);
  return {
    data: data.map((dataset) => ({ ...dataset, id: source.stage(dataset.id) })),
    arms,
    evaluations,
    decodings,
    configs: stages.filter(({ need }) => need.run !== "train").flatMap(({ folder: { id, config } }) =>
      config === null ? [] : [{ id, value: config }]
    ),
    stages: stages.filter(({ folder }) => !folder.isUnused).map(({ folder: { id, run, status } }) => ({
      id,
      run,
      seconds: status?.state === "done"
        ? Math.max(status.seconds, arms.find((arm) => arm.id === id)?.training?.seconds ?? 0)
        : null,
      arms: aboutArms.get(id) ?? [],
    })),
    commands: stages.flatMap(({ need: { id, run }, folder: { command } }) =>
      command === null ? [] : [{ id, run, of: source.name, command }]
    ),
  };
}

/** One sentence for each stage that did not come to its end, and one for all that were never begun. */
function tellOfFailures(folders: readonly StageFolder[], tell: (sentence: string) => void): void {
  for (const { failure } of folders) if (failure !== null) tell(failure);
  const unused = folders.filter(({ isUnused }) => isUnused).map(({ id }) => id);
  if (unused.length > 0) tell(`Never run: ${listed(unused)}.`);
}

/** A file that a stage leaves behind at its end; a sentence where it is missing and nothing has said why. */
function resultOf<T>(
  folder: StageFolder,
  file: string,
  schema: Parameters<typeof folder.json<T>>[1],
  tell: (sentence: string) => void,
): T | null {
  const before = folder.told;
  const value = folder.json(file, schema);
  if (value === null && folder.told === before && folder.failure === null && !folder.isUnused) {
    tell(`The ${folder.run} stage ${folder.id} has left no ${file}.`);
  }
  return value;
}

/** The results of these arms alone, under the names that they have on the page. */
function ofArms<T extends Evaluation | Decoding>(
  value: T,
  { arm: rename }: NamedSource,
  wanted: (arm: string) => boolean,
): T {
  const renamed = <A extends { readonly id: string }>(arms: readonly A[]): A[] =>
    arms.filter(({ id }) => wanted(id)).map((arm) => ({ ...arm, id: rename(arm.id) }));
  const arms = renamed<Evaluation["arms"][number] | Decoding["arms"][number]>(value.arms);
  if (!("generation" in value) || value.generation === undefined) return { ...value, arms } as T;
  const { generation } = value;
  return {
    ...value,
    arms,
    generation: {
      ...generation,
      arms: renamed(generation.arms),
      comparisons: generation.comparisons.filter(({ arm, against }) => wanted(arm) && wanted(against))
        .map((compared) => ({ ...compared, arm: rename(compared.arm), against: rename(compared.against) })),
      samples: generation.samples.map((sample) => ({
        ...sample,
        texts: sample.texts.filter(({ arm }) => wanted(arm)).map((text) => ({
          ...text,
          arm: rename(text.arm),
        })),
      })),
    },
  } as T;
}

type Unplaced = Omit<Arm, "run" | "text">;

/** Trained arms in the order of the stages, then those that were only measured. An arm that was never begun is none. */
function armsOf(
  trained: readonly StageFolder[],
  evaluations: readonly Measured<Evaluation>[],
  decodings: readonly Measured<Decoding>[],
  tell: (sentence: string) => void,
): Unplaced[] {
  // Files may be any text: their figures stand in a table of their own.
  const heldOutFirst = evaluations.filter(({ value }) => value.split !== "files").sort((a, b) =>
    Number(b.value.split !== "train") - Number(a.value.split !== "train")
  );
  const evaluated = firstResults(heldOutFirst.map((stage) => {
    const { split, arms } = stage.value;
    return { ...stage, value: { arms: arms.map((arm) => ({ ...arm, split })) } };
  }));
  const decoded = firstResults(decodings);
  const begun = trained.filter(({ isUnused }) => !isUnused);
  const measured = [...evaluations, ...decodings].flatMap(({ value: { arms } }) => arms.map(({ id }) => id));
  const ids = new Set([...begun.map(({ id }) => id), ...measured]);
  return [...ids].map((id) => {
    const folder = begun.find((stage) => stage.id === id) ?? null;
    return armOf(id, folder, evaluated.get(id) ?? null, decoded.get(id) ?? null, tell);
  });
}

function armOf(
  id: string,
  folder: StageFolder | null,
  evaluation: ArmEvaluation | null,
  decoding: DecodedArm | null,
  tell: (sentence: string) => void,
): Unplaced {
  const before = folder?.told;
  const training = folder?.json("train.json", trainFile) ?? null;
  if (folder && !training && folder.told === before && folder.failure === null) {
    tell(`The training of ${id} has not ended: it has left no train.json.`);
  }
  const metrics = folder?.metrics() ?? null;
  if (folder && !metrics) tell(`The training of ${id} has left no metrics.jsonl: its curves are not drawn.`);
  const steps = metrics?.steps ?? [];
  const config = folder?.config ?? null;
  return {
    id,
    curriculum: training?.curriculum.name ?? evaluation?.curriculum ?? decoding?.curriculum ??
      namedIn(config),
    heads: training?.curriculum.heads ?? evaluation?.heads.length ?? decoding?.heads ??
      headsIn(config) ?? steps[0]?.heads.length ?? 1,
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

function headsIn(config: Config | null): number | null {
  const count = ((config?.model as Config | undefined)?.heads as Config | undefined)?.count;
  return typeof count === "number" ? count : null;
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

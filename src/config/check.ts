/** Checks of a pipeline file that need more than one key; the schema has passed before. */

import { checkCurriculum } from "./check/curriculum.ts";
import { checkDecode } from "./check/decode.ts";
import { checkEval } from "./check/eval.ts";
import { checkModel } from "./check/model.ts";
import { DATASETS } from "./datasets.ts";
import { fetchStageOf, isFetched } from "./fetched.ts";
import { didYouMean } from "./nearest.ts";
import { circleIn } from "./needs.ts";
import type { Problem } from "./problems.ts";
import type { PipelineFile, StageKind } from "./schema.ts";
import { pathsOfPrepare, resolvePrepare } from "./schema/prepare.ts";
import type { Path } from "./document.ts";

type Stage = PipelineFile["stages"][number];

/** What is wrong between the keys of a file, in the file's order. */
export function checkPipeline(file: PipelineFile): Problem[] {
  const keys = new Set([...Object.keys(file), "stages"]);
  const first = new Map<string, number>();
  for (const [i, { id }] of file.stages.entries()) if (!first.has(id)) first.set(id, i);
  const problems = file.stages.flatMap((stage, i) => [
    ...checkId(stage, i, first, keys),
    ...checkNeeds(stage, i, file.stages, first),
    ...(stage.run === "fetch" ? checkFetch(stage, ["stages", i]) : []),
    ...(stage.run === "prepare" ? checkPrepare(stage, ["stages", i], file.stages) : []),
    ...(stage.run === "train" ? checkTrain(stage, ["stages", i]) : []),
    ...(stage.run === "eval" ? checkEval(stage, ["stages", i], file.stages) : []),
    ...(stage.run === "decode" ? checkDecode(stage, ["stages", i], file.stages) : []),
  ]);
  const circle = circleIn(file.stages);
  if (circle === undefined || circle.length === 2) return problems; // of a stage that needs itself they tell
  const at = first.get(circle[0]!)!;
  const message = `the stages need each other in a circle: ${circle.join(" -> ")}`;
  return [{ path: ["stages", at, "needs"], message }];
}

/** The run's own files, which lie beside the stages' folders. */
const RUN_FILES: readonly string[] = ["lock", "pipeline.json"];

/** The first stage with each id. */
type First = ReadonlyMap<string, number>;

function checkId(stage: Stage, i: number, first: First, keys: ReadonlySet<string>): Problem[] {
  const path = ["stages", i, "id"];
  const refuse = (why: string) => [{ path, message: `"${stage.id}" is ${why}: choose another id` }];
  if (keys.has(stage.id)) return refuse("a key of the file");
  if (RUN_FILES.includes(stage.id)) return refuse("a file of the run's folder");
  return first.get(stage.id) === i
    ? []
    : [{ path, message: `the id "${stage.id}" is taken by an earlier stage` }];
}

/** Which kinds of stage each kind reads: how many of each, [least, most]. */
const READS: Record<StageKind, Partial<Record<StageKind, readonly [number, number]>>> = {
  fetch: {},
  prepare: { fetch: [0, Infinity] },
  import: {},
  train: { prepare: [1, 1], import: [0, 1] },
  eval: { prepare: [1, 1], train: [1, Infinity] },
  decode: { prepare: [1, 1], train: [1, Infinity] },
  export: { train: [0, 1], prepare: [0, 1] },
  report: {
    import: [0, Infinity],
    export: [0, Infinity],
    fetch: [0, Infinity],
    prepare: [0, Infinity],
    train: [0, Infinity],
    eval: [0, Infinity],
    decode: [0, Infinity],
  },
};

function checkNeeds(stage: Stage, i: number, stages: readonly Stage[], first: First): Problem[] {
  const problems: Problem[] = [];
  const reads = READS[stage.run];
  const found = new Map<StageKind, number>();
  const seen = new Set<string>();
  for (const [n, need] of stage.needs.entries()) {
    const refuse = (message: string) => problems.push({ path: ["stages", i, "needs", n], message });
    const index = first.get(need);
    if (index === undefined) refuse(`no stage has the id "${need}"${didYouMean(need, [...first.keys()])}`);
    else if (index === i) refuse("a stage cannot need itself");
    else if (seen.has(need)) refuse(`"${need}" stands here twice`);
    else {
      seen.add(need);
      const kind = stages[index]!.run;
      found.set(kind, (found.get(kind) ?? 0) + 1);
      if (!reads[kind]) refuse(`"${need}" is ${aStage(kind)}, which ${aStage(stage.run)} does not read`);
    }
  }
  if (problems.length > 0) return problems; // else one mistake is told twice
  const counts = Object.entries(reads) as [StageKind, readonly [number, number]][];
  for (const [kind, [least, most]] of counts) {
    const number = found.get(kind) ?? 0;
    if (number >= least && number <= most) continue;
    const wanted = least === most ? "one" : number < least ? "at least one" : "at most one";
    const message = `${aStage(stage.run)} needs ${wanted} ${kind} stage, found ${number || "none"}`;
    problems.push({ path: ["stages", i, "needs"], message });
  }
  if (stage.run === "export" && found.has("train") === (stage.from !== undefined)) {
    problems.push({
      path: ["stages", i, "needs"],
      message: "an export stage has one train stage in needs, or the folder of one in from",
    });
  }
  if (stage.run === "report" && stage.needs.length === 0 && stage.from === undefined) {
    problems.push({
      path: ["stages", i, "needs"],
      message: "a report stage needs at least one stage, found none",
    });
  }
  return problems;
}

function aStage(kind: StageKind): string {
  return `${/^[aeiou]/.test(kind) ? "an" : "a"} ${kind} stage`;
}

function checkFetch({ dataset }: Extract<Stage, { run: "fetch" }>, path: Path): Problem[] {
  if (dataset.includes("/") || Object.hasOwn(DATASETS, dataset)) return [];
  const known = Object.keys(DATASETS);
  const message = `expected owner/name or one of ${known.join(" | ")}, found "${dataset}"` +
    didYouMean(dataset, known);
  return [{ path: [...path, "dataset"], message }];
}

/** `fetched:raw` is about a fetch stage among the needs. */
function checkPrepare(
  stage: Extract<Stage, { run: "prepare" }>,
  path: Path,
  stages: readonly Stage[],
): Problem[] {
  const fetching = stages.filter(({ id, run }) => run === "fetch" && stage.needs.includes(id)).map(({ id }) =>
    id
  );
  const named = pathsOfPrepare(resolvePrepare(stage, (path) => path)).filter(isFetched).map(fetchStageOf);
  return named.filter((id) => !fetching.includes(id)).map((id) => ({
    path: [...path, "input"],
    message: `fetched:${id} needs a fetch stage "${id}" in needs, found ${fetching.join(", ") || "none"}` +
      didYouMean(id, fetching),
  }));
}

function checkTrain(stage: Extract<Stage, { run: "train" }>, path: Path): Problem[] {
  const { steps, warmup, schedule, decay } = stage.train;
  const falling = Math.round(decay * steps);
  const overlap = schedule !== "wsd" || warmup > steps || warmup + falling <= steps ? [] : [{
    path: [...path, "train", "decay"],
    message: `the decay (${falling} steps) and the warm-up (${warmup}) exceed steps (${steps})`,
  }];
  const tooLong = warmup <= steps ? [] : [{
    path: [...path, "train", "warmup"],
    message: `expected at most as many as steps (${steps}), found ${warmup}`,
  }];
  return [
    ...checkModel(stage.model, [...path, "model"]),
    ...checkCurriculum(stage.curriculum, stage.model.heads.count, [...path, "curriculum"]),
    ...tooLong,
    ...overlap,
  ];
}

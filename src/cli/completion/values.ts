/** Values that depend on files: pipelines and their stages, runs, names that the program knows. */

import { dirname, join, resolve } from "node:path";
import type { StageKind } from "../../config/schema.ts";
import type { Candidate, Candidates } from "./candidates.ts";

/** What has been typed. */
export interface Situation {
  /** Names of the command: `model`, `show`. */
  readonly path: readonly string[];
  readonly positionals: readonly string[];
  /** Values by long name; none for an option that takes none. */
  readonly options: Readonly<Record<string, readonly string[]>>;
  /** The word that is being typed. */
  readonly current: string;
}

type Values = (situation: Situation) => Candidates | Promise<Candidates>;

const NOTHING: Values = () => ({ words: [] });
const FILES: Values = () => ({ words: [], files: "files" });
const FOLDERS: Values = () => ({ words: [], files: "folders" });

/** By the argument's name, and by the command's where one name has two meanings. */
const ARGUMENTS: Readonly<Record<string, Values>> = {
  file: (situation) => ({ words: pipelines(situation) }),
  curriculum: async (situation) => {
    const { PRESETS } = await import("../../config/schema/curriculum.ts");
    return { words: [...named(PRESETS, "a curriculum"), ...pipelines(situation)] };
  },
  model: async (situation) => {
    const { PRESETS } = await import("../../config/schema/model.ts");
    return { words: [...named(Object.keys(PRESETS), "a size"), ...pipelines(situation)] };
  },
  run: (situation) =>
    situation.current.includes("/") && situation.path[0] === "compare"
      ? stagesOfRuns(situation, "train")
      : { words: runs(situation).map((value) => ({ value })), files: "folders" },
  arm: (situation) => stagesOfRuns(situation, "train"),
  text: (situation) => stagesOfRuns(situation, "prepare"),
  folder: FOLDERS,
  name: async () => {
    const { DATASETS } = await import("../../config/datasets.ts");
    return { words: Object.entries(DATASETS).map(([value, { about }]) => ({ value, about })) };
  },
  topic: async () => {
    const { TOPICS } = await import("../topics.ts");
    return { words: Object.entries(TOPICS).map(([value, about]) => ({ value, about })) };
  },
};

const OPTIONS: Readonly<Record<string, Values>> = {
  stage: stagesOfFile,
  only: stagesOfFile,
  from: stagesOfFile,
  force: stagesOfFile,
  set: async (situation) => {
    const { changes } = await import("./changes.ts");
    return { words: changes(situation.current, situation.positionals[0]) };
  },
  runs: FOLDERS,
  "prompt-file": FILES,
};

/** What an argument of this name may be. */
export async function argumentValues(name: string, situation: Situation): Promise<Candidates> {
  return await (ARGUMENTS[name.replace(/s$/, "")] ?? ARGUMENTS[name] ?? NOTHING)(situation);
}

/** What the value of an option of this name, without its dashes, may be. */
export async function optionValues(name: string, situation: Situation): Promise<Candidates> {
  return await (OPTIONS[name] ?? NOTHING)(situation);
}

const named = (values: readonly string[], about: string): Candidate[] =>
  values.map((value) => ({ value, about }));

const PROJECT = dirname(dirname(dirname(import.meta.dirname!)));

/** Names in pipelines/, and the YAML files and folders where the word leads. */
function pipelines({ current }: Situation): Candidate[] {
  const shipped = entries(join(PROJECT, "pipelines")).filter(isYaml)
    .map(({ name }) => ({ value: name.replace(/\.yaml$/, ""), about: "of pipelines/" }));
  const folder = current.slice(0, current.lastIndexOf("/") + 1);
  const hidden = current.slice(folder.length).startsWith(".");
  const here = entries(resolve(folder || ".")).filter(({ name }) => name.startsWith(".") === hidden);
  return [
    ...(folder === "" ? shipped : []),
    ...here.filter(isYaml).map(({ name }) => ({ value: folder + name })),
    ...here.filter(({ isDirectory }) => isDirectory).map(({ name }) => ({ value: `${folder}${name}/` })),
  ];
}

const isYaml = ({ name, isFile }: Deno.DirEntry): boolean => isFile && /\.ya?ml$/.test(name);

function entries(folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  } catch {
    return []; // whatever the reason, there is nothing to offer
  }
}

const runsFolder = ({ options }: Situation): string => resolve(options["--runs"]?.at(-1) ?? "runs");

/** Folders that a pipeline has been run in. */
function runs(situation: Situation): string[] {
  const folder = runsFolder(situation);
  return entries(folder).filter(({ name, isDirectory }) =>
    isDirectory && entries(join(folder, name)).some(({ name }) => name === "pipeline.json")
  ).map(({ name }) => name);
}

/** `RUN/STAGE` for stages of one kind; the runs alone until one is typed. */
async function stagesOfRuns(situation: Situation, kind: StageKind): Promise<Candidates> {
  const { current } = situation;
  const known = runs(situation);
  const chosen = known.find((run) => current.startsWith(`${run}/`)) ??
    (known.filter((run) => run.startsWith(current)).length === 1
      ? known.find((run) => run.startsWith(current))
      : undefined);
  if (chosen === undefined) {
    return { words: known.map((run) => ({ value: `${run}/` })), files: "folders" };
  }
  const { readStageFile } = await import("../../pipeline/stage_files.ts");
  const folder = join(runsFolder(situation), chosen);
  const ids = entries(folder).filter(({ name, isDirectory }) =>
    isDirectory && readStageFile(join(folder, name))?.run === kind
  );
  return { words: ids.map(({ name }) => ({ value: `${chosen}/${name}` })), files: "folders" };
}

/** Ids of the stages of the pipeline file that is named, of the command's kind where it has one. */
async function stagesOfFile({ path, positionals: [file] }: Situation): Promise<Candidates> {
  if (file === undefined) return { words: [] };
  const { pipelineValue, stagesIn } = await import("./pipeline_file.ts");
  const command = path.at(-1)!;
  const stages = stagesIn(pipelineValue(file));
  const kind = ["model", "curriculum"].includes(path[0]!) ? "train" : command;
  const own = stages.filter(({ run }) => run === kind);
  return { words: (own.length > 0 ? own : stages).map(({ id, run }) => ({ value: id, about: run })) };
}

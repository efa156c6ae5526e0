/** What cannot be between the keys of an eval stage, or between them and the arms that it needs. */

import type { Path } from "../document.ts";
import { isFetched } from "../fetched.ts";
import type { Problem } from "../problems.ts";
import type { PipelineFile } from "../schema.ts";

type Stage = PipelineFile["stages"][number];
type Eval = Extract<Stage, { run: "eval" }>;

export function checkEval(stage: Eval, path: Path, stages: readonly Stage[]): Problem[] {
  return [
    ...checkFiles(stage, path),
    ...stage.tasks.flatMap((task, i) => checkTaskFiles(task, [...path, "tasks", i])),
    ...checkGeneration(stage, path, stages),
  ];
}

const FETCHED = "an eval stage reads files of this machine; fetched: files are for prepare stages";

function checkFiles({ files, document }: Eval, path: Path): Problem[] {
  if (files === undefined && document !== undefined) {
    const message = "document says how files are read, and the stage names no files: leave it out";
    return [{ path: [...path, "document"], message }];
  }
  return [files ?? []].flat().some(isFetched) ? [{ path: [...path, "files"], message: FETCHED }] : [];
}

function checkTaskFiles({ task, data, labels }: Eval["tasks"][number], path: Path): Problem[] {
  const keys = { task, data, labels };
  return Object.entries(keys).filter(([, paths]) => [paths ?? []].flat().some(isFetched))
    .map(([key]) => ({ path: [...path, key], message: FETCHED }));
}

/** Prompts and continuations that an eval stage measures fit the context. */
function checkGeneration(
  { needs, generation }: Eval,
  path: Path,
  stages: readonly Stage[],
): Problem[] {
  const text = stages.find((stage) => stage.run === "prepare" && needs.includes(stage.id));
  if (generation === undefined || text?.run !== "prepare" || text.tokenizer !== "bytes") return [];
  const { prompt_bytes, new_bytes } = generation;
  const tokens = 1 + prompt_bytes + new_bytes;
  const arms = stages.filter((stage) => stage.run === "train").filter(({ id }) => needs.includes(id));
  const short = arms.find(({ model }) => model.context < tokens);
  if (short === undefined) return [];
  const message = `1 + prompt_bytes (${prompt_bytes}) + new_bytes (${new_bytes}) tokens do not fit ` +
    `the context of ${short.id} (${short.model.context})`;
  return [{ path: [...path, "generation", "new_bytes"], message }];
}

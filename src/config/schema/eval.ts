/** The eval stage: language modelling on held-out or any other text, and tasks. */

import * as z from "zod";
import { isTaskPath, limit } from "../task/schema.ts";
import { generation } from "./generation.ts";
import { count, id, needs, path, whole } from "./values.ts";

const paths = z.union([path, z.array(path).min(1)], { error: "a path | a list of paths" });

const task = z.strictObject({
  task: path.describe("the name of a task in src/eval/tasks, or the path of a .yaml file like those"),
  data: paths.optional().describe(
    "its records: files, folders and globs of .jsonl (also .gz, .zst) and .parquet",
  ),
  labels: path.optional().describe(
    "a file with the answer to each record, one a line, where they are apart (PIQA)",
  ),
  limit: limit.optional().describe("items of each group, drawn by the seed; default: what the task says"),
});

export const evalStage = z.strictObject({
  id,
  run: z.literal("eval"),
  needs,
  split: z.enum(["val", "test", "train"]).default("val").describe("which part of the text is scored"),
  files: paths.optional().describe(
    "text files to score in place of a part of the text: paths, folders and globs",
  ),
  document: z.enum(["file", "blank_line"]).optional().describe(
    "of files: file: each is a document; blank_line: each block between blank lines is one; default: file",
  ),
  tokens: count.default(200_000).describe("at most so many tokens are scored"),
  context_bytes: whole(8).optional().describe(
    "bytes of text that a window holds on average, the same for byte and subword models; default: the whole context",
  ),
  stride: z.number().gt(0).max(1).default(0.5)
    .describe(
      "share of a window that is new: the smaller, the more context each token has, and the longer it takes",
    ),
  tasks: z.array(task).default([]).describe("what else is asked of each arm"),
  generation: generation.optional().describe("measures the text that the arms write; default: not measured"),
});

/** The stage as the file gives it; `document` has its default only where it is resolved. */
export type GivenEval = z.output<typeof evalStage>;
/** The stage with absolute paths and all defaults. */
export type ResolvedEval = GivenEval & { readonly document: NonNullable<GivenEval["document"]> };
/** A task and its data. Paths are absolute in a stage that is self-contained. */
export type TaskConfig = z.output<typeof task>;

/** Makes paths absolute and fills in what is not said of files. */
export function resolveEval(given: GivenEval, absolute: (path: string) => string): ResolvedEval {
  const full = (paths: string | string[]) => [paths].flat().map(absolute);
  const { files, tasks, document = "file" } = given;
  return {
    ...given,
    document,
    ...(files === undefined ? {} : { files: full(files) }),
    tasks: tasks.map(({ task, data, labels, ...rest }) => ({
      ...rest,
      task: isTaskPath(task) ? absolute(task) : task,
      ...(data === undefined ? {} : { data: full(data) }),
      ...(labels === undefined ? {} : { labels: absolute(labels) }),
    })),
  };
}

/** Files, folders and globs that the stage names. */
export function pathsOfEval({ files, tasks }: GivenEval): string[] {
  return [
    ...[files ?? []].flat(),
    ...tasks.flatMap(({ task, data, labels }) => [
      ...(isTaskPath(task) ? [task] : []),
      ...[data ?? []].flat(),
      ...(labels === undefined ? [] : [labels]),
    ]),
  ];
}

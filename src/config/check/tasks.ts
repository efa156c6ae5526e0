/** The tasks of eval stages, which are files of their own: wrong ones are to be told before an hour of training. */

import { resolve } from "node:path";
import { UsageError } from "../../stage/errors.ts";
import type { Path } from "../document.ts";
import type { Problem } from "../problems.ts";
import type { PipelineFile, TaskConfig } from "../schema.ts";
import { loadTask, type NamedTask } from "../task/load.ts";
import { isTaskPath } from "../task/schema.ts";

/** Reads every task that a pipeline names; `base`: where relative paths are taken from. */
export function checkTasks({ stages }: PipelineFile, base: string): Problem[] {
  const loaded = new Map<string, NamedTask | UsageError>(); // a matrix names the same ones many times
  const load = (name: string): NamedTask | UsageError => {
    const known = loaded.get(name);
    if (known !== undefined) return known;
    const task = tryToLoad(name, base);
    loaded.set(name, task);
    return task;
  };
  return stages.flatMap((stage, i) =>
    stage.run !== "eval"
      ? []
      : stage.tasks.flatMap((given, n) => checkTask(given, load(given.task), ["stages", i, "tasks", n]))
  );
}

function tryToLoad(name: string, base: string): NamedTask | UsageError {
  try {
    return loadTask(isTaskPath(name) ? resolve(base, name) : name);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return error;
  }
}

function checkTask(given: TaskConfig, task: NamedTask | UsageError, path: Path): Problem[] {
  if (task instanceof UsageError) {
    return task.message.split("\n").map((message) => ({ path: [...path, "task"], message }));
  }
  const message = misfit(task, given) ?? idleLabels(task, given);
  return message === undefined ? [] : [{ path, message }];
}

/** What a stage says of a task that does not go with it, in words. */
export function misfit(
  { name, made_up, source }: NamedTask,
  { data, labels }: TaskConfig,
): string | undefined {
  if (made_up !== undefined && data !== undefined) {
    return `the items of ${name} are made up: it takes no data`;
  }
  if (made_up === undefined && data === undefined) {
    return `missing data: ${name} needs the files of ${source}`;
  }
  return labels !== undefined && (Array.isArray(data) && data.length > 1)
    ? "one file of labels goes with one file of data"
    : undefined;
}

/** Labels tell the right choice where a record does not; other tasks would pass over them in silence. */
function idleLabels(task: NamedTask, { labels }: TaskConfig): string | undefined {
  if (labels === undefined) return undefined;
  const { name, form, made_up } = task;
  if (made_up !== undefined) return `the items of ${name} are made up: it takes no labels`;
  if (form !== "choice") return `${name} has no choices: it takes no labels, which tell the right one`;
  return typeof task.answer === "number"
    ? `the right choice of ${name} is always number ${task.answer}: it takes no labels`
    : undefined;
}

/** Task files: those that lie beside the evaluation's code, by name, and a user's own, by path. */

import { basename } from "node:path";
import { UsageError } from "../../stage/errors.ts";
import { parseYaml } from "../document.ts";
import { didYouMean } from "../nearest.ts";
import { type Problem, problemsOf, showPath } from "../problems.ts";
import { readFile } from "../read_file.ts";
import { idleKeys, isTaskPath, TASK_ENDING, type TaskFile, taskSchema } from "./schema.ts";

/** Where the tasks lie that have a name. */
export const TASKS = decodeURIComponent(new URL("../../eval/tasks", import.meta.url).pathname);

/** A task with the name that results have. */
export type NamedTask = TaskFile & { readonly name: string };

/** Names of the tasks that lie beside the code, in alphabetical order. */
export function taskNames(): string[] {
  const names = [...Deno.readDirSync(TASKS)].map(({ name }) => name);
  return names.filter(isTaskPath).map((name) => name.replace(TASK_ENDING, "")).sort();
}

/**
 * Reads a task by its name or the absolute path of its file.
 *
 * @throws {UsageError} where there is none of that name, or one line for each problem in the file:
 *   `mine.yaml:3:1: choices: ...`
 */
export function loadTask(task: string): NamedTask {
  if (isTaskPath(task)) {
    return { ...parseTask(readFile(task), task), name: basename(task).replace(TASK_ENDING, "") };
  }
  const known = taskNames();
  if (!known.includes(task)) {
    const hint = didYouMean(task, known) || `: there are ${known.join(", ")}, and paths of .yaml files`;
    throw new UsageError(`there is no task "${task}"${hint}`);
  }
  const file = `${TASKS}/${task}.yaml`;
  return { ...parseTask(readFile(file), file), name: task };
}

/** {@link loadTask} from text; `file` is named in messages. */
export function parseTask(text: string, file: string): TaskFile {
  const document = parseYaml(text, file);
  const checked = taskSchema.safeParse(document.value);
  const problems: Problem[] = checked.success
    ? idleKeys(checked.data, document.value as object).map(({ key, message }) => ({ path: [key], message }))
    : problemsOf(taskSchema, document.value, checked.error.issues);
  if (checked.success && problems.length === 0) return checked.data;
  const lines = problems.map(({ path, message, atKey }) => {
    const shown = showPath(atKey ? path.slice(0, -1) : path);
    const where = `${file}:${document.position(path, atKey ? "key" : undefined)}`;
    return `${where}: ${shown === "" ? "" : `${shown}: `}${message}`;
  });
  throw new UsageError(lines.join("\n"));
}

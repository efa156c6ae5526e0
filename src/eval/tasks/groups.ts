/** The items of a task: read or made up, in the groups that are counted together, and of each group at most so many. */
import { misfit } from "../../config/check/tasks.ts";
import type { TaskConfig } from "../../config/schema.ts";
import type { NamedTask } from "../../config/task/load.ts";
import { Permutation } from "../../data/permutation.ts";
import { UserError } from "../../stage/errors.ts";
import { PROBES } from "../probes/mod.ts";
import { groupOf, itemOf } from "./build.ts";
import type { Group } from "./items.ts";
import { readRecords, type RecordFile, type TaskRecord } from "./records.ts";

/** Items of each group that are made up where the task says `all`. */
const MADE_UP = 1000;

/** @throws {UserError} where the data are not as the task expects them: which file, line and field. */
export async function groupsOf(task: NamedTask, given: TaskConfig, seed: number): Promise<Group[]> {
  const wrong = misfit(task, given);
  if (wrong !== undefined) throw new UserError(`Cannot evaluate ${task.name}: ${wrong}`);
  const limit = given.limit ?? task.limit;
  if (task.made_up !== undefined) return madeUp(task, seed, limit === "all" ? MADE_UP : limit);
  const files = await readRecords([given.data!].flat(), given.labels);
  return [...byGroup(task, files)].map(([name, records]) => ({
    name,
    items: subset(records, limit, seed, name).map((record) => itemOf(task, record)),
  }));
}

function madeUp({ name, made_up, form }: NamedTask, seed: number, items: number): Group[] {
  const probe = Object.hasOwn(PROBES, made_up!) ? PROBES[made_up!] : undefined;
  if (probe === undefined) {
    const known = Object.keys(PROBES).join(", ") || "none";
    throw new UserError(`Cannot evaluate ${name}: there is no probe "${made_up}", there are ${known}`);
  }
  const groups = probe({ seed, items });
  const other = groups.flatMap((group) => group.items).find((item) => item.form !== form);
  if (other) {
    throw new UserError(`Cannot evaluate ${name}: its items have the form ${other.form}, not ${form}`);
  }
  return groups;
}

function byGroup(task: NamedTask, files: readonly RecordFile[]): Map<string, TaskRecord[]> {
  const groups = new Map<string, TaskRecord[]>();
  for (const file of files) {
    for (const record of file.records) {
      const name = task.group === "one"
        ? task.name
        : task.group === "file"
        ? file.name
        : groupOf(task, record);
      if (groups.has(name)) groups.get(name)!.push(record);
      else groups.set(name, [record]);
    }
  }
  return groups;
}

/** So many of a list, in its order: the same ones for every arm, on every machine, and whatever other groups there are. */
function subset<T>(list: readonly T[], limit: number | "all", seed: number, name: string): readonly T[] {
  if (limit === "all" || list.length <= limit) return list;
  const permutation = new Permutation(list.length, seed, ...new TextEncoder().encode(name));
  const chosen = Array.from({ length: limit }, (_, place) => permutation.at(place));
  return chosen.sort((a, b) => a - b).map((i) => list[i]!);
}

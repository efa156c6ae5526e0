/** The runs below a folder, newest first. A stage that is at work has its lock held; that is not looked at here. */

import { join, resolve } from "node:path";
import { aligned } from "../formats/columns.ts";
import { parseJson } from "../formats/json.ts";
import { readStatus, type Status } from "../pipeline/stage_files.ts";

/** A run and how far it is. */
export interface ListedRun {
  readonly name: string;
  /** Absolute. */
  readonly folder: string;
  /** When it was last started; ISO 8601, UTC. */
  readonly started: string;
  /** Stages of the pipeline as it was last started; those of earlier ones are not counted. */
  readonly stages: number;
  readonly done: number;
  readonly failed: number;
  /** Stopped on the way: the same command goes on. */
  readonly interrupted: number;
  /** Begun and not ended, also where the process was killed. */
  readonly running: number;
  /** Of all files. */
  readonly bytes: number;
}

/** What pipeline.json holds of interest here. */
interface RunFile {
  readonly config: { readonly stages: readonly { readonly id: string }[] };
  readonly created: string;
}

/** All folders in `runs` that hold a run. What cannot be read is left out. */
export function listRuns(runs: string): ListedRun[] {
  const folders = entriesOf(resolve(runs)).filter(({ isDirectory }) => isDirectory);
  const found = folders.flatMap(({ name }) => {
    const folder = join(resolve(runs), name);
    const file = runFile(folder);
    if (file === undefined) return [];
    const states = file.config.stages.map(({ id }) => stateOf(join(folder, id)));
    const count = (wanted: Status["state"]) => states.filter((state) => state === wanted).length;
    return [{
      name,
      folder,
      started: file.created,
      stages: states.length,
      done: count("done"),
      failed: count("failed"),
      interrupted: count("interrupted"),
      running: count("running"),
      bytes: bytesIn(folder),
    }];
  });
  return found.sort((a, b) => a.started < b.started ? 1 : -1);
}

function runFile(folder: string): RunFile | undefined {
  try {
    const path = join(folder, "pipeline.json");
    const file = parseJson(Deno.readTextFileSync(path), path) as RunFile;
    return Array.isArray(file.config.stages) && typeof file.created === "string" ? file : undefined;
  } catch {
    return undefined; // no run, or one that another version or hand has written
  }
}

function stateOf(folder: string): Status["state"] | undefined {
  try {
    return readStatus(folder)?.state;
  } catch {
    return undefined;
  }
}

function bytesIn(folder: string): number {
  return entriesOf(folder).reduce((sum, { name, isDirectory, isFile }) => {
    const path = join(folder, name);
    return sum + (isDirectory ? bytesIn(path) : isFile ? sizeOf(path) : 0);
  }, 0);
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0; // a run that goes on replaces files
  }
}

function entriesOf(folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch {
    return [];
  }
}

/** A line for each run. */
export function showRuns(found: readonly ListedRun[], runs: string): string[] {
  if (found.length === 0) return [`${runs} holds no runs: \`foretoken pipeline quickstart\` makes one`];
  return aligned([
    ["run", "started (UTC)", "done", "failed", "begun", "stages", "size"],
    ...found.map(({ name, started, stages, done, failed, interrupted, running, bytes }) => [
      name,
      started.slice(0, 16).replace("T", " "),
      `${done}`,
      `${failed}`,
      `${interrupted + running}`,
      `${stages}`,
      size(bytes),
    ]),
  ]);
}

function size(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1e3)} kB`;
}

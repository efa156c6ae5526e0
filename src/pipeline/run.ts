/** Runs the stages of a pipeline, each as a process of its own. One that fails stops what needs it, and nothing else. */

import { isAbsolute, join } from "node:path";
import type { PipelineConfig } from "../config/schema.ts";
import { exists, writeJson } from "../formats/atomic.ts";
import { differences } from "../formats/differences.ts";
import { duration } from "../formats/duration.ts";
import { fileError, writing } from "../formats/file_errors.ts";
import { settingsWords, shellWord } from "../formats/shell.ts";
import { EXIT, UsageError } from "../stage/errors.ts";
import { Lock } from "../stage/lock.ts";
import { stopOnSignals } from "../stage/signals.ts";
import { shown } from "./attempt.ts";
import { ensureFolder } from "./clear.ts";
import { Crew } from "./crew.ts";
import { type PlannedStage, planPipeline } from "./plan.ts";
import { checkRunFormat, describeRun } from "./run_file.ts";
import { select, type Selection, type Task } from "./select.ts";
import { type Command, readStageFile, writeStageFile } from "./stage_files.ts";
import { checkSandbox, findPlaces } from "./start.ts";

/** What is run, and where its results go. */
export interface Order {
  readonly config: PipelineConfig;
  /** The pipeline file, as the user named it. */
  readonly file: string;
  /** What `config` came from. */
  readonly command: Command;
  /** The folder of all runs. */
  readonly runs: string;
  readonly selection: Selection;
  /** How many stages may run side by side; by default one after another. */
  readonly jobs?: number | undefined;
  /** Whether there is no pipeline file: a command has made up the one stage. */
  readonly alone?: true;
}

/**
 * Runs what is selected and not done. Progress goes to standard error.
 * @returns the exit code: 0; 75 when it was stopped and can go on; else that of the first stage which failed.
 * @throws {UserError} where a stage cannot be run as it is: before anything is.
 */
export async function runPipeline(order: Order): Promise<number> {
  const { config, file, command, runs, selection, alone } = order;
  const run = folderOf(order);
  const words = settingsWords({ ...command, file }) + (runs === "runs" ? "" : ` --runs ${shellWord(runs)}`);
  const asked = { file, words: alone ? undefined : words };
  const plan = () => {
    checkRunFormat(run);
    return select(planPipeline(config, run), selection, asked, config.groups);
  };
  if (!exists(run)) plan(); // refused before anything is made
  const places = findPlaces(run, config.sandbox);
  checkSandbox(places);
  makeRunFolder(runs, run);
  using _lock = writing(run, () => Lock.take(join(run, "lock"), `The run ${shown(run)}`));
  const tasks = plan();
  // A command for one stage may share the folder of a pipeline of that name, which describes the whole run.
  const about = join(run, "pipeline.json");
  if (!alone || !exists(about)) writeJson(about, describeRun(config, command));
  for (const { stage, action } of tasks) if (action === "skip") recordCommand(stage, command);

  const started = Date.now();
  const crew = new Crew({
    name: config.name,
    run,
    tasks,
    jobs: order.jobs ?? 1,
    command,
    places,
  });
  const code = await crew.work(stopOnSignals(() => crew.stop()));
  if (code !== EXIT.done) return code;
  crew.log(`${config.name}: done in ${duration((Date.now() - started) / 1000)}, in ${shown(run)}`);
  for (const page of pagesOf(tasks)) crew.log(`report: ${shown(page)}`);
  return EXIT.done;
}

/** Absolute. */
export function folderOf({ config, runs }: Pick<Order, "config" | "runs">): string {
  return join(isAbsolute(runs) ? runs : join(Deno.cwd(), runs), config.name);
}

const pagesOf = (tasks: readonly Task[]): string[] =>
  tasks.filter(({ stage }) => stage.config.run === "report").map(({ stage }) =>
    join(stage.folder, "report.html")
  );

function makeRunFolder(runs: string, folder: string): void {
  try {
    Deno.mkdirSync(runs, { recursive: true });
    ensureFolder(folder);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) throw fileError("write", folder, cause);
    const message = `--runs ${runs}: this command may write below ./runs only; ` +
      `start it with \`deno run ... --allow-write=${runs}\` in place of \`deno task\` (deno.json has the other flags)`;
    throw new UsageError(message, { cause });
  }
}

/** This command gives the stage's results too, unless it would log or compute them in another way. */
function recordCommand({ config, folder }: PlannedStage, command: Command): void {
  const before = readStageFile(folder)!;
  if (JSON.stringify(before.command) === JSON.stringify(command)) return;
  if (differences(before.config, config).length === 0) writeStageFile(folder, { ...before, command });
}

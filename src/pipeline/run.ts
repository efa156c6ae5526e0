/** Runs the stages of a pipeline one after another, each as a process of its own, and stops at the first failure. */

import { isAbsolute, join, relative } from "node:path";
import type { PipelineConfig } from "../config/schema.ts";
import { exists, writeJson } from "../formats/atomic.ts";
import { differences } from "../formats/differences.ts";
import { duration } from "../formats/duration.ts";
import { fileError, writing } from "../formats/file_errors.ts";
import { settingsWords, shellWord } from "../formats/shell.ts";
import { EXIT, UsageError } from "../stage/errors.ts";
import { Lock } from "../stage/lock.ts";
import { STOP_SIGNALS, stopOnSignals } from "../stage/signals.ts";
import { Terminal } from "../stage/terminal.ts";
import { clearStage, ensureFolder } from "./clear.ts";
import type { Places } from "./permissions.ts";
import { type PlannedStage, planPipeline, select, type Selection, stageFileOf, type Task } from "./plan.ts";
import { type Command, readStageFile, readStatus, writeStageFile, writeStatus } from "./stage_files.ts";
import { checkSandbox, findPlaces, startStage } from "./start.ts";

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
  /** Whether there is no pipeline file: a command has made up the one stage. */
  readonly alone?: true;
}

/** Version of this program, written into each run. */
const FORETOKEN = "0.1.0";

/**
 * Runs what is selected and not done. Progress goes to standard error.
 * @returns the exit code: 0; 75 when it was stopped and can go on; else that of the stage which failed.
 * @throws {UserError} where a stage cannot be run as it is.
 */
export async function runPipeline({ config, file, command, runs, selection, alone }: Order): Promise<number> {
  const run = join(isAbsolute(runs) ? runs : join(Deno.cwd(), runs), config.name);
  const words = settingsWords({ ...command, file }) + (runs === "runs" ? "" : ` --runs ${shellWord(runs)}`);
  const asked = { file, words: alone ? undefined : words };
  if (!exists(run)) select(planPipeline(config, run), selection, asked); // refused before anything is made
  const places = findPlaces(run, config.sandbox);
  checkSandbox(places);
  makeRunFolder(runs, run);
  const terminal = new Terminal();
  using _lock = writing(run, () => Lock.take(join(run, "lock"), `The run ${shown(run)}`));
  const tasks = select(planPipeline(config, run), selection, asked);
  // A command for one stage may share the folder of a pipeline of that name, which describes the whole run.
  const about = join(run, "pipeline.json");
  if (!alone || !exists(about)) writeJson(about, describeRun(config, command));

  let child: Deno.ChildProcess | undefined;
  // SIGTERM whatever came: a terminal's Ctrl-C has reached the stage by itself, and a second SIGINT means "at once".
  const stop = stopOnSignals(() => terminate(child));
  const started = Date.now();
  for (const [i, task] of tasks.entries()) {
    const { id, run: kind } = task.stage.config;
    const title = `[${i + 1}/${tasks.length}] ${id} (${kind})`;
    if (task.action === "skip") {
      terminal.log(`${title}: done before, unchanged`);
      recordCommand(task.stage, command);
      continue;
    }
    if (stop.aborted) return stoppedBefore(id, terminal);
    terminal.log(`${title}`);
    const begun = Date.now();
    child = begin(task, places, command);
    const ended = await child.status;
    child = undefined;
    const code = conclude(task, ended, { title, stopped: stop.aborted, begun }, terminal);
    if (code !== EXIT.done) return code;
  }
  terminal.log(`${config.name}: done in ${duration((Date.now() - started) / 1000)}, in ${shown(run)}`);
  for (const { stage: { config, folder } } of tasks) {
    if (config.run === "report") terminal.log(`report: ${shown(join(folder, "report.html"))}`);
  }
  return EXIT.done;
}

function terminate(child: Deno.ChildProcess | undefined): void {
  try {
    child?.kill("SIGTERM");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it has just ended by itself
  }
}

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

function describeRun(config: PipelineConfig, command: Command): object {
  const { deno, v8 } = Deno.version;
  const versions = { foretoken: FORETOKEN, deno, v8 };
  return { config, versions, ...command, created: new Date().toISOString() };
}

/** Prepares the stage's folder and starts its process. */
function begin({ stage, action }: Task, places: Places, command: Command): Deno.ChildProcess {
  const { config, folder } = stage;
  writing(folder, () => {
    ensureFolder(folder);
    // A stage whose runner was killed may still be saving there.
    using _lock = Lock.take(join(folder, "lock"), `The stage ${config.id}`);
    if (action === "clear and run") clearStage(folder, config.run);
    writeStageFile(folder, stageFileOf(stage, command));
  });
  return startStage(config, places);
}

/** This command gives the stage's results too, unless it would log or compute them in another way. */
function recordCommand({ config, folder }: PlannedStage, command: Command): void {
  const before = readStageFile(folder)!;
  if (differences(before.config, config).length === 0) writeStageFile(folder, { ...before, command });
}

interface Attempt {
  readonly title: string;
  readonly stopped: boolean;
  /** Milliseconds since the epoch. */
  readonly begun: number;
}

/** Says how a stage ended; puts down the status of one that could not. Returns the exit code of the run. */
function conclude(task: Task, ended: Deno.CommandStatus, attempt: Attempt, terminal: Terminal): number {
  const { title, begun } = attempt;
  const { folder, config: { id } } = task.stage;
  if (ended.code === EXIT.done) {
    terminal.log(`${title}: done in ${duration((Date.now() - begun) / 1000)}`);
    return EXIT.done;
  }
  if (ended.code === EXIT.inUse) { // it has said by whom; what it is doing there is not ours to describe
    terminal.log(`${title}: not run`);
    return EXIT.inUse;
  }
  if (ended.code === EXIT.resumable || wasStoppedAtStart(ended, attempt)) {
    terminal.log(`${title}: stopped; run the same command again to go on`);
    return EXIT.resumable;
  }
  const error = failureIn(folder, begun);
  terminal.log(`${title}: failed: ${error ?? describeEnd(ended)}`);
  terminal.log(`${id}'s log: ${shown(join(folder, "log.txt"))}`);
  if (error === undefined) {
    const seconds = (Date.now() - begun) / 1000;
    const { fingerprint } = readStageFile(folder)!;
    const started = new Date(begun).toISOString();
    writeStatus(folder, { state: "failed", fingerprint, started, seconds, error: describeEnd(ended) });
  }
  return ended.code;
}

/** A signal that comes while the process is still starting ends it without its own handler. */
function wasStoppedAtStart({ signal }: Deno.CommandStatus, { stopped }: Attempt): boolean {
  return stopped && signal !== null && STOP_SIGNALS.includes(signal);
}

/** What the stage itself said of this attempt. */
function failureIn(folder: string, begun: number): string | undefined {
  const status = readStatus(folder);
  const isOfThisAttempt = status !== undefined && Date.parse(status.started) >= begun;
  return isOfThisAttempt && status.state === "failed" ? status.error : undefined;
}

function describeEnd({ code, signal }: Deno.CommandStatus): string {
  if (signal === "SIGKILL") return "killed by SIGKILL: most likely the memory ran out";
  if (signal !== null) return `ended by ${signal}`;
  if (code >= 120 && code <= 127) return "native/build/launch could not start it (its message is above)";
  return `ended with exit code ${code} before it could say why`;
}

function stoppedBefore(id: string, terminal: Terminal): number {
  terminal.log(`stopped before ${id}; run the same command again to go on`);
  return EXIT.resumable;
}

/** A path as it is typed from here. */
function shown(path: string): string {
  const short = relative(Deno.cwd(), path);
  return short.startsWith("..") ? path : short;
}

/**
 * One stage as a process of its own, started by src/pipeline/run.ts with the stage's permissions:
 * `deno run <flags> src/stage.ts <run folder> <stage id>`. Its folder holds stage.json, which says what to do.
 */

import { join } from "node:path";
import type { StageConfig, StageKind } from "./config/schema.ts";
import { writing } from "./formats/file_errors.ts";
import { GrowingFile } from "./formats/growing_file.ts";
import { EXIT, Interrupted, InUse, UserError } from "./stage/errors.ts";
import { type Native, nativeOf } from "./pipeline/permissions.ts";
import { sealsOf } from "./pipeline/seals.ts";
import { readStageFile, type StageFile, type Status, writeStatus } from "./pipeline/stage_files.ts";
import type { Run, StageIo } from "./stage/io.ts";
import { Lock } from "./stage/lock.ts";
import { stopOnSignals } from "./stage/signals.ts";
import { inFull, standardError, Terminal } from "./stage/terminal.ts";

type Entries = { [K in StageKind]: () => Promise<{ run: Run<Extract<StageConfig, { run: K }>> }> };

/** Only the module of the stage that runs is loaded. */
const ENTRIES: Entries = {
  fetch: () => import("./fetch/fetch.ts"),
  prepare: () => import("./data/prepare.ts"),
  import: () => import("./exchange/import.ts"),
  train: () => import("./train/train.ts"),
  eval: () => import("./eval/eval.ts"),
  decode: () => import("./decode/decode.ts"),
  export: () => import("./exchange/export.ts"),
  report: () => import("./report/report.ts"),
};

/**
 * Runs the stage in `join(runFolder, id)`, keeps its status.json, and returns the exit code.
 *
 * @param piped Whether the runner reads standard error and draws what is to be redrawn.
 */
async function runStage(runFolder: string, id: string, piped: boolean): Promise<number> {
  const terminal = new Terminal(standardError(piped));
  const folder = join(runFolder, id);
  const stop = stopOnSignals((signal) =>
    terminal.log(`${signal}: stopping after saving (Ctrl-C again: at once)`)
  );
  try {
    using _lock = writing(folder, () => Lock.take(join(folder, "lock"), `The stage ${id}`));
    const stage = readStageFile(folder);
    if (!stage) throw new UserError(`Nothing to run in ${folder}: there is no stage.json`);
    using log = new GrowingFile(join(folder, "log.txt"));
    const record = recorderOf(folder, stage);
    record("running");
    try {
      await lockNative(nativeOf(stage.config));
      const entry = await ENTRIES[stage.run]();
      await (entry.run as Run<StageConfig>)(stage.config, ioOf(stage, runFolder, terminal, log, stop));
    } catch (error) {
      terminal.clear();
      return conclude(error, record, log, terminal);
    }
    terminal.clear();
    record("done");
    return EXIT.done;
  } catch (error) { // not the stage's: its folder, its lock, its status
    terminal.clear();
    terminal.log(error instanceof UserError ? error.message : String((error as Error).stack));
    return error instanceof InUse ? EXIT.inUse : EXIT.failed;
  }
}

/** Writes status.json for one attempt. */
type Recorder = (state: Status["state"], error?: string) => void;

/** The attempt begins now. */
function recorderOf(folder: string, { fingerprint, run }: StageFile): Recorder {
  const started = new Date();
  return (state, error) => {
    const seconds = (Date.now() - started.getTime()) / 1000;
    writeStatus(folder, {
      state,
      fingerprint,
      started: started.toISOString(),
      seconds,
      ...(error === undefined ? {} : { error }),
      ...(state === "done" ? { results: sealsOf(folder, run) } : {}),
    });
  };
}

/** Puts down why the stage did not come to its end. Where that cannot be written either, the terminal still has it. */
function conclude(error: unknown, record: Recorder, log: GrowingFile, terminal: Terminal): number {
  const succeeds = (act: () => void): boolean => {
    try {
      act();
      return true;
    } catch (refusal) {
      terminal.log((refusal as Error).message);
      return false;
    }
  };
  if (error instanceof Interrupted) {
    terminal.log(error.message);
    succeeds(() => record("interrupted"));
    log.line(error.message);
    return EXIT.resumable;
  }
  const { sentence, stack } = explain(error);
  const isRecorded = succeeds(() => record("failed", sentence));
  if (!isRecorded) terminal.log(sentence); // else the runner says it
  const isLogged = log.line(stack ?? sentence) === null;
  if (!isLogged && stack !== undefined) terminal.log(stack);
  return EXIT.failed;
}

/** Native code is not bound by Deno's permissions: before it computes, no thread can start programs any more. */
export async function lockNative(native: Native): Promise<void> {
  if (native === "none") return;
  if (native === "text") { // which is not bound to libtorch
    const { refuseExec } = await import("./text/native.ts");
    refuseExec();
    return;
  }
  const { load, refuseExec } = await import("./torch/mod.ts");
  load();
  refuseExec();
}

/** Milliseconds between progress lines in the log. */
const LOG_PROGRESS = 10_000;

function ioOf(
  stage: StageFile,
  run: string,
  terminal: Terminal,
  log: GrowingFile,
  stop: AbortSignal,
): StageIo {
  let logged = performance.now();
  return {
    id: stage.id,
    folder: join(run, stage.id),
    needs: stage.needs.map((need) => ({ ...need, folder: join(run, need.id) })),
    interactive: terminal.screen.interactive,
    stop,
    log: (line) => {
      log.line(line);
      terminal.log(line);
    },
    progress: (line) => {
      terminal.progress(line);
      if (performance.now() - logged < LOG_PROGRESS) return;
      logged = performance.now();
      log.line(inFull(line));
    },
  };
}

/** What the user is told; a stack only for what is no error of the user's or libtorch's. */
function explain(error: unknown): { sentence: string; stack?: string } {
  if (!(error instanceof Error)) return { sentence: String(error) };
  // By name: this file must not load the shim, and stages without it have no such class.
  const isPlain = error instanceof UserError || error.name === "TorchError" || error.name === "TextError";
  if (isPlain) return { sentence: error.message };
  return { sentence: `${error.name}: ${error.message}`, stack: error.stack ?? String(error) };
}

if (import.meta.main) {
  const [runFolder, id, piped] = Deno.args;
  if (runFolder === undefined || id === undefined) {
    throw new TypeError("usage: stage.ts RUN_FOLDER STAGE_ID [piped]");
  }
  Deno.exit(await runStage(runFolder, id, piped === "piped"));
}

/** One attempt at one stage: its folder made ready, its process started and read, and how it ended put down. */

import { join, relative } from "node:path";
import { duration } from "../formats/duration.ts";
import { writing } from "../formats/file_errors.ts";
import { EXIT } from "../stage/errors.ts";
import { linesOf } from "../stage/lines.ts";
import { Lock } from "../stage/lock.ts";
import { STOP_SIGNALS } from "../stage/signals.ts";
import { clearStage, ensureFolder } from "./clear.ts";
import type { Places } from "./permissions.ts";
import { stageFileOf } from "./plan.ts";
import type { Task } from "./select.ts";
import { type Command, readStageFile, readStatus, writeStageFile, writeStatus } from "./stage_files.ts";
import { type Company, startStage } from "./start.ts";

/** How an attempt ended. `stopped`: it was told to, has saved, and can go on. */
export interface Ended {
  readonly outcome: "done" | "failed" | "stopped";
  readonly code: number;
  /** Wall-clock seconds. */
  readonly seconds: number;
  /** For a reader: `done in 12 s`, `failed: ...`. */
  readonly sentences: readonly string[];
}

/** A stage at work. */
export class Attempt {
  readonly begun = Date.now();
  readonly #task: Task;
  readonly #child: Deno.ChildProcess;
  #isStopped = false;

  /**
   * Makes the stage's folder ready and starts its process.
   *
   * @throws {UserError} where another process is at work in that folder, or it cannot be written.
   */
  constructor(task: Task, places: Places, command: Command, company: Company) {
    this.#task = task;
    const { stage, action } = task;
    const { config, folder } = stage;
    writing(folder, () => {
      ensureFolder(folder);
      // A stage whose runner was killed may still be saving there.
      using _lock = Lock.take(join(folder, "lock"), `The stage ${config.id}`);
      if (action === "clear and run") clearStage(folder, config.run);
      writeStageFile(folder, stageFileOf(stage, command));
    });
    this.#child = startStage(config, places, company);
  }

  /** Asks the stage to save and to end. */
  stop(): void {
    this.#isStopped = true;
    try {
      // Whatever came: a terminal's Ctrl-C has reached the stage by itself, and a second SIGINT means "at once".
      this.#child.kill("SIGTERM");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has just ended by itself
    }
  }

  /** Waits for the end. `read` gets each line of a piped stage; the status of one that could not put it down is put down. */
  async end(read: ((line: string) => void) | undefined): Promise<Ended> {
    const follow = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
      for await (const line of linesOf(stream)) read!(line);
    };
    const streams = read === undefined ? [] : [follow(this.#child.stdout), follow(this.#child.stderr)];
    const [status] = await Promise.all([this.#child.status, ...streams]);
    return this.#conclude(status);
  }

  #conclude(ended: Deno.CommandStatus): Ended {
    const seconds = (Date.now() - this.begun) / 1000;
    const { folder, config: { id } } = this.#task.stage;
    const as = (outcome: Ended["outcome"], code: number, ...sentences: string[]): Ended => ({
      outcome,
      code,
      seconds,
      sentences,
    });
    if (ended.code === EXIT.done) return as("done", EXIT.done, `done in ${duration(seconds)}`);
    // It has said by whom its folder is held; what they are doing there is not ours to describe.
    if (ended.code === EXIT.inUse) return as("failed", EXIT.inUse, "not run");
    if (ended.code === EXIT.resumable || this.#wasStoppedAtStart(ended)) {
      return as("stopped", EXIT.resumable, "stopped; run the same command again to go on");
    }
    const error = failureIn(folder, this.begun);
    if (error === undefined) {
      const { fingerprint } = readStageFile(folder)!;
      const started = new Date(this.begun).toISOString();
      writeStatus(folder, { state: "failed", fingerprint, started, seconds, error: describeEnd(ended) });
    }
    const log = `${id}'s log: ${shown(join(folder, "log.txt"))}`;
    return as("failed", ended.code || EXIT.failed, `failed: ${error ?? describeEnd(ended)}`, log);
  }

  /** A signal that comes while the process is still starting ends it without its own handler. */
  #wasStoppedAtStart({ signal }: Deno.CommandStatus): boolean {
    return this.#isStopped && signal !== null && STOP_SIGNALS.includes(signal);
  }
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

/** A path as it is typed from here. */
export function shown(path: string): string {
  const short = relative(Deno.cwd(), path);
  return short.startsWith("..") ? path : short;
}

/** The stages at work: starts them as the schedule allows, shows how far they are, and gathers how they end. */

import type { StageConfig } from "../config/schema.ts";
import { duration } from "../formats/duration.ts";
import { EXIT, InUse, UserError } from "../stage/errors.ts";
import { HANDED_ON, Terminal } from "../stage/terminal.ts";
import { Attempt, type Ended } from "./attempt.ts";
import { boardLines, type Row } from "./board.ts";
import { Estimator, sideBySide } from "./estimate.ts";
import type { Places } from "./permissions.ts";
import { Schedule } from "./schedule.ts";
import type { Task } from "./select.ts";
import type { Command } from "./stage_files.ts";

/** What is to be done, and with what. */
export interface Assignment {
  /** Of the run. */
  readonly name: string;
  /** Its folder. */
  readonly run: string;
  readonly tasks: readonly Task[];
  readonly jobs: number;
  readonly command: Command;
  readonly places: Places;
}

/** What is known of a stage that has begun. */
interface Member {
  readonly begun: number;
  readonly attempt?: Attempt;
  note?: string | undefined;
  seconds?: number;
  logged?: number;
}

/** Milliseconds between drawings of the table, and between a piped stage's progress lines where there is none. */
const REDRAW = 500;
const REPEAT = 10_000;

/** Runs the tasks of one command. */
export class Crew {
  readonly #assignment: Assignment;
  readonly #terminal = new Terminal();
  readonly #schedule: Schedule;
  readonly #members = new Map<string, Member>();
  readonly #expected: ReadonlyMap<string, number | undefined>;
  readonly #started = Date.now();
  #code: number = EXIT.done;
  #isStopped = false;

  constructor(assignment: Assignment) {
    this.#assignment = assignment;
    const { tasks, jobs, run } = assignment;
    this.#schedule = new Schedule(tasks, jobs);
    const estimator = new Estimator(run);
    this.#expected = new Map(tasks.map(({ stage }) => [stage.config.id, estimator.estimate(stage)?.seconds]));
  }

  /** One line above the table. */
  log(line: string): void {
    this.#terminal.log(line);
  }

  /** Asks all stages at work to save and to end; none is started any more. */
  stop(): void {
    this.#isStopped = true;
    for (const { attempt } of this.#members.values()) attempt?.stop();
  }

  /** Runs all tasks; the exit code: that of the first stage which failed. */
  async work(stop: AbortSignal): Promise<number> {
    for (const task of this.#assignment.tasks) {
      if (task.action === "skip") this.log(`${this.#title(task)}: done before, unchanged`);
    }
    const running = new Map<string, Promise<void>>();
    const isTable = this.#terminal.screen.interactive;
    const timer = isTable ? setInterval(() => this.#draw(), REDRAW) : undefined;
    try {
      for (;;) {
        const task = stop.aborted ? undefined : this.#schedule.next();
        if (task !== undefined) {
          const { id } = task.stage.config;
          running.set(id, this.#run(task).finally(() => running.delete(id)));
        } else if (running.size > 0) {
          await Promise.race(running.values());
        } else break;
      }
    } finally {
      clearInterval(timer);
      this.#terminal.clear();
    }
    return this.#conclude();
  }

  async #run(task: Task): Promise<void> {
    const { id } = task.stage.config;
    const { jobs, places, command } = this.#assignment;
    const piped = this.#terminal.screen.interactive || jobs > 1;
    this.log(this.#title(task));
    let ended: Ended;
    try {
      const attempt = new Attempt(task, places, command, {
        piped,
        threads: this.#threads(task.stage.config),
      });
      this.#members.set(id, { begun: Date.now(), attempt });
      if (this.#isStopped) attempt.stop();
      ended = await attempt.end(piped ? (line) => this.#read(id, line) : undefined);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const [code, how] = error instanceof InUse ? [EXIT.inUse, "not run"] : [EXIT.failed, "failed"];
      ended = { outcome: "failed", code, seconds: 0, sentences: [`${how}: ${error.message}`] };
    }
    const member = this.#members.get(id);
    if (member !== undefined) [member.seconds, member.note] = [ended.seconds, ended.sentences[0]];
    const [first, ...others] = ended.sentences;
    this.log(`${this.#title(task)}: ${first}`);
    for (const sentence of others) this.log(sentence);
    if (ended.outcome === "stopped") this.#isStopped = true;
    if (this.#code === EXIT.done || ended.outcome === "stopped") this.#code = ended.code;
    this.#schedule.end(id, ended.outcome);
    if (ended.outcome === "stopped") this.stop();
  }

  /** Stages side by side share the cores; what has the machine to itself has them all. */
  #threads({ run }: StageConfig): number | undefined {
    const { jobs } = this.#assignment;
    if (jobs === 1 || run === "decode") return undefined;
    return Math.max(1, Math.floor(navigator.hardwareConcurrency / jobs));
  }

  /** A line of a piped stage: a progress line is drawn, others are logged. */
  #read(id: string, line: string): void {
    const name = this.#assignment.jobs > 1 ? `${id}: ` : "";
    if (!line.startsWith(HANDED_ON)) return this.log(name + line);
    const member = this.#members.get(id)!;
    member.note = line.slice(HANDED_ON.length);
    if (this.#terminal.screen.interactive) return this.#draw();
    const now = Date.now();
    if (now - (member.logged ?? member.begun) < REPEAT) return;
    member.logged = now;
    this.log(name + member.note);
  }

  #draw(): void {
    const seconds = (Date.now() - this.#started) / 1000;
    const heading = { name: this.#assignment.name, seconds, left: this.#left() };
    this.#terminal.progress(...boardLines(heading, this.#rows()));
  }

  #rows(): Row[] {
    return this.#assignment.tasks.map(({ stage: { config: { id, run } } }) => {
      const member = this.#members.get(id);
      const progress = this.#schedule.progress.get(id)!;
      const seconds = member && (member.seconds ?? (Date.now() - member.begun) / 1000);
      return { id, kind: run, progress, seconds, note: progress === "done" ? undefined : member?.note };
    });
  }

  /** Seconds, where every stage that is left can be estimated. */
  #left(): number | undefined {
    const left: { config: StageConfig; seconds: number }[] = [];
    for (const { stage: { config } } of this.#assignment.tasks) {
      const progress = this.#schedule.progress.get(config.id);
      if (progress !== "waiting" && progress !== "running") continue;
      const expected = this.#expected.get(config.id);
      if (expected === undefined) return undefined;
      const begun = this.#members.get(config.id)?.begun ?? Date.now();
      left.push({ config, seconds: Math.max(0, expected - (Date.now() - begun) / 1000) });
    }
    return sideBySide(left, this.#assignment.jobs);
  }

  #title({ stage: { config: { id, run } } }: Task): string {
    const { tasks } = this.#assignment;
    const position = tasks.findIndex(({ stage }) => stage.config.id === id);
    return `[${position + 1}/${tasks.length}] ${id} (${run})`;
  }

  /** What did not run, and why; the exit code. */
  #conclude(): number {
    const of = (progress: string) =>
      [...this.#schedule.progress].filter(([, p]) => p === progress).map(([id]) => id);
    const waiting = of("waiting");
    if (this.#isStopped) {
      if (waiting.length > 0) {
        this.log(`stopped before ${listed(waiting)}; run the same command again to go on`);
      }
      return EXIT.resumable;
    }
    const [failed, blocked] = [of("failed"), of("blocked")];
    if (failed.length === 0) return EXIT.done;
    if (this.#assignment.tasks.length === 1) return this.#code; // it has said all there is to say
    const seconds = (Date.now() - this.#started) / 1000;
    this.log(
      `${this.#assignment.name}: ${failed.length} of ${this.#assignment.tasks.length} stages failed in ` +
        `${duration(seconds)}: ${listed(failed)}`,
    );
    if (blocked.length > 0) this.log(`not run, since they need what failed: ${listed(blocked)}`);
    return this.#code;
  }
}

/** A few ids, and how many more. */
function listed(ids: readonly string[]): string {
  const shown = ids.slice(0, 6).join(", ");
  return ids.length > 6 ? `${shown} and ${ids.length - 6} more` : shown;
}

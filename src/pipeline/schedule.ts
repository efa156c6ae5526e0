/** Which stage starts next: as soon as what it needs has ended, so many side by side. Starts nothing itself. */

import type { StageConfig } from "../config/schema.ts";
import { isPatient } from "./plan.ts";
import type { Task } from "./select.ts";

/**
 * - `skipped`: it was done before
 * - `stopped`: it was told to, and can go on
 * - `blocked`: it needs a stage that failed
 */
export type Progress = "waiting" | "running" | "done" | "skipped" | "stopped" | "failed" | "blocked";

/** It measures time, and has the machine to itself. */
export const isAlone = ({ run }: StageConfig): boolean => run === "decode";

/** The stages of one command, from waiting to ended. */
export class Schedule {
  readonly #tasks: ReadonlyMap<string, Task>;
  readonly #progress: Map<string, Progress>;
  readonly #jobs: number;
  #isStopped = false;

  /**
   * @param tasks Every one after those that it needs.
   * @param jobs How many stages may run side by side.
   */
  constructor(tasks: readonly Task[], jobs: number) {
    this.#tasks = new Map(tasks.map((task) => [task.stage.config.id, task]));
    this.#progress = new Map(
      tasks.map(({ stage, action }) => [stage.config.id, action === "skip" ? "skipped" : "waiting"]),
    );
    this.#jobs = jobs;
  }

  /** How far each stage is, in the order of the tasks. */
  get progress(): ReadonlyMap<string, Progress> {
    return this.#progress;
  }

  /**
   * A stage that can start now; it counts as running from now on. What cannot run any more is blocked on the way. None
   * once a stage was stopped, by whomever: that stops the whole run.
   */
  next(): Task | undefined {
    if (this.#isStopped) return undefined;
    const running = this.#running();
    if (running.length >= this.#jobs || running.some(({ stage }) => isAlone(stage.config))) return undefined;
    for (const [id, task] of this.#tasks) {
      if (this.#progress.get(id) !== "waiting") continue;
      const readiness = this.#readiness(task);
      if (readiness === "never") this.#progress.set(id, "blocked");
      if (readiness !== "now" || (isAlone(task.stage.config) && running.length > 0)) continue;
      this.#progress.set(id, "running");
      return task;
    }
    return undefined;
  }

  /** A running stage has ended. */
  end(id: string, progress: "done" | "stopped" | "failed"): void {
    this.#progress.set(id, progress);
    if (progress === "stopped") this.#isStopped = true;
  }

  #running(): Task[] {
    return [...this.#tasks].filter(([id]) => this.#progress.get(id) === "running").map(([, task]) => task);
  }

  #readiness({ stage }: Task): "now" | "later" | "never" {
    const needs = stage.needs.map(({ config, state }) =>
      this.#progress.get(config.id) ?? (state === "done" ? "skipped" : "failed")
    );
    const isOpen = needs.some((progress) => progress === "waiting" || progress === "running");
    const isDone = (progress: Progress) => progress === "done" || progress === "skipped";
    if (isPatient(stage.config)) {
      return isOpen ? "later" : needs.length === 0 || needs.some(isDone) ? "now" : "never";
    }
    if (needs.some((progress) => progress === "failed" || progress === "blocked")) return "never";
    return isOpen ? "later" : "now";
  }
}

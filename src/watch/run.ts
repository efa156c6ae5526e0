/** What a run's folder says of it, read again and again while the run goes on: stages, and the arms that train. */
import { basename, join } from "node:path";
import * as z from "zod";
import type { Arm } from "../report/collect.ts";
import { phasesSeen } from "../report/collect.ts";
import { trainFile } from "../report/inputs.ts";
import { type Metrics, MetricsLines, readFromDisk, readJson } from "../report/read.ts";
import { UserError } from "../stage/errors.ts";
import { Tail } from "./tail.ts";

const STATES = ["running", "done", "failed", "interrupted"] as const;

const pipelineFile = z.object({
  config: z.object({
    stages: z.array(z.object({
      id: z.string(),
      run: z.string(),
      train: z.object({ steps: z.number() }).optional(),
      model: z.object({ heads: z.object({ count: z.number() }) }).optional(),
      curriculum: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
    })),
  }),
});
const stageFile = z.object({ fingerprint: z.string() });
const statusFile = z.object({
  state: z.enum(STATES),
  fingerprint: z.string(),
  started: z.string(),
  seconds: z.number(),
  error: z.string().optional(),
});

type PlannedStage = z.output<typeof pipelineFile>["config"]["stages"][number];

/** A stage as it stands. */
export interface StageView {
  readonly id: string;
  /** What it runs: `prepare`, `train`, ... */
  readonly run: string;
  /** `waiting`: it has not run, or not with these settings. */
  readonly state: typeof STATES[number] | "waiting";
  /** Wall-clock seconds of the latest attempt, where it has ended. */
  readonly seconds: number | null;
  readonly error: string | null;
  /** Steps of a training. */
  readonly steps: number | null;
}

/** A run at one moment. */
export interface Snapshot {
  readonly name: string;
  readonly stages: readonly StageView[];
  /** Trainings that have begun, in the order of the stages. */
  readonly arms: readonly Arm[];
  /** Sentences about what cannot be read. */
  readonly problems: readonly string[];
}

/** A training's metrics, as far as they have been read. */
class Curves {
  readonly #tail: Tail;
  #lines: MetricsLines;
  metrics: Metrics | null = null;
  /** What is wrong with the first line that is malformed; it is left out. */
  problem: string | null = null;

  constructor(path: string) {
    this.#tail = new Tail(path);
    this.#lines = new MetricsLines(path);
  }

  /** @throws {UserError} where the system refuses */
  refresh(): void {
    const { lines, replaced } = this.#tail.read();
    if (replaced) {
      this.#lines = new MetricsLines(this.#tail.path);
      this.problem = null;
    }
    for (const line of lines) this.#add(line);
    if (lines.length > 0 || replaced) this.metrics = this.#lines.metrics();
  }

  #add(line: string): void {
    try {
      this.#lines.add(line);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.problem ??= error.message;
    }
  }
}

export class WatchedRun {
  readonly #curves = new Map<string, Curves>();

  /** @throws {UserError} where this is not the folder of a run */
  constructor(readonly folder: string) {
    if (this.#plan() === null) {
      throw new UserError(
        `There is no run in "${folder}": no pipeline.json is there. Name a run, such as quickstart, ` +
          `or its folder, such as runs/quickstart, once it has been started`,
      );
    }
  }

  #plan(): readonly PlannedStage[] | null {
    return readJson(readFromDisk, join(this.folder, "pipeline.json"), pipelineFile)?.config.stages ?? null;
  }

  /** Reads what has changed. */
  snapshot(): Snapshot {
    const problems: string[] = [];
    const orNull = <T>(read: () => T): T | null => {
      try {
        return read();
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        problems.push(error.message);
        return null;
      }
    };
    const planned = orNull(() => this.#plan()) ?? [];
    const stages = planned.map((stage) => orNull(() => this.#stage(stage)) ?? unreadable(stage));
    const arms = planned.filter(({ run }) => run === "train")
      .flatMap((stage) => orNull(() => this.#arm(stage, problems)) ?? []);
    return { name: basename(this.folder), stages, arms, problems };
  }

  #stage({ id, run, train }: PlannedStage): StageView {
    const file = <T>(name: string, schema: z.ZodType<T>) =>
      readJson(readFromDisk, join(this.folder, id, name), schema);
    const status = file("status.json", statusFile);
    const isCurrent = status !== null && status.fingerprint === file("stage.json", stageFile)?.fingerprint;
    const state = isCurrent ? status.state : "waiting";
    const ended = isCurrent && state !== "running";
    return {
      id,
      run,
      state,
      seconds: ended ? status.seconds : null,
      error: isCurrent ? status.error ?? null : null,
      steps: train?.steps ?? null,
    };
  }

  /** A training as the report knows it; null before its first line. */
  #arm({ id, model, curriculum }: PlannedStage, problems: string[]): Arm | null {
    const folder = join(this.folder, id);
    let curves = this.#curves.get(id);
    if (curves === undefined) this.#curves.set(id, curves = new Curves(join(folder, "metrics.jsonl")));
    curves.refresh();
    const { metrics, problem } = curves;
    if (problem !== null) problems.push(problem);
    if (metrics === null || metrics.steps.length + metrics.validations.length === 0) return null;
    const training = readJson(readFromDisk, join(folder, "train.json"), trainFile);
    return {
      id,
      run: basename(this.folder),
      text: null,
      curriculum: typeof curriculum === "string" ? curriculum : "custom",
      heads: model?.heads.count ?? metrics.steps[0]?.heads.length ?? 1,
      config: null,
      training,
      phases: training?.curriculum.phases ?? phasesSeen(metrics.steps),
      ...metrics,
      evaluation: null,
      decoding: null,
    };
  }
}

const unreadable = ({ id, run, train }: PlannedStage): StageView => ({
  id,
  run,
  state: "waiting",
  seconds: null,
  error: null,
  steps: train?.steps ?? null,
});

/** What every stage is given: its folder, the folders that it reads, a log, and the wish to stop. */

/** The surroundings of one stage; the same for a process of its own and for a test. */
export interface StageIo {
  /** The id that the pipeline file gives this stage. */
  readonly id: string;
  /** Absolute path of this stage's folder, which exists: the only place that it may write. */
  readonly folder: string;
  /** Stages that this one needs, in the order of `needs`. */
  readonly needs: readonly Need[];
  /** Where standard error is a terminal and a progress line may be redrawn. */
  readonly interactive: boolean;
  /** Aborted by SIGINT, SIGTERM, SIGUSR1 or SIGHUP: save what there is and throw {@link Interrupted}; to return means done. */
  readonly stop: AbortSignal;
  /** One line for a reader, on standard error and in the stage's log. */
  log(line: string): void;
  /** Redraws the progress line on a terminal; elsewhere, and in the log, says it at most every few seconds. */
  progress(line: Line): void;
}

/** A line of text, or how to write it in so many columns at most. */
export type Line = string | ((columns: number) => string);

/** A stage whose results another stage reads. */
export interface Need {
  readonly id: string;
  /** What it ran: `prepare`, `train`, ... */
  readonly run: string;
  /** Absolute path of its folder. */
  readonly folder: string;
}

/** Every stage's entry file exports this under the name `run`. */
export type Run<Config> = (config: Config, io: StageIo) => Promise<void>;

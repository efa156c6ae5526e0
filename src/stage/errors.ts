/** The ways in which a command ends, and the errors that choose among them. */

/** Exit codes of every command and stage. */
export const EXIT = {
  done: 0,
  /** Something failed: the last line on standard error says what. */
  failed: 1,
  /** The command line or the pipeline file is wrong; nothing was run. */
  usage: 2,
  /** Another process holds the run or the stage: nothing was touched (BSD's EX_UNAVAILABLE). */
  inUse: 69,
  /** Stopped by a signal after saving: the same command goes on from there (BSD's EX_TEMPFAIL). */
  resumable: 75,
  /** Stopped by a signal, with nothing to save: as a shell has it for Ctrl-C. */
  interrupted: 130,
} as const;

/** Something that the user can put right: shown as one sentence, without a stack. */
export class UserError extends Error {
  override readonly name: string = "UserError";
}

/** The pipeline file or the command line is wrong; nothing was run. */
export class UsageError extends UserError {
  override readonly name = "UsageError";
}

/** Another process is at work on it. */
export class InUse extends UserError {
  override readonly name = "InUse";
}

/** The stage was told to stop; what it had to save is saved. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

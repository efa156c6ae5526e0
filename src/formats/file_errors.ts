/** Sentences for what the operating system refused: a file that cannot be read or written. */

import { UserError } from "../stage/errors.ts";

/** What to do about a refusal, by the system's own words for it. */
const ADVICE: readonly [RegExp, string][] = [
  [/no space left/i, "free some space on that disk, then run the same command again"],
  [/quota exceeded/i, "free some of the quota, then run the same command again"],
  [/file too large/i, "the file system or the shell's limit (ulimit -f) allows no file of that size"],
  [/read-only file system/i, "choose a folder that can be written"],
  [/permission denied/i, "check the owner and the mode of the file and of its folders"],
  [/too many open files/i, "raise the shell's limit (ulimit -n)"],
];

/**
 * The error to throw when `path` could not be read or written.
 *
 * A refusal of the system, or of Deno's permissions, becomes a `UserError` of one sentence with the reason and
 * what to do about it; anything else (a bug, an interruption) comes back as it is.
 *
 * @param verb What was tried: the sentence starts `Cannot <verb> "<path>"`.
 */
export function fileError(verb: "read" | "write", path: string, cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  const reason = reasonOf(cause);
  if (reason === undefined) return cause;
  const advice = ADVICE.find(([words]) => words.test(reason))?.[1];
  return new UserError(`Cannot ${verb} "${path}": ${reason}${advice ? `; ${advice}` : ""}`, { cause });
}

/** Runs `act`, which reads `path`; throws {@link fileError}. */
export function reading<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw fileError("read", path, error);
  }
}

/** Runs `act`, which writes `path`; throws {@link fileError}. */
export function writing<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw fileError("write", path, error);
  }
}

/** The system's words without its number and its own mention of the path; undefined for other errors. */
function reasonOf(error: Error): string | undefined {
  if (error instanceof Deno.errors.NotCapable) return `Deno's permissions leave it out (${error.message})`;
  const words = /^(.*?) \(os error \d+\)/s.exec(error.message)?.[1];
  return words === undefined ? undefined : words.charAt(0).toLowerCase() + words.slice(1);
}

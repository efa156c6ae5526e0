/** Reading what a user configures with: what cannot be read is a sentence that names the file. */

import { UsageError } from "../stage/errors.ts";

/** The text of a file. @throws {UsageError} where it cannot be read. */
export function readFile(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) throw new UsageError(`${file}: no such file`, { cause });
    throw new UsageError(`${file}: cannot be read: ${(cause as Error).message}`, { cause });
  }
}

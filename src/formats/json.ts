/** JSON that others wrote: what is no JSON becomes a sentence. */

import { UserError } from "../stage/errors.ts";
import { reading } from "./file_errors.ts";

/**
 * The value of a JSON file.
 *
 * @param advice What to do where it cannot be read: the end of the sentence.
 * @throws {UserError} when it cannot be read or is not JSON
 */
export function readJson(path: string, advice: string): unknown {
  try {
    return parseJson(reading(path, () => Deno.readTextFileSync(path)), `"${path}"`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${error.message}; ${advice}`, { cause: error });
  }
}

/**
 * The value of a JSON text.
 *
 * @param where What the text is, for the message: `"runs/x/train.json"`, `"metrics.jsonl" line 3`.
 * @throws {UserError} when it is not JSON
 */
export function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UserError(`Cannot read ${where}: not valid JSON (${(cause as Error).message})`, { cause });
  }
}

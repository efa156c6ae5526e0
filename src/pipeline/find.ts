/** From what the user typed to a pipeline file. */

import { dirname, join, relative, resolve } from "node:path";
import { didYouMean } from "../config/nearest.ts";
import { UsageError } from "../stage/errors.ts";

const PROJECT = dirname(dirname(import.meta.dirname!));

/** A path as a task, which runs in the project's folder, takes it: relative where it lies inside. */
export function fromProject(path: string): string {
  const inside = relative(PROJECT, resolve(path));
  return inside.startsWith("..") ? resolve(path) : inside;
}

/**
 * A path as it is, or the file of that name under pipelines/: `quickstart` is pipelines/quickstart.yaml.
 * @param presets Names that would have done in its place, for the message.
 * @throws {UsageError} that lists the known names.
 */
export function findPipelineFile(given: string, presets: readonly string[] = []): string {
  if (isFile(given)) return given;
  const folder = join(PROJECT, "pipelines");
  const shipped = join(folder, `${given}.yaml`);
  const isName = /^[\w.-]+$/.test(given) && !/\.ya?ml$/.test(given);
  if (isName && isFile(shipped)) return shipped;
  if (!isName) throw new UsageError(`${given}: no such file`);
  const known = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.endsWith(".yaml")).map((name) => name.slice(0, -".yaml".length)).sort();
  throw new UsageError(
    `${given}: no such file, and no pipeline${presets.length > 0 ? " or preset" : ""} of that name ` +
      `(${[...known, ...presets].join(", ")})${didYouMean(given, [...known, ...presets])}`,
  );
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false; // whatever the reason, it cannot be read as a file
  }
}

/**
 * Sizes of one pipeline: `sizes` names sets of changes, each written as after `--set`, and `size` (in the file, or
 * `--set size=gpu`) takes one of them, before the other changes of the command line.
 *
 *     size: laptop
 *     sizes:
 *       laptop: {}
 *       gpu: { "*.model.preset": 100m, "*.train.steps": 20000 }
 */

import type * as z from "zod";
import { UsageError } from "../stage/errors.ts";
import { isPlainMap, type YamlDocument } from "./document.ts";
import { didYouMean } from "./nearest.ts";
import { type Applied, change } from "./overrides.ts";
import { show } from "./problems.ts";

/** What is left of the command line's changes, and where the size has changed the document. */
export interface Sized {
  readonly overrides: readonly string[];
  readonly applied: readonly Applied[];
}

/**
 * Applies the size that is asked for, and takes `size` and `sizes` out of the document's value.
 * @throws {UsageError} where there is no such size, or it changes what is not there.
 */
export function applySize(
  document: YamlDocument,
  file: string,
  overrides: readonly string[],
  schema: z.core.$ZodType,
): Sized {
  const root = document.value;
  if (!isPlainMap(root)) return { overrides, applied: [] };
  const asked = overrides.findLast((override) => override.startsWith("size="));
  const rest = overrides.filter((override) => !override.startsWith("size="));
  const { sizes, size } = root;
  if (sizes === undefined) {
    if (asked !== undefined) throw new UsageError(`--set ${asked}: ${file} has no sizes`);
    return { overrides, applied: [] };
  }
  const at = (...path: string[]) => `${file}:${document.position(path)}: ${path.join(".")}`;
  if (!isPlainMap(sizes)) {
    throw new UsageError(`${at("sizes")}: expected a map of sizes, found ${show(sizes)}`);
  }
  delete root.sizes;
  delete root.size;
  const name = asked === undefined ? size : asked.slice("size=".length);
  const known = Object.keys(sizes);
  const chosen = typeof name === "string" && Object.hasOwn(sizes, name) ? sizes[name] : undefined;
  if (chosen === undefined) {
    const where = asked === undefined ? at("size") : `--set ${asked}`;
    throw new UsageError(
      `${where}: expected ${known.join(" | ")}, found ${show(name)}${didYouMean(String(name), known)}`,
    );
  }
  if (!isPlainMap(chosen)) {
    throw new UsageError(`${at("sizes", name as string)}: expected a map of changes, found ${show(chosen)}`);
  }
  const applied = Object.entries(chosen).flatMap(([path, value]) =>
    change(
      root,
      path,
      value,
      `${file}:${document.position(["sizes", name as string, path])}: sizes.${name}: ${path}`,
      schema,
    )
  );
  return { overrides: rest, applied };
}

/** `--set a.b=c`: changes of a pipeline file on the command line, applied before the file is checked. */

import type * as z from "zod";
import { UsageError } from "../stage/errors.ts";
import { copy, parseYaml, type Path, type Plain } from "./document.ts";
import { fieldAt, isKnown, keysOf } from "./fields.ts";
import { didYouMean } from "./nearest.ts";
import { show } from "./problems.ts";

/** Where an override took effect. */
export interface Applied {
  readonly path: Path;
  /** As the user wrote it: `--set ntp.train.lr=abc`. */
  readonly source: string;
}

/**
 * Sets values in `root`, in the given order. A path begins with a key of the file (`device`), with a stage's
 * id (`ntp.train.steps`, `stages.ntp.train.steps`, `stages[1].train.steps`), or with `*` for every stage that
 * has such a key (`*.train.steps`). Values are YAML.
 * @throws {UsageError} where a path leads nowhere.
 */
export function applyOverrides(
  root: Plain,
  overrides: readonly string[],
  schema: z.core.$ZodType,
): Applied[] {
  return overrides.flatMap((override) => {
    const source = `--set ${override}`;
    const equals = override.indexOf("=");
    if (equals <= 0) {
      throw new UsageError(`${source}: expected a path, = and a value, as in --set device=cpu`);
    }
    const keys = override.slice(0, equals).replaceAll(/\[(\d+)\]/g, ".$1").split(".");
    const value = parseYaml(override.slice(equals + 1), source).value;
    return resolvePaths(root, keys, schema, source).map((path) => {
      assign(root, path, copy(value), source);
      return { path, source };
    });
  });
}

type Stage = { [key: string]: Plain };

/** The places that a path names: one, or with `*` as many as there are stages with such a key. */
function resolvePaths(root: Plain, keys: readonly string[], schema: z.core.$ZodType, source: string): Path[] {
  const stages = stagesOf(root);
  const topKeys = keysOf(fieldAt(schema, root, []));
  const isExplicit = keys[0] === "stages" && keys.length > 1;
  const [first = "", ...rest] = isExplicit ? keys.slice(1) : keys;
  if (!isExplicit && topKeys.includes(first)) return [keys];

  if (first === "*") {
    const paths = stages.map((_, i) => withIndices(root, ["stages", i, ...rest]));
    const known = paths.filter((path) => isKnown(schema, root, path));
    if (rest.length > 0 && known.length > 0) return known;
    throw new UsageError(`${source}: no stage has a key ${rest.join(".")}`);
  }
  const index = isExplicit && /^\d+$/.test(first)
    ? Number(first)
    : stages.findIndex(({ id }) => id === first);
  if (stages[index]) return [withIndices(root, ["stages", index, ...rest])];
  const ids = stages.map(({ id }) => String(id));
  const hint = didYouMean(first, isExplicit ? ids : [...topKeys, ...ids]);
  throw new UsageError(
    `${source}: "${first}" is no stage${isExplicit ? "" : " and no key of the file"}${hint}`,
  );
}

function stagesOf(root: Plain): Stage[] {
  const stages = (root as Stage | null)?.stages;
  if (!Array.isArray(stages)) return [];
  return stages.map((stage) => typeof stage === "object" && stage !== null ? stage as Stage : {});
}

/** Digits are an index where the path leads through a list. */
function withIndices(root: Plain, path: Path): Path {
  let value: Plain | undefined = root;
  return path.map((key) => {
    const real = Array.isArray(value) && /^\d+$/.test(String(key)) ? Number(key) : key;
    value = (value as Stage | null | undefined)?.[real as string];
    return real;
  });
}

function assign(root: Plain, path: Path, value: Plain, source: string): void {
  let holder = root;
  for (const [depth, key] of path.entries()) {
    const isLast = depth === path.length - 1;
    const isIndex = Array.isArray(holder) && typeof key === "number" && key < holder.length;
    const isMap = typeof holder === "object" && holder !== null && !Array.isArray(holder);
    if (!isIndex && !isMap) {
      throw new UsageError(`${source}: "${String(key)}" cannot be set inside ${show(holder)}`);
    }
    const entries = holder as Stage;
    const name = key as string;
    if (isLast) entries[name] = value;
    else if (!Object.hasOwn(entries, name)) entries[name] = {};
    holder = entries[name]!;
  }
}

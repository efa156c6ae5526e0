/** `--set a.b=c`: changes of a pipeline file on the command line, applied before the file is checked. */

import type * as z from "zod";
import { UsageError } from "../stage/errors.ts";
import { copy, parseYaml, type Path, type Plain } from "./document.ts";
import { at, fieldAt, isKnown, keysOf } from "./fields.ts";
import { didYouMean } from "./nearest.ts";
import { problemsOf, show } from "./problems.ts";

/** Where an override took effect. */
export interface Applied {
  readonly path: Path;
  /** As the user wrote it: `--set ntp.train.lr=abc`. */
  readonly source: string;
}

/**
 * Sets values in `root`, in the given order. A path begins with a key of the file (`device`), with a stage's
 * id (`ntp.train.steps`, `stages.ntp.train.steps`, `stages[1].train.steps`), or with `*` for every stage that
 * has such a key (`*.train.steps`). Values are YAML. Matrices are not expanded yet: what is set of a stage with a
 * matrix reaches all stages that it stands for.
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
    const words = equals < 0 ? override : override.slice(0, equals);
    const keys = words.replaceAll(/\[(\d+)\]/g, ".$1").split(".");
    if (equals <= 0) throw new UsageError(`${source}: ${withoutValue(root, words, keys, schema)}`);
    return change(root, words, valueOf(override.slice(equals + 1), words, source), source, schema);
  });
}

/**
 * Sets one value, at all places that its path names.
 * @param words The path, as after `--set`.
 * @param source What messages begin with.
 * @throws {UsageError} where the path leads nowhere.
 */
export function change(
  root: Plain,
  words: string,
  value: Plain,
  source: string,
  schema: z.core.$ZodType,
): Applied[] {
  const keys = words.replaceAll(/\[(\d+)\]/g, ".$1").split(".");
  return resolvePaths(root, keys, schema, source).map((path) => {
    refuseAxis(root, path, source);
    assign(root, path, copy(value), source, schema);
    return { path, source };
  });
}

/** What is wrong with a path alone: the value that is expected there, where the path leads somewhere. */
function withoutValue(root: Plain, words: string, keys: readonly string[], schema: z.core.$ZodType): string {
  const otherwise = "expected a path, = and a value, as in --set device=cpu";
  if (words === "") return otherwise;
  let field: z.core.$ZodType | undefined;
  try {
    field = fieldAt(schema, root, resolvePaths(root, keys, schema, "")[0]!);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
  }
  const [problem] = field === undefined ? [] : problemsOf(field, null, issuesOf(field, null));
  if (problem === undefined) return otherwise;
  const expected = problem.message.replace(/, found nothing$/, "");
  return `= and a value are missing, as in --set ${words}=VALUE: ${expected}`;
}

function issuesOf(schema: z.core.$ZodType, value: unknown): readonly z.core.$ZodIssue[] {
  return (schema as z.ZodType).safeParse(value).error?.issues ?? [];
}

/** The value, which is YAML; what a shell may have done to it is said where it is none. */
function valueOf(text: string, words: string, source: string): Plain {
  try {
    return parseYaml(text, "value").value;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const what = error.message.split("\n")[0]!.replace(/^value:( ?\d+:\d+:)? ?/, "");
    const sign = /^[*&!%@`|>]/.exec(text)?.[0];
    const hint = sign === undefined
      ? "a shell cuts at spaces and takes quotes away: quote the whole change, as in --set 'text.input=[a, b]'"
      : `YAML takes a ${sign} at the beginning for a sign of its own: --set '${words}="${text}"'`;
    throw new UsageError(`${source}: ${what}; ${hint}`, { cause: error });
  }
}

type Stage = { [key: string]: Plain };

/** The places that a path names: one, or with `*` as many as there are stages with such a key. */
function resolvePaths(root: Plain, keys: readonly string[], schema: z.core.$ZodType, source: string): Path[] {
  const stages = stagesOf(root);
  const topKeys = keysOf(fieldAt(schema, root, []));
  const isExplicit = keys[0] === "stages" && keys.length > 1;
  const [first = "", ...rest] = isExplicit ? keys.slice(1) : keys;
  if (!isExplicit && topKeys.includes(first)) return [keys];

  const known = (rest: readonly string[]): Path[] =>
    stages.map((_, i) => withIndices(root, ["stages", i, ...rest])).filter((path) =>
      isKnown(schema, root, path)
    );
  if (first === "*") {
    const paths = known(rest);
    if (rest.length > 0 && paths.length > 0) return paths;
    throw new UsageError(`${source}: no stage has a key ${rest.join(".")}${likeKey(root, rest, schema)}`);
  }
  const index = isExplicit && /^\d+$/.test(first)
    ? Number(first)
    : stages.findIndex(({ id }) => id === first);
  if (stages[index]) return [withIndices(root, ["stages", index, ...ofMatrix(stages[index], rest)])];

  const made = madeBy(first, stages);
  if (made !== undefined) {
    const { id, by } = made;
    throw new UsageError(
      `${source}: "${first}" is one of the stages that "${id}" stands for (${by}): ` +
        `set ${[id, ...rest].join(".")}, which changes all of them`,
    );
  }
  const ids = stages.map(({ id }) => String(id));
  const wherever = isExplicit ? [] : known([first, ...rest]);
  const example = wherever.length === 0 ? undefined : String(stages[wherever[0]![1] as number]!.id);
  const path = [first, ...rest].join(".");
  const hint = example === undefined
    ? didYouMean(first, isExplicit ? ids : [...topKeys, ...ids])
    : `: stages have it; set ${example}.${path}, or *.${path} for all of them`;
  throw new UsageError(
    `${source}: "${first}" is no stage${isExplicit ? "" : " and no key of the file"}${hint}`,
  );
}

function stagesOf(root: Plain): Stage[] {
  const stages = (root as Stage | null)?.stages;
  if (!Array.isArray(stages)) return [];
  return stages.map((stage) => typeof stage === "object" && stage !== null ? stage as Stage : {});
}

/** The known key that is like the first unknown one of a path that begins with `*`. */
function likeKey(root: Plain, rest: readonly string[], schema: z.core.$ZodType): string {
  for (let depth = rest.length - 1; depth >= 0; depth--) {
    const above = stagesOf(root).map((_, i) => fieldAt(schema, root, ["stages", i, ...rest.slice(0, depth)]));
    const keys = new Set(above.flatMap(keysOf));
    if (keys.size > 0) return didYouMean(rest[depth]!, keys);
  }
  return "";
}

/** The stage whose matrix, or `each`, makes a stage of this id. */
function madeBy(id: string, stages: readonly Stage[]): { id: string; by: "matrix" | "each" } | undefined {
  const groups = stages.filter((stage) => "matrix" in stage || "each" in stage);
  const ids = groups.map((stage) => String(stage.id)).filter((group) => id.startsWith(`${group}-`));
  const longest = ids.sort((a, b) => b.length - a.length)[0];
  if (longest === undefined) return undefined;
  return { id: longest, by: "matrix" in groups.find((stage) => stage.id === longest)! ? "matrix" : "each" };
}

/** An axis is one key, although its name may have dots: `arm.matrix.model.heads.count`. */
function ofMatrix(stage: Stage, rest: readonly string[]): readonly string[] {
  const [first, ...names] = rest;
  if (first !== "matrix" || names.length === 0) return rest;
  const axes = axesOf(stage);
  for (let length = names.length; length > 0; length--) {
    const axis = names.slice(0, length).join(".");
    if (axes.includes(axis)) return ["matrix", axis, ...names.slice(length)];
  }
  return ["matrix", names.join(".")];
}

function axesOf({ matrix }: Stage): string[] {
  return typeof matrix === "object" && matrix !== null ? Object.keys(matrix) : [];
}

/** What the stages of a matrix differ in is said by the matrix alone. */
function refuseAxis(root: Plain, [top, index, ...keys]: Path, source: string): void {
  if (top !== "stages" || keys.length === 0) return;
  const stage = stagesOf(root)[index as number]!;
  const path = keys.join(".");
  const axis = axesOf(stage).find((axis) => path === axis || path.startsWith(`${axis}.`));
  if (axis === undefined) return;
  throw new UsageError(
    `${source}: "${axis}" is an axis of the matrix of "${stage.id}": ` +
      `set its values, as in --set '${stage.id}.matrix.${axis}=[...]'`,
  );
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

function assign(root: Plain, path: Path, value: Plain, source: string, schema: z.core.$ZodType): void {
  let holder = root;
  for (const [depth, key] of path.entries()) {
    const isLast = depth === path.length - 1;
    const isIndex = Array.isArray(holder) && typeof key === "number" && key < holder.length;
    const isMap = typeof holder === "object" && holder !== null && !Array.isArray(holder);
    if (!isIndex && !isMap) {
      const hint = isLast ? wholeMap(root, path, source, schema) : "";
      throw new UsageError(`${source}: "${String(key)}" cannot be set inside ${show(holder)}${hint}`);
    }
    const entries = holder as Stage;
    const name = key as string;
    if (isLast) entries[name] = value;
    else if (!Object.hasOwn(entries, name)) entries[name] = {};
    holder = entries[name]!;
  }
}

/** How to set a key of what the file gives as one word, such as a curriculum's name, and could be a map. */
function wholeMap(root: Plain, path: Path, source: string, schema: z.core.$ZodType): string {
  const above = path.slice(0, -1);
  const word = at(root, above);
  const keys = keysOf(fieldAt(schema, root, above));
  const key = String(path.at(-1));
  if (typeof word !== "string" || !keys.includes(key)) return "";
  const [, words, value] = /^--set (.*?)\.[^.=]+=(.*)$/s.exec(source)!;
  const named = keys.includes("preset") ? `preset: ${word}, ` : "";
  return `: set a map in its place, as in --set '${words}={${named}${key}: ${value}}'`;
}

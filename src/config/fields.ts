/** Which keys a schema knows where: for hints, and for `--set` paths. */

import type * as z from "zod";
import type { Path } from "./document.ts";

/** The value at a path, or undefined. */
export function at(value: unknown, path: Path): unknown {
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** Whether the schema knows a value at this path, `value` telling which alternative of a union is meant. */
export function isKnown(schema: z.core.$ZodType, value: unknown, path: Path): boolean {
  return fieldAt(schema, value, path) !== undefined;
}

/** The schema of what stands at a path, looked through to what has keys or elements, if it is known. */
export function fieldAt(schema: z.core.$ZodType, value: unknown, path: Path): z.core.$ZodType | undefined {
  let field: z.core.$ZodType | undefined = schema;
  for (const key of path) {
    field = step(unwrap(field, value), key);
    if (!field) return undefined;
    value = at(value, [key]);
  }
  return unwrap(field, value);
}

function step(schema: z.core.$ZodType, key: PropertyKey): z.core.$ZodType | undefined {
  const def = definition(schema);
  if (def.type === "array") return def.element;
  if (def.type !== "object" || typeof key !== "string") return undefined;
  return Object.hasOwn(def.shape, key) ? def.shape[key] : undefined;
}

/** Looks through defaults, transforms and unions to what has keys or elements. */
function unwrap(schema: z.core.$ZodType, value: unknown): z.core.$ZodType {
  const def = definition(schema);
  if (isWrapper(def)) return unwrap(def.innerType, value);
  if (def.type === "pipe") return unwrap(def.in, value);
  if (def.type !== "union") return schema;
  const options = def.options.map((option) => unwrap(option, value));
  const discriminator = (def as z.core.$ZodDiscriminatedUnionDef).discriminator as string | undefined;
  if (discriminator === undefined) {
    return options.find((option) => keysOf(option).length > 0) ?? options.at(-1)!;
  }
  return options.find((option) => isMember(step(option, discriminator), at(value, [discriminator]))) ??
    schema;
}

type Definition = z.core.$ZodTypes["_zod"]["def"];

/** Whether it only says what is there where the file says nothing. */
function isWrapper(
  def: Definition,
): def is Extract<Definition, { type: "default" | "optional" | "prefault" }> {
  return def.type === "default" || def.type === "optional" || def.type === "prefault";
}

function isMember(literal: z.core.$ZodType | undefined, value: unknown): boolean {
  const def = literal && definition(literal);
  return def?.type === "literal" && def.values.some((known) => known === value);
}

/** The keys of a map's schema; of anything else none. */
export function keysOf(schema: z.core.$ZodType | undefined): string[] {
  const def = schema && definition(schema);
  return def?.type === "object" ? Object.keys(def.shape) : [];
}

function definition(schema: z.core.$ZodType): Definition {
  return (schema as z.core.$ZodTypes)._zod.def;
}

/** A key of a map, for a list of what may be set. */
export interface Key {
  readonly name: string;
  /** What it is, from the schema. */
  readonly about: string;
  /** Whether it holds keys of its own, and whether it takes a value that is no map. */
  readonly hasKeys: boolean;
  readonly hasValue: boolean;
  /** The words that it takes as a value, as far as they are known. */
  readonly words: readonly string[];
}

/** The keys of the map at a path; of anything else none. */
export function keysAt(schema: z.core.$ZodType, value: unknown, path: Path): Key[] {
  const field = fieldAt(schema, value, path);
  const def = field && definition(field);
  if (def?.type !== "object") return [];
  return Object.entries(def.shape).map(([name, key]) => {
    const hasKeys = keysOf(unwrap(key, at(value, [...path, name]))).length > 0;
    return {
      name,
      about: (key as z.ZodType).description ?? "",
      hasKeys,
      hasValue: !hasKeys || isUnion(key),
      words: wordsOf(key),
    };
  });
}

function isUnion(schema: z.core.$ZodType): boolean {
  const def = definition(schema);
  if (isWrapper(def)) return isUnion(def.innerType);
  return def.type === "union" && !("discriminator" in def);
}

function wordsOf(schema: z.core.$ZodType): string[] {
  const def = definition(schema);
  if (isWrapper(def)) return wordsOf(def.innerType);
  if (def.type === "pipe") return wordsOf(def.in);
  if (def.type === "union") return def.options.flatMap(wordsOf);
  if (def.type === "enum") return Object.values(def.entries).map(String);
  if (def.type === "literal") return def.values.map(String);
  return def.type === "boolean" ? ["true", "false"] : [];
}

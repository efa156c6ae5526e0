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
  if (def.type === "default" || def.type === "optional") return unwrap(def.innerType, value);
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

function isMember(literal: z.core.$ZodType | undefined, value: unknown): boolean {
  const def = literal && definition(literal);
  return def?.type === "literal" && def.values.some((known) => known === value);
}

/** The keys of a map's schema; of anything else none. */
export function keysOf(schema: z.core.$ZodType | undefined): string[] {
  const def = schema && definition(schema);
  return def?.type === "object" ? Object.keys(def.shape) : [];
}

function definition(schema: z.core.$ZodType): z.core.$ZodTypes["_zod"]["def"] {
  return (schema as z.core.$ZodTypes)._zod.def;
}

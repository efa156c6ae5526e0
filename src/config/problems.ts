/** What is wrong with a value, in words: from zod's issues to `expected ..., found ...`. */

import type * as z from "zod";
import { didYouMean } from "./nearest.ts";
import type { Path } from "./document.ts";
import { at, fieldAt, keysOf } from "./fields.ts";

/** One thing to put right. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
  /** Whether the key is wrong, not its value. */
  readonly atKey?: boolean;
}

/** All that a schema finds wrong with a value. */
export function problemsOf(schema: z.core.$ZodType, value: unknown, issues: readonly Issue[]): Problem[] {
  return issues.flatMap((issue) => explain(schema, value, issue, []));
}

type Issue = z.core.$ZodIssue;

function explain(schema: z.core.$ZodType, root: unknown, issue: Issue, above: Path): Problem[] {
  const path = [...above, ...issue.path];
  const found = at(root, path);
  const expected = (what: string, hint = ""): Problem[] => [{
    path,
    message: found === undefined
      ? `missing: expected ${what}`
      : `expected ${what}, found ${show(found)}${hint}`,
  }];
  switch (issue.code) {
    case "invalid_type":
      return expected(TYPE_NAMES[issue.expected] ?? issue.expected, asWritten(issue.expected, found));
    case "invalid_value":
      return expected(alternatives(issue.values), suggestion(found, issue.values));
    case "too_small":
      return expected(bound(issue.origin, "least", Number(issue.minimum), issue.inclusive ?? true));
    case "too_big":
      return expected(bound(issue.origin, "most", Number(issue.maximum), issue.inclusive ?? true));
    case "unrecognized_keys": {
      const known = keysOf(fieldAt(schema, root, path));
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: `unknown key "${key}"${didYouMean(key, known)}`,
        atKey: true,
      }));
    }
    case "invalid_union": {
      if (issue.discriminator !== undefined) {
        const { options = [] } = issue as { options?: readonly string[] };
        return expected(alternatives(options), suggestion(found, options));
      }
      return ofUnion(issue, path) ??
        expected(issue.message, suggestion(found, issue.errors.flatMap(valuesOf)));
    }
    case "invalid_format":
      return expected(issue.message);
    default:
      return [{ path, message: issue.message }];
  }

  /** The one alternative that fits from the outside, if there is one: its issues say more than the union's. */
  function ofUnion(union: z.core.$ZodIssueInvalidUnion, path: Path): Problem[] | undefined {
    const fitting = union.errors.filter((issues) => !issues.some(isAtRoot));
    if (fitting.length !== 1) return undefined;
    return fitting[0]!.flatMap((inner) => explain(schema, root, inner, path));
  }
}

const TYPE_NAMES: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
};

/** How YAML takes what was meant, where that can be told. */
function asWritten(expected: string, found: unknown): string {
  if (expected === "string" && (typeof found === "number" || typeof found === "boolean")) {
    return `: as text it is written "${found}", in quotes`;
  }
  if (typeof found !== "string") return "";
  if (expected === "boolean") {
    const meant = { yes: true, on: true, no: false, off: false }[found.toLowerCase()];
    return meant === undefined ? "" : `: write ${meant}`;
  }
  const isNumber = expected === "number" || expected === "int";
  const [, digits, unit] = (isNumber && /^([+-]?\d[\d_,']*(?:\.\d+)?) ?([kMG]?)$/.exec(found)) || [];
  if (digits === undefined) return "";
  const exponent = { "": "", k: "e3", M: "e6", G: "e9" }[unit as ""];
  return `: write ${digits.replaceAll(/[_,']/g, "")}${exponent}`;
}

/** Not of this alternative's type at all. Unknown keys are at the root too, but of the right type. */
function isAtRoot(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === "invalid_type" || issue.code === "invalid_value");
}

function valuesOf(issues: readonly Issue[]): readonly unknown[] {
  return issues.flatMap((issue) => issue.code === "invalid_value" ? issue.values : []);
}

function alternatives(values: readonly unknown[]): string {
  return values.join(" | ");
}

function suggestion(found: unknown, values: readonly unknown[]): string {
  return typeof found === "string" ? didYouMean(found, values.map(String)) : "";
}

function bound(origin: string, side: "least" | "most", limit: number, inclusive: boolean): string {
  if (origin === "array") return `a list of at ${side} ${limit}`;
  if (origin === "string") return "text that is not empty";
  if (inclusive) return `at ${side} ${limit}`;
  return `${side === "least" ? "more" : "less"} than ${limit}`;
}

/** The value as the file's reader would recognise it. */
export function show(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "a map";
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
}

/** `stages[1].train.lr` */
export function showPath(path: Path): string {
  return path.map((key, i) => {
    if (typeof key === "number") return `[${key}]`;
    return i === 0 ? String(key) : `.${String(key)}`;
  }).join("");
}

/**
 * Text with holes for a record's values: `{question.stem}` is the value at a dotted path, `{ctx_b | capitalize}` the same
 * behind a filter. What a path finds stands in fields.ts of the evaluation; here is how a template is read.
 */

import { didYouMean } from "../nearest.ts";

/** What may stand behind a `|`; with an argument: `before:_`. */
export const FILTERS = {
  /** Without white space at both ends. */
  trim: (text: string) => text.trim(),
  trim_start: (text: string) => text.trimStart(),
  /** The first letter large, the others small. */
  capitalize: (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase(),
  /** What stands before the first occurrence of the argument; undefined where there is none. */
  before: (text: string, mark: string) => text.includes(mark) ? text.slice(0, text.indexOf(mark)) : undefined,
  after: (text: string, mark: string) =>
    text.includes(mark) ? text.slice(text.indexOf(mark) + mark.length) : undefined,
} as const;

export type FilterName = keyof typeof FILTERS;

/** Filters that do nothing without an argument. */
const WITH_ARGUMENT: readonly FilterName[] = ["before", "after"];

/** A piece of a template: text as it is, or a hole. */
export type TemplatePart = string | Hole;

export interface Hole {
  readonly path: string;
  readonly filters: readonly { readonly name: FilterName; readonly argument: string }[];
}

/** Takes a template apart. @throws {Error} with what is wrong, in words. */
export function parseTemplate(template: string): TemplatePart[] {
  return template.split(/(\{[^{}]*\})/).filter((part) => part !== "").map((part) => {
    if (!/^\{.*\}$/s.test(part)) {
      if (/[{}]/.test(part)) throw new Error(`a brace without its partner in ${JSON.stringify(template)}`);
      return part;
    }
    const [path, ...filters] = part.slice(1, -1).split("|");
    if (path!.trim() === "") throw new Error(`a hole without a field in ${JSON.stringify(template)}`);
    return { path: path!.trim(), filters: filters.map(parseFilter) };
  });
}

function parseFilter(text: string): Hole["filters"][number] {
  const [name, ...rest] = text.trim().split(":");
  const argument = rest.join(":");
  if (!Object.hasOwn(FILTERS, name!)) {
    const known = Object.keys(FILTERS);
    throw new Error(`there is no filter "${name}", only ${known.join(", ")}${didYouMean(name!, known)}`);
  }
  if (WITH_ARGUMENT.includes(name as FilterName) && argument === "") {
    throw new Error(`the filter "${name}" needs an argument: ${name}:_`);
  }
  return { name: name as FilterName, argument };
}

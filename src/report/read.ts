/** Reading result files: a missing one is null, a malformed one is a sentence that names the file and the line. */

import type * as z from "zod";
import { fileError } from "../formats/file_errors.ts";
import { parseJson } from "../formats/json.ts";
import { UserError } from "../stage/errors.ts";
import { type Step, stepLine, type Validation, validationLine, type Warning, warningLine } from "./inputs.ts";

/** The text of a file; null when there is no such file. Tests give their own. */
export type ReadText = (path: string) => string | null;

/** Reads from the disk. Throws a `UserError` where the system refuses. */
export const readFromDisk: ReadText = (path) => {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw fileError("read", path, error);
  }
};

/**
 * The value in a JSON file, checked; null when there is no such file.
 *
 * @throws {UserError} when it is not JSON, or not what the schema expects
 */
export function readJson<T>(read: ReadText, path: string, schema: z.ZodType<T>): T | null {
  const text = read(path);
  return text === null ? null : checked(`"${path}"`, parseJson(text, `"${path}"`), schema);
}

/** What metrics.jsonl holds, each step once, in increasing order. */
export interface Metrics {
  readonly steps: readonly Step[];
  readonly validations: readonly Validation[];
  readonly warnings: readonly Warning[];
}

/**
 * The lines of metrics.jsonl; null when there is no such file. A last line without its end was cut off by a kill: it is
 * left out.
 *
 * @throws {UserError} with the line's number when a line is malformed
 */
export function readMetrics(read: ReadText, path: string): Metrics | null {
  const text = read(path);
  if (text === null) return null;
  const lines = new MetricsLines(path);
  // What follows the last line break is empty, or a line that was cut off.
  for (const line of text.split("\n").slice(0, -1)) lines.add(line);
  return lines.metrics();
}

/**
 * The lines of metrics.jsonl, one after another. A resumed run writes steps again that it had already written: the last
 * line of a step counts. Lines of other kinds are skipped.
 */
export class MetricsLines {
  readonly #steps = new Map<number, Step>();
  readonly #validations = new Map<number, Validation>();
  readonly #warnings = new Map<string, Warning>();
  #count = 0;

  constructor(readonly path: string) {}

  /** @throws {UserError} with the line's number when it is malformed */
  add(line: string): void {
    const where = `"${this.path}" line ${++this.#count}`;
    if (line.trim() === "") return;
    const value = parseJson(line, where);
    const kind = kindOf(value);
    if (kind === undefined) throw new UserError(`Cannot read ${where}: an object with a "kind" expected`);
    if (kind === "step") keepLast(this.#steps, checked(where, value, stepLine));
    if (kind === "validation" && isFinished(value)) {
      keepLast(this.#validations, checked(where, value, validationLine));
    }
    if (kind === "warning") {
      const warning = checked(where, value, warningLine);
      this.#warnings.set(`${warning.step} ${warning.name}`, warning);
    }
  }

  /** What was added up to now. */
  metrics(): Metrics {
    return {
      steps: inOrder(this.#steps),
      validations: inOrder(this.#validations),
      warnings: inOrder(this.#warnings),
    };
  }
}

function keepLast<T extends { readonly step: number }>(lines: Map<number, T>, line: T): void {
  lines.set(line.step, line);
}

function inOrder<T extends { readonly step: number }>(lines: Map<unknown, T>): T[] {
  return [...lines.values()].sort((a, b) => a.step - b.step);
}

/** A validation that was not finite has null in its place: there is nothing to draw. */
function isFinished(value: unknown): boolean {
  return (value as { bits_per_byte?: unknown }).bits_per_byte !== null;
}

function kindOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !("kind" in value)) return undefined;
  return typeof value.kind === "string" ? value.kind : undefined;
}

function checked<T>(where: string, value: unknown, schema: z.ZodType<T>): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const key = issue.path.map((part) => typeof part === "number" ? `[${part}]` : `.${String(part)}`).join("");
  const said = issue.message.replace(/^Invalid input: /, "");
  throw new UserError(`Cannot read ${where}: ${key === "" ? "" : `${key.replace(/^\./, "")}: `}${said}`);
}

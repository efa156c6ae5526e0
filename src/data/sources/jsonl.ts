/** JSON Lines to documents: one object a line, the text under one of its keys. Blank lines are passed over. */

import { UserError } from "../../stage/errors.ts";
import { type Batch, BatchBuilder, type Place } from "./batch.ts";
import type { SourceFile } from "./file.ts";
import { FirstText } from "./first_text.ts";
import { LineCutter } from "./lines.ts";
import { piecesOf } from "./pieces.ts";
import { LONGEST } from "./text.ts";

/**
 * Malformed UTF-8 becomes U+FFFD.
 *
 * @throws {UserError} where the file cannot be read, or a line is no object with text under the key and nothing may be
 *   skipped
 */
export async function* readJsonl(file: SourceFile, from: Place): AsyncGenerator<Batch> {
  const builder = new BatchBuilder();
  const cutter = new LineCutter(from.at);
  const take = recordTaker(file, builder);
  let line = from.line;
  for await (const { bytes, read, gap } of piecesOf(file, from.at)) {
    if (gap !== undefined) {
      builder.skip(gap);
      cutter.gap();
    }
    for (const record of cutter.push(bytes)) {
      take(record, ++line, cutter.isRest);
      if (builder.isFull) yield builder.take({ at: cutter.at, line }, read);
    }
    if (cutter.held > LONGEST) {
      throw new UserError(`Cannot read "${file.path}": line ${line + 1} is longer than 1 GiB`);
    }
  }
  for (const record of cutter.finish()) take(record, ++line, cutter.isRest);
  yield builder.take({ at: cutter.at, line }, file.size);
}

/** @param isRest whether it may be the end of a record, whose beginning is lost: that is no record, and was counted. */
type RecordTaker = (record: Uint8Array, line: number, isRest: boolean) => void;

/** Puts the text of records into a builder. */
function recordTaker({ path, column, skipDamage }: SourceFile, builder: BatchBuilder): RecordTaker {
  const decoder = new TextDecoder();
  const first = new FirstText(column);
  return (record, line, isRest) => {
    const text = first.of(record);
    if (text !== undefined) return builder.add(text);
    const json = decoder.decode(record);
    try {
      const text = (JSON.parse(json) as Record<string, unknown> | null)?.[column];
      if (typeof text === "string") return builder.addString(text);
    } catch {
      // said below
    }
    if (isRest || json.trim() === "") return;
    const what = complaint(json, column);
    if (skipDamage) return builder.skip(`"${path}" line ${line}: ${what}; skipped`);
    throw new UserError(
      `Cannot read "${path}" line ${line}: ${what}; set on_error: skip to leave out such records`,
    );
  };
}

/** Why a line has no text. */
function complaint(json: string, column: string): string {
  let record: unknown;
  try {
    record = JSON.parse(json);
  } catch (error) {
    return `not valid JSON (${(error as Error).message})`;
  }
  if (typeof record !== "object" || record === null || Array.isArray(record)) return "not a JSON object";
  if (!Object.hasOwn(record, column)) {
    const keys = Object.keys(record).map((key) => `"${key}"`).join(", ") || "none";
    return `no key "${column}" (its keys are ${keys}: name one with column)`;
  }
  const value = (record as Record<string, unknown>)[column];
  return `"${column}" is ${
    value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`
  }, not text`;
}

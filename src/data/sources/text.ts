/** Text files to documents: whole files, or blocks between blank lines. Bytes are never changed. */

import { UserError } from "../../stage/errors.ts";
import { type Batch, BatchBuilder, type Place } from "./batch.ts";
import { BlockCutter } from "./blocks.ts";
import type { SourceFile } from "./file.ts";
import { piecesOf } from "./pieces.ts";

/** Bytes that a document may have: it is held in memory as a whole. */
export const LONGEST = 2 ** 30;

/** @throws {UserError} where the file cannot be read, or is one document that is too long for memory */
export function readText(file: SourceFile, from: Place): AsyncGenerator<Batch> {
  return file.document === "file" ? readWhole(file, from) : readBlocks(file, from);
}

async function* readWhole(file: SourceFile, from: Place): AsyncGenerator<Batch> {
  if (from.at > 0) return;
  const builder = new BatchBuilder();
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const { bytes, gap } of piecesOf(file, 0)) {
    if (gap !== undefined) builder.skip(gap);
    length += bytes.length;
    if (length > LONGEST) throw tooLong(file);
    parts.push(bytes.slice());
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  builder.add(whole);
  yield builder.take({ at: Math.max(1, length), line: 0 }, file.size);
}

async function* readBlocks(file: SourceFile, from: Place): AsyncGenerator<Batch> {
  const builder = new BatchBuilder();
  const cutter = new BlockCutter(from.at);
  const place = () => ({ at: cutter.at, line: 0 });
  for await (const { bytes, read, gap } of piecesOf(file, from.at)) {
    if (gap !== undefined) {
      builder.skip(gap);
      for (const block of cutter.finish()) builder.add(block);
    }
    for (const block of cutter.push(bytes)) {
      builder.add(block);
      if (builder.isFull) yield builder.take(place(), read);
    }
    if (cutter.held > LONGEST) throw tooLong(file);
  }
  for (const block of cutter.finish()) builder.add(block);
  yield builder.take(place(), file.size);
}

const tooLong = ({ path }: SourceFile) =>
  new UserError(
    `Cannot take "${path}" as it is: a document is longer than 1 GiB; set document: blank_line, or cut the file`,
  );

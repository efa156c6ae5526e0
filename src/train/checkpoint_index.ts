/**
 * checkpoints.json: which checkpoints there are, the newest and the best, in one file for people and programs. The
 * folders are the truth: where the file is missing, cut short or behind them (a kill between the two), it is made again.
 *
 *     checkpoints/checkpoints.json   { newest: "step-00000500", best: "step-00000400", checkpoints: [{ ... }, { ... }] }
 */
import { basename, join } from "node:path";
import * as z from "zod";
import { writeJson } from "../formats/atomic.ts";
import { ADVICE, checkpointsFolder, checkpointsIn, readState } from "./checkpoint.ts";

const entrySchema = z.strictObject({
  folder: z.string(),
  step: z.int(),
  bits_per_byte: z.number().nullable(),
});

const indexSchema = z.strictObject({
  format: z.literal("foretoken-checkpoints"),
  version: z.literal(1),
  newest: z.string().nullable(),
  best: z.string().nullable(),
  checkpoints: z.array(entrySchema),
});

/** A checkpoint as the index knows it. */
export type IndexEntry = z.output<typeof entrySchema>;

/** How many checkpoints stay. */
export interface Keeping {
  /** The newest ones. */
  readonly keep: number;
  /** Also that with the fewest bits per byte held out. */
  readonly keep_best: boolean;
}

const pathOf = (stageFolder: string): string => join(checkpointsFolder(stageFolder), "checkpoints.json");

/**
 * The checkpoints in a stage's folder, oldest first: from the index as far as it fits the folders, else from them.
 *
 * @throws {UserError} naming a state.json that is needed and damaged.
 */
export function indexOf(stageFolder: string): IndexEntry[] {
  const known = new Map(readIndex(stageFolder).map((entry) => [entry.folder, entry]));
  return checkpointsIn(stageFolder).map((path) => known.get(basename(path)) ?? entryOf(path));
}

function entryOf(path: string): IndexEntry {
  const { state } = readState(path, ADVICE.resume);
  return { folder: basename(path), step: state.step, bits_per_byte: state.bits_per_byte };
}

/** What the file says; nothing where it is not there or not whole, since it can be made again. */
function readIndex(stageFolder: string): IndexEntry[] {
  try {
    return indexSchema.parse(JSON.parse(Deno.readTextFileSync(pathOf(stageFolder)))).checkpoints;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return [];
    if (error instanceof z.ZodError) return [];
    throw error;
  }
}

/** Replaces checkpoints.json. @throws {UserError} where the system refuses. */
export function writeIndex(stageFolder: string, entries: readonly IndexEntry[]): void {
  writeJson(pathOf(stageFolder), {
    format: "foretoken-checkpoints",
    version: 1,
    newest: entries.at(-1)?.folder ?? null,
    best: bestOf(entries)?.folder ?? null,
    checkpoints: entries,
  });
}

/** The checkpoint with the fewest bits per byte, the newer one of equals; undefined where none was measured. */
export function bestOf(entries: readonly IndexEntry[]): IndexEntry | undefined {
  const bits = (entry: IndexEntry) => entry.bits_per_byte ?? Infinity;
  return entries.filter((entry) => entry.bits_per_byte !== null)
    .reduce<IndexEntry | undefined>(
      (best, entry) => best && bits(best) < bits(entry) ? best : entry,
      undefined,
    );
}

/** Those that stay, oldest first. */
export function kept(entries: readonly IndexEntry[], { keep, keep_best }: Keeping): IndexEntry[] {
  const best = keep_best ? bestOf(entries) : undefined;
  const newest = entries.slice(-keep);
  return entries.filter((entry) => newest.includes(entry) || entry === best);
}

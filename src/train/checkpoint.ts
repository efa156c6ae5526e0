/**
 * Checkpoints: folders that are there whole or not at all, and that are checked before they are believed.
 *
 *     checkpoints/step-00000500/model.safetensors       parameters
 *                               optimizer.safetensors   moments and step counters of those that were trained
 *                               ema.safetensors         averaged parameters, where the run keeps them
 *                               state.json              where the run stands, and checksums of all four files
 *
 * saver.ts writes them, index.ts says which ones stay.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import * as z from "zod";
import { sha256OfFile, writeJson } from "../formats/atomic.ts";
import { readJson } from "../formats/json.ts";
import { type SafetensorsDtype, SafetensorsFile } from "../formats/safetensors.ts";
import { UserError } from "../stage/errors.ts";
import type { Dtype, Tensor } from "../torch/mod.ts";

const windowSchema = z.strictObject({
  steps: z.number(),
  loss: z.number(),
  clipped: z.number(),
  heads: z.array(z.strictObject({ sum: z.number(), steps: z.number() })),
});

const stateSchema = z.strictObject({
  /** Optimizer steps that are done. */
  step: z.int().min(0),
  /** Blocks that were consumed: the position in the order of the blocks. */
  position: z.int().min(0),
  /** Text bytes among them. */
  bytes: z.int().min(0),
  /** Seconds of training so far. */
  seconds: z.number(),
  /** What it took so far, where the machine shows that. */
  energy: z.strictObject({ joules: z.number(), source: z.string(), steps: z.int() }).optional(),
  /** Sums since the last line of metrics.jsonl. */
  window: windowSchema,
  /** What the curriculum decided on the way; null where all was known before. */
  curriculum: z.unknown(),
  /** State of libtorch's generator on the CPU, in base64. */
  rng: z.string(),
  /** Bits per byte held out after this step; null where they were not measured then. */
  bits_per_byte: z.number().nullable(),
  /** What must be the same for the run to go on. */
  run: z.record(z.string(), z.unknown()),
  /** What must be the same for it to go on to the same bits. */
  machine: z.strictObject({ device: z.string(), threads: z.int(), torch: z.string(), rows: z.string() }),
});

/** Files of tensors, by what they hold. */
export const PARTS = ["model", "optimizer", "ema"] as const;
export type Part = typeof PARTS[number];
/** Named tensors. */
export type Entries = readonly (readonly [name: string, tensor: Tensor])[];

const fileSchema = z.strictObject({
  format: z.literal("foretoken-checkpoint"),
  version: z.literal(2),
  state: stateSchema,
  /** Of the files of tensors, hexadecimal. */
  sha256: z.partialRecord(z.enum(PARTS), z.string()),
  /** Of this file: of the JSON of all that stands before. */
  checksum: z.string(),
});

/** Where a run stands, less its tensors. */
export type RunState = z.output<typeof stateSchema>;
/** Sums over the steps since the last line of metrics.jsonl. */
export type Window = z.output<typeof windowSchema>;
/** SHA-256 of the files of tensors, hexadecimal. */
export type Checksums = z.output<typeof fileSchema>["sha256"];

/** The name of a part's file. */
export const fileOf = (part: Part): string => `${part}.safetensors`;

const STATE = "state.json";
const FOLDER = /^step-(\d{8,})$/;

/** The folder that holds a stage's checkpoints. */
export const checkpointsFolder = (stageFolder: string): string => join(stageFolder, "checkpoints");

/** The name of the checkpoint after so many steps. */
export const nameOfStep = (step: number): string => `step-${String(step).padStart(8, "0")}`;

/** Folders of checkpoints in a stage's folder, oldest first. */
export function checkpointsIn(stageFolder: string): string[] {
  const folder = checkpointsFolder(stageFolder);
  try {
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => FOLDER.test(name));
    return names.sort((a, b) => a.length - b.length || (a < b ? -1 : 1)).map((name) => join(folder, name));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Writes the state beside the files of tensors. @throws {UserError} where the system refuses. */
export function writeState(folder: string, state: RunState, sha256: Checksums): void {
  const file = { format: "foretoken-checkpoint", version: 2, state, sha256 };
  writeJson(join(folder, STATE), { ...file, checksum: checksumOf(file) });
}

const checksumOf = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex");

/** What can be done about a damaged checkpoint. */
export const ADVICE = {
  resume: "move that checkpoint's folder away and train again, to go on from the one before it",
  finished: "train that stage again",
} as const;

/**
 * Reads where a run stands, and checks the files that will be read against their checksums.
 *
 * @param parts Those of them that the checkpoint has are checked.
 * @throws {UserError} naming the file and giving the advice.
 */
export function readCheckpoint(folder: string, parts: readonly Part[], advice: string): RunState {
  const { state, sha256 } = readState(folder, advice);
  for (const part of parts) {
    const file = join(folder, fileOf(part));
    const expected = sha256[part];
    if (expected === undefined) continue;
    const found = sha256OfFile(file);
    if (found !== expected) {
      throw new UserError(
        `"${file}" is damaged: SHA-256 is ${found}, ${STATE} says ${expected}; ${advice}`,
      );
    }
  }
  return state;
}

/** Reads state.json and checks it against its own checksum. @throws {UserError} giving the advice. */
export function readState(folder: string, advice: string): { state: RunState; sha256: Checksums } {
  const path = join(folder, STATE);
  const read = readJson(path, advice);
  const parsed = fileSchema.safeParse(read);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UserError(`Cannot use "${path}": ${issue!.path.join(".")}: ${issue!.message}; ${advice}`);
  }
  const { checksum, ...rest } = read as { checksum: string };
  if (checksumOf(rest) !== checksum) {
    throw new UserError(`"${path}" is damaged: its checksum does not fit; ${advice}`);
  }
  return parsed.data;
}

/**
 * Fills tensors from a checkpoint's file.
 *
 * @throws {UserError} naming the tensor that is missing, superfluous, or of another shape or type.
 */
export function loadPart(folder: string, part: Part, entries: Entries): void {
  const path = join(folder, fileOf(part));
  using file = new SafetensorsFile(path);
  const known = new Set(entries.map(([name]) => name));
  const stranger = file.names.find((name) => !known.has(name));
  if (stranger !== undefined) {
    throw new UserError(`"${path}" holds a tensor "${stranger}" that this model has not`);
  }
  for (const [name, tensor] of entries) {
    const { shape, dtype } = file.info(name);
    const wanted = safetensorsDtype(tensor.dtype);
    if (dtype !== wanted || String(shape) !== String(tensor.shape)) {
      throw new UserError(
        `"${path}" holds "${name}" as ${dtype} [${shape}]; this model has it as ${wanted} [${tensor.shape}]`,
      );
    }
    tensor.copyBytes_(file.read(name) as Uint8Array<ArrayBuffer>);
  }
}

/** Names of the tensors in a checkpoint's file; none where it has no such file. */
export function namesIn(folder: string, part: Part): string[] {
  const { sha256 } = readState(folder, ADVICE.resume);
  if (sha256[part] === undefined) return [];
  using file = new SafetensorsFile(join(folder, fileOf(part)));
  return file.names;
}

const DTYPES: Record<Dtype, SafetensorsDtype> = {
  float32: "F32",
  float64: "F64",
  bfloat16: "BF16",
  int64: "I64",
  int32: "I32",
  uint8: "U8",
  bool: "BOOL",
};

/** A tensor's type as the format names it. */
export const safetensorsDtype = (dtype: Dtype): SafetensorsDtype => DTYPES[dtype];

/**
 * Checkpoints: folders that are there whole or not at all, and that are checked before they are believed.
 *
 *     checkpoints/step-00000500/model.safetensors       parameters
 *                               optimizer.safetensors   moments and step counters of those that were trained
 *                               state.json              where the run stands, and the SHA-256 of both files
 */
import { join } from "node:path";
import * as z from "zod";
import { AtomicFolder, removePartials, sha256OfFile, writeJson } from "../formats/atomic.ts";
import { readJson } from "../formats/json.ts";
import { SafetensorsFile, writeSafetensors } from "../formats/safetensors.ts";
import type { MtpModel } from "../model/mod.ts";
import { UserError } from "../stage/errors.ts";
import type { Tensor } from "../torch/mod.ts";
import type { Optimizer } from "./optimizer.ts";

const windowSchema = z.strictObject({
  steps: z.number(),
  loss: z.number(),
  heads: z.array(z.strictObject({ sum: z.number(), steps: z.number() })),
});

const stateSchema = z.strictObject({
  format: z.literal("foretoken-checkpoint"),
  version: z.literal(1),
  /** Optimizer steps that are done. */
  step: z.int().min(0),
  /** Blocks that were consumed: the position in the order of the blocks. */
  position: z.int().min(0),
  /** Text bytes among them. */
  bytes: z.int().min(0),
  /** Seconds of training so far. */
  seconds: z.number(),
  /** Sums since the last line of metrics.jsonl. */
  window: windowSchema,
  /** What must be the same for the run to go on. */
  run: z.record(z.string(), z.unknown()),
  /** What must be the same for it to go on to the same bits. */
  machine: z.strictObject({ device: z.string(), threads: z.int(), torch: z.string(), rows: z.string() }),
  sha256: z.strictObject({ model: z.string(), optimizer: z.string() }),
});

/** Where a run stands, less its tensors. */
export type RunState = Omit<z.output<typeof stateSchema>, "format" | "version" | "sha256">;
/** Sums over the steps since the last line of metrics.jsonl. */
export type Window = z.output<typeof windowSchema>;

const FILES = {
  model: "model.safetensors",
  optimizer: "optimizer.safetensors",
  state: "state.json",
} as const;
const FOLDER = /^step-(\d{8})$/;

/** Folders of checkpoints in a stage's folder, oldest first. */
export function checkpointsIn(stageFolder: string): string[] {
  const folder = join(stageFolder, "checkpoints");
  try {
    return [...Deno.readDirSync(folder)].map((entry) => entry.name).filter((name) => FOLDER.test(name)).sort()
      .map((name) => join(folder, name));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/**
 * Saves, then removes all but the newest `keep`.
 *
 * @returns the new folder.
 * @throws {UserError} when the disk refuses; older checkpoints are intact.
 */
export function saveCheckpoint(
  stageFolder: string,
  model: MtpModel,
  optimizer: Optimizer,
  state: RunState,
  keep: number,
): string {
  const parent = join(stageFolder, "checkpoints");
  Deno.mkdirSync(parent, { recursive: true });
  removePartials(parent);
  const path = join(parent, `step-${String(state.step).padStart(8, "0")}`);
  {
    using folder = new AtomicFolder(path);
    const put = (file: string, tensors: [string, Tensor][]) =>
      writeSafetensors(join(folder.temporary, file), entriesOf(tensors), { format: "pt" }).sha256;
    const sha256 = {
      model: put(FILES.model, model.parameters.entries()),
      optimizer: put(FILES.optimizer, optimizer.entries()),
    };
    writeJson(join(folder.temporary, FILES.state), {
      format: "foretoken-checkpoint",
      version: 1,
      ...state,
      sha256,
    });
    folder.commit();
  }
  for (const old of checkpointsIn(stageFolder).slice(0, -keep)) Deno.removeSync(old, { recursive: true });
  return path;
}

const entriesOf = (tensors: [string, Tensor][]) =>
  tensors.map(([name, tensor]) => ({
    name,
    dtype: "F32" as const,
    shape: tensor.shape,
    bytes: () => tensor.toBytes(),
  }));

/** What can be done about a damaged checkpoint. */
export const ADVICE = {
  resume: "move that checkpoint's folder away and train again, to go on from the one before it",
  finished: "train that stage again",
} as const;

/**
 * Reads where a run stands, and checks the files that will be read against their checksums.
 *
 * @throws {UserError} naming the file and giving the advice.
 */
export function readCheckpoint(
  folder: string,
  parts: readonly ("model" | "optimizer")[],
  advice: string,
): RunState {
  const path = join(folder, FILES.state);
  const parsed = stateSchema.safeParse(readJson(path, advice));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UserError(`Cannot use "${path}": ${issue!.path.join(".")}: ${issue!.message}; ${advice}`);
  }
  const { sha256, format: _format, version: _version, ...state } = parsed.data;
  for (const part of parts) {
    const file = join(folder, FILES[part]);
    const found = sha256OfFile(file);
    if (found !== sha256[part]) {
      throw new UserError(
        `"${file}" is damaged: SHA-256 is ${found}, ${FILES.state} says ${sha256[part]}; ${advice}`,
      );
    }
  }
  return state;
}

/**
 * Fills a model's parameters from a checkpoint.
 *
 * @throws {UserError} naming the tensor that is missing, superfluous, or of another shape.
 */
export function loadModel(folder: string, model: MtpModel): void {
  loadTensors(join(folder, FILES.model), model.parameters.entries());
}

/** Fills the moments of every parameter that the checkpoint knows. @throws {UserError} as {@link loadModel}. */
export function loadOptimizer(folder: string, optimizer: Optimizer): void {
  const path = join(folder, FILES.optimizer);
  {
    using file = new SafetensorsFile(path);
    for (const [name] of optimizer.parameters.entries()) if (file.has(`${name}.step`)) optimizer.state(name);
  }
  loadTensors(path, optimizer.entries());
}

function loadTensors(path: string, tensors: [string, Tensor][]): void {
  using file = new SafetensorsFile(path);
  const known = new Set(tensors.map(([name]) => name));
  const stranger = file.names.find((name) => !known.has(name));
  if (stranger !== undefined) {
    throw new UserError(`"${path}" holds a tensor "${stranger}" that this model has not`);
  }
  for (const [name, tensor] of tensors) {
    const { shape, dtype } = file.info(name);
    if (dtype !== "F32" || String(shape) !== String(tensor.shape)) {
      throw new UserError(
        `"${path}" holds "${name}" as ${dtype} [${shape}]; this model has it as F32 [${tensor.shape}]`,
      );
    }
    tensor.copyBytes_(file.read(name) as Uint8Array<ArrayBuffer>);
  }
}

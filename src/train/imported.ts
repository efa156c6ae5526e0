/** Starting from an imported model: its folder, checked against what the train stage says, and its weights. */
import { join } from "node:path";
import * as z from "zod";
import type { TokenizerInfo } from "../data/shards.ts";
import { sha256OfFile } from "../formats/atomic.ts";
import { readJson } from "../formats/json.ts";
import { SafetensorsFile } from "../formats/safetensors.ts";
import type { MtpModel } from "../model/mod.ts";
import type { ModelOptions } from "../model/shape.ts";
import { UserError } from "../stage/errors.ts";
import type { Need } from "../stage/io.ts";
import { modelOptions } from "./model_options.ts";

/** The folder that an import stage writes, in its own. */
export const FOLDER = "model";

const fileSchema = z.strictObject({
  format: z.literal("foretoken-import"),
  version: z.literal(1),
  /** Folder that it was imported from. */
  from: z.string(),
  /** With one `linear` head. */
  model: modelOptions,
  /** Of its tokenizer.json, and whether that is the one of `tokenizer: bytes`; null where there was none. */
  tokenizer: z.strictObject({ isBytes: z.boolean(), sha256: z.string() }).nullable(),
  /** Of model.safetensors, hexadecimal. */
  sha256: z.string(),
});

/** import.json. */
export type ImportFile = z.input<typeof fileSchema>;

const ADVICE = "run the import stage again";

/** An imported model, as files. */
export interface Imported {
  readonly id: string;
  readonly folder: string;
  readonly options: ModelOptions;
  readonly tokenizer: ImportFile["tokenizer"];
  readonly sha256: string;
}

/** @throws {UserError} where the stage has not finished, or a file was altered. */
export function readImported({ id, folder }: Need): Imported {
  const place = join(folder, FOLDER);
  const path = join(place, "import.json");
  const parsed = fileSchema.safeParse(readJson(path, `has stage ${id} finished?`));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UserError(`Cannot use "${path}": ${issue!.path.join(".")}: ${issue!.message}; ${ADVICE}`);
  }
  const { model: options, tokenizer, sha256 } = parsed.data;
  const weights = join(place, "model.safetensors");
  const found = sha256OfFile(weights);
  if (found !== sha256) {
    throw new UserError(
      `"${weights}" is damaged: SHA-256 is ${found}, import.json says ${sha256}; ${ADVICE}`,
    );
  }
  return { id, folder: place, options, tokenizer, sha256 };
}

/** Keys of `model` that a train stage has to repeat. */
const KEYS = [
  "width",
  "layers",
  "attention_heads",
  "kv_heads",
  "ffn",
  "rope_theta",
  "norm_eps",
  "tied",
] as const;

/** The sizes as they are written in a pipeline file: `width: 64, layers: 2, ...`. */
export const modelKeys = (options: ModelOptions): string =>
  [...KEYS, "context" as const].map((key) => `${key}: ${options[key]}`).join(", ");

/**
 * Refuses a model or a text that the imported model does not fit.
 *
 * @param model As the train stage has it. `transformer` heads from 2 on are layers more than the imported ones.
 * @throws {UserError} saying what differs, and what to write.
 */
export function checkImported(
  { id, options, tokenizer }: Imported,
  model: Omit<ModelOptions, "vocab">,
  text: TokenizerInfo,
): void {
  const { kind, count } = model.heads;
  const layers = options.layers + (kind === "transformer" ? count - 1 : 0);
  const expected = { ...options, layers };
  const different = KEYS.filter((key) => expected[key] !== model[key])
    .map((key) => `${key} is ${model[key]}, expected ${expected[key]}`);
  if (different.length > 0) {
    throw new UserError(
      `The model of this stage is not the one that ${id} imported: ${different.join("; ")}. ` +
        `Write model: { ${modelKeys(expected)}, heads: ... }`,
    );
  }
  if (text.vocab > options.vocab) {
    throw new UserError(
      `The text has a vocabulary of ${text.vocab} and the model of ${id} one of ${options.vocab}: ${
        prepareWith(id)
      }`,
    );
  }
  if (tokenizer === null) return;
  const fits = text.kind === "bytes" ? tokenizer.isBytes : text.sha256 === tokenizer.sha256;
  if (!fits) {
    const found = text.kind === "bytes" ? "bytes" : `a tokenizer.json with the SHA-256 ${text.sha256}`;
    throw new UserError(
      `The text was prepared with ${found}, the model of ${id} has a tokenizer.json with the SHA-256 ` +
        `${tokenizer.sha256}: ${prepareWith(id)}`,
    );
  }
}

const prepareWith = (id: string) =>
  `prepare the text with the tokenizer.json of the checkpoint that ${id} imported`;

/**
 * Gives a model the weights of an imported one: trunk and head 1 are then it. The further heads stay as they are.
 */
export function loadImported(
  { folder }: Imported,
  { shape: { trunkLayers, heads: { kind } }, parameters }: Pick<MtpModel, "shape" | "parameters">,
): void {
  const lastLayer = `blocks.${trunkLayers}.`; // which is head 1's own where heads are blocks
  const ownName = (name: string): string => {
    const shares = kind === "transformer" || kind === "sequential";
    if (name === "heads.1" && shares) return "unembedding";
    return name.startsWith(lastLayer) ? name.replace(lastLayer, "heads.1.") : name;
  };
  using file = new SafetensorsFile(join(folder, "model.safetensors"));
  for (const name of file.names) {
    parameters.get(ownName(name)).copyBytes_(file.read(name) as Uint8Array<ArrayBuffer>);
  }
}

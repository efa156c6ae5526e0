/**
 * The `import` stage: a Llama-architecture checkpoint in the layout of transformers becomes a folder from which `train`
 * starts (src/train/imported.ts).
 *
 *     model/model.safetensors   parameters by this program's names, float32
 *           tokenizer.json      as it was, where there is one: prepare the text with it
 *           import.json         the sizes, what the files are, and where they came from
 *
 * Tensor by tensor, without native code.
 */
import { join } from "node:path";
import type { ImportConfig } from "../config/schema.ts";
import { AtomicFolder, writeBytes, writeJson } from "../formats/atomic.ts";
import { FLOATS, type FloatType, toFloat32 } from "../formats/floats.ts";
import { fileError } from "../formats/file_errors.ts";
import { readJson } from "../formats/json.ts";
import { type TensorEntry, writeSafetensors } from "../formats/safetensors.ts";
import { type ModelOptions, shapeOf } from "../model/shape.ts";
import { Interrupted, UserError } from "../stage/errors.ts";
import type { Run } from "../stage/io.ts";
import { turn } from "../stage/turn.ts";
import { FOLDER, type ImportFile, modelKeys } from "../train/imported.ts";
import { byteTokenizerJson } from "./byte_tokenizer.ts";
import { optionsFrom } from "./llama_config.ts";
import { type Correspondence, llamaTensors } from "./llama_names.ts";
import { Shelf } from "./shelf.ts";

export const run: Run<ImportConfig> = async ({ from }, io) => {
  const path = join(from, "config.json");
  const options = optionsFrom(readJson(path, "name the folder of a checkpoint with it"), path);
  using shelf = new Shelf(from);
  const tensors = llamaTensors(shapeOf(options));
  checkNames(shelf, tensors, options);
  using folder = new AtomicFolder(join(io.folder, FOLDER));
  const { sha256, bytes } = writeSafetensors(
    join(folder.temporary, "model.safetensors"),
    tensors.map((tensor) => entryFor(tensor, shelf)),
    { format: "pt" },
  );
  await turn(); // signals get theirs
  if (io.stop.aborted) throw new Interrupted("stopped; nothing was written");
  const tokenizer = copyTokenizer(from, folder.temporary);
  const file: ImportFile = {
    format: "foretoken-import",
    version: 1,
    from,
    model: options,
    tokenizer,
    sha256,
  };
  writeJson(join(folder.temporary, "import.json"), file);
  folder.commit();
  io.log(`${shelf.names.length} tensors, ${(bytes / 1e6).toFixed(1)} MB in float32, from ${from}`);
  io.log(`train it with model: { ${modelKeys(options)}, heads: ... }`);
  if (tokenizer === null) {
    io.log("there is no tokenizer.json: prepare the text with the model's own tokenizer");
  }
};

/** Copies tokenizer.json, where there is one; what import.json says of it. */
function copyTokenizer(from: string, into: string): ImportFile["tokenizer"] {
  const path = join(from, "tokenizer.json");
  let bytes;
  try {
    bytes = Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw fileError("read", path, error);
  }
  const { sha256 } = writeBytes(join(into, "tokenizer.json"), bytes);
  // What was prepared with `tokenizer: bytes` then fits it.
  return { isBytes: new TextDecoder().decode(bytes) === byteTokenizerJson(), sha256 };
}

/** Buffers that older programs saved: they follow from the configuration. */
const DERIVED = /\.rotary_emb\.inv_freq$/;

/** @throws {UserError} naming a tensor that is missing, that no model here has, or that has another shape or type. */
function checkNames(shelf: Shelf, tensors: readonly Correspondence[], { tied }: ModelOptions): void {
  const wanted = new Map(tensors.flatMap(({ parts }) => parts).map(({ name, shape }) => [name, shape]));
  for (const [name, expected] of wanted) {
    const { shape, dtype } = shelf.info(name);
    if (String(shape) !== String(expected)) {
      throw new UserError(
        `Cannot import "${shelf.folder}": ${name} is [${shape}], config.json makes it [${expected}]`,
      );
    }
    if (!isFloat(dtype)) {
      throw new UserError(
        `Cannot import "${shelf.folder}": ${name} is ${dtype}, expected one of ${FLOATS.join(", ")}`,
      );
    }
  }
  const isKnown = (name: string) =>
    wanted.has(name) || DERIVED.test(name) || (tied && name === "lm_head.weight");
  const stranger = shelf.names.find((name) => !isKnown(name));
  if (stranger !== undefined) {
    throw new UserError(`Cannot import "${shelf.folder}": no model here has a tensor like ${stranger}`);
  }
}

const isFloat = (dtype: string): dtype is FloatType => (FLOATS as readonly string[]).includes(dtype);

/** A tensor here from its parts there. */
function entryFor({ name, shape, parts }: Correspondence, shelf: Shelf): TensorEntry {
  const read = (part: string): Float32Array<ArrayBuffer> => {
    const { dtype } = shelf.info(part);
    return toFloat32(shelf.read(part), dtype as FloatType);
  };
  const bytes = () => {
    if (parts.length === 1) return bytesOf(read(parts[0]!.name));
    const joined = new Float32Array(shape.reduce((product, n) => product * n, 1));
    let at = 0;
    for (const part of parts) {
      const values = read(part.name);
      joined.set(values, at);
      at += values.length;
    }
    return bytesOf(joined);
  };
  return { name, dtype: "F32", shape, bytes };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array<ArrayBuffer>): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

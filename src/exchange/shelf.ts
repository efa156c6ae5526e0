/** The tensors of a checkpoint folder, in one safetensors file or in several with an index. */
import { join } from "node:path";
import * as z from "zod";
import { readJson } from "../formats/json.ts";
import { SafetensorsFile, type TensorInfo } from "../formats/safetensors.ts";
import { UserError } from "../stage/errors.ts";

const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";

const indexSchema = z.object({
  /** A file beside the index for each tensor; no separators, so that it cannot point out of its folder. */
  weight_map: z.record(z.string(), z.string().regex(/^[^/\\]+\.safetensors$/)),
});

/** Open files; a file is opened when the first of its tensors is asked for. */
export class Shelf implements Disposable {
  readonly #files = new Map<string, SafetensorsFile>();
  readonly #fileOf: ReadonlyMap<string, string>;

  /** @throws {UserError} where the folder holds no safetensors, or the index does not fit the files. */
  constructor(readonly folder: string) {
    this.#fileOf = has(folder, INDEX) ? this.#fromIndex() : this.#fromSingle();
  }

  /** The tensors' names. */
  get names(): string[] {
    return [...this.#fileOf.keys()];
  }

  /** @throws {UserError} where there is no such tensor. */
  info(name: string): TensorInfo {
    return this.#with(name).info(name);
  }

  /** Elements as they lie in the file. @throws {UserError} where there is no such tensor. */
  read(name: string): Uint8Array<ArrayBuffer> {
    return this.#with(name).read(name) as Uint8Array<ArrayBuffer>;
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.values()) file[Symbol.dispose]();
  }

  #with(name: string): SafetensorsFile {
    const file = this.#fileOf.get(name);
    if (file === undefined) throw new UserError(`Cannot import "${this.folder}": it has no tensor ${name}`);
    return this.#open(file);
  }

  #open(name: string): SafetensorsFile {
    const open = this.#files.get(name);
    if (open !== undefined) return open;
    const file = new SafetensorsFile(join(this.folder, name));
    this.#files.set(name, file);
    return file;
  }

  #fromSingle(): Map<string, string> {
    if (!has(this.folder, SINGLE)) {
      const hint = has(this.folder, "pytorch_model.bin") || has(this.folder, "pytorch_model.bin.index.json")
        ? "; it has pytorch_model.bin: save it anew with transformers, which writes safetensors"
        : "";
      throw new UserError(
        `Cannot import "${this.folder}": there is neither ${SINGLE} nor ${INDEX} in it${hint}`,
      );
    }
    return new Map(this.#open(SINGLE).names.map((name) => [name, SINGLE]));
  }

  #fromIndex(): Map<string, string> {
    const path = join(this.folder, INDEX);
    const parsed = indexSchema.safeParse(readJson(path, "download it again"));
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new UserError(`Cannot import "${path}": ${issue!.path.join(".")}: ${issue!.message}`);
    }
    return new Map(Object.entries(parsed.data.weight_map));
  }
}

function has(folder: string, name: string): boolean {
  try {
    return Deno.statSync(join(folder, name)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

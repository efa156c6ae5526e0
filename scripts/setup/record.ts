/** native/build/setup.json: what set-up did last, from which it sees in milliseconds that there is nothing to do. */
import { writeJson } from "../../src/formats/atomic.ts";
import type { Libtorch } from "./libtorch.ts";

/** What set-up did last. Anything that differs now means that it works again. */
export interface Record {
  readonly libtorch: Libtorch;
  /** Variables that decide which libtorch is found. */
  readonly environment: { readonly [name: string]: string | undefined };
  /** SHA-256 over the names and contents of everything that is compiled. */
  readonly sources: string;
  /** Size and time of the libraries that are read and made, by path. */
  readonly files: { readonly [path: string]: string };
}

const DECIDING = [
  "LIBTORCH",
  "VIRTUAL_ENV",
  "CONDA_PREFIX",
  "PYENV_VERSION",
] as const;

/** Where set-up works; absolute paths. */
export interface Folders {
  /** The project's native/. */
  readonly native: string;
  /** Everything that set-up writes: native/build, and the link in it, must not be a stage's to write. */
  readonly build: string;
}

/** Reads one environment variable. */
export type Env = (name: string) => string | undefined;

/** Describes what is there now. */
export async function record(
  libtorch: Libtorch,
  { native, build, env }: Folders & { env: Env },
): Promise<Record> {
  const paths = [
    `${libtorch.folder}/lib/libtorch_cpu.so`,
    `${build}/torch/lib/libtorch_cpu.so`,
    ...products(build),
  ];
  return {
    libtorch,
    environment: Object.fromEntries(DECIDING.map((name) => [name, env(name)])),
    sources: await digest(native),
    files: Object.fromEntries(paths.map((path) => [path, stamp(path)])),
  };
}

/** What set-up makes. */
export function products(build: string): string[] {
  return [`${build}/libforetoken.so`, `${build}/libforetoken_text.so`, `${build}/launch`];
}

/** The last record, where it describes what is there now. */
export async function current(around: Folders & { env: Env }): Promise<Record | undefined> {
  const last = read(around.build);
  if (!last) return undefined;
  const now = await record(last.libtorch, around);
  return JSON.stringify(now) === JSON.stringify(last) ? last : undefined;
}

/** The last record, true or not any more; undefined where set-up never came to its end. */
export function read(build: string): Record | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(`${build}/setup.json`)) as Record;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Replaces the record in one step. */
export function write(build: string, record: Record): void {
  writeJson(`${build}/setup.json`, record);
}

/** Size and time of the file behind a path: enough to see that a 400 MB library is another one. */
export function stamp(path: string): string {
  try {
    const { size, mtime } = Deno.statSync(path);
    return `${size} ${mtime?.getTime()}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "missing";
    throw error;
  }
}

async function digest(native: string): Promise<string> {
  const parts = ["", "kernels/", "text/"].flatMap((folder) =>
    [...Deno.readDirSync(native + "/" + folder)].filter((entry) => entry.isFile).map((entry) =>
      folder + entry.name
    )
  ).sort().map((name) => `${name}\0${Deno.readTextFileSync(`${native}/${name}`)}\0`);
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(parts.join("")));
  return new Uint8Array(hash).toHex();
}

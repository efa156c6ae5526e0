/** Paths, folders and globs in, files out: the one walk over what a user names as input. */

import { join, sep } from "node:path";
import { UserError } from "../stage/errors.ts";
import { fileError, reading } from "./file_errors.ts";
import { globPattern, globRoot, isGlob } from "./glob.ts";

/**
 * The files that paths, folders and globs name: each once, sorted by code point, so that the order depends
 * neither on the file system nor on the order of `inputs`. Of several names for one file (links, `a/./b`) the
 * first counts.
 *
 * A folder stands for all files in it and below it. Names that start with a dot are left out, unless given in
 * full; links to files are followed, links to folders are not. A path that exists is taken as it is, even with
 * `*` or `[` in its name.
 *
 * @throws UserError where one of `inputs` does not exist, matches nothing or cannot be read.
 */
export function findFiles(inputs: readonly string[]): string[] {
  const byFile = new Map<string, string>();
  for (const path of inputs.flatMap(filesOf).sort(compareCodePoints)) {
    const file = realPath(path);
    if (!byFile.has(file)) byFile.set(file, path);
  }
  return [...byFile.values()];
}

/** The path without links, `.` and `..`: equal for two names of one file. */
export function realPath(path: string): string {
  return reading(path, () => Deno.realPathSync(path));
}

function filesOf(input: string): string[] {
  const kind = kindOf(input);
  if (kind === "file") return [input];
  if (kind === "folder") {
    const files = [...filesBelow(input)];
    if (files.length === 0) throw new UserError(`No files in the folder "${input}"`);
    return files;
  }
  if (!isGlob(input)) throw new UserError(`Cannot read "${input}": there is no such file or folder`);
  const root = globRoot(input);
  if (kindOf(root) !== "folder") {
    throw new UserError(`Nothing matches "${input}": there is no folder "${root}"`);
  }
  const pattern = globPattern(input);
  const files = [...filesBelow(root)].filter((path) => pattern.test(path));
  if (files.length === 0) throw new UserError(`Nothing matches "${input}"`);
  return files;
}

function kindOf(path: string): "file" | "folder" | undefined {
  try {
    return Deno.statSync(path).isDirectory ? "folder" : "file";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw fileError("read", path, error);
  }
}

function* filesBelow(folder: string): Generator<string> {
  const entries = reading(folder, () => [...Deno.readDirSync(folder)]);
  for (const { name, isDirectory, isSymlink } of entries) {
    if (name.startsWith(".")) continue;
    const path = folder.endsWith(sep) ? folder + name : join(folder, name);
    if (isDirectory) yield* filesBelow(path);
    else if (!isSymlink || kindOf(path) === "file") yield path;
  }
}

/** Orders strings as their UTF-8 bytes are ordered (`<` compares UTF-16 units). */
function compareCodePoints(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  return (a.codePointAt(i) ?? -1) - (b.codePointAt(i) ?? -1);
}

/** Paths, folders and globs in, files out: the one walk over what a user names as input. */

import { join, sep } from "node:path";
import { UserError } from "../stage/errors.ts";
import { fileError, reading } from "./file_errors.ts";
import { globPattern, globRoot, isGlob } from "./glob.ts";

/** Globs that choose among what lies in folders; see {@link findFiles}. */
export interface Choice {
  /** A file that matches none of these is left out, unless there are none. */
  readonly include: readonly string[];
  /** Files that match one of these are left out, folders with all that is below them. */
  readonly exclude: readonly string[];
}

const ALL: Choice = { include: [], exclude: [] };

/**
 * The files that paths, folders and globs name: each once, sorted by code point, so that the order depends
 * neither on the file system nor on the order of `inputs`. Of several names for one file (links, `a/./b`) the
 * first counts.
 *
 * A folder stands for all files in it and below it. Names that start with a dot are left out, unless given in
 * full; links to files are followed, links to folders are not. A path that exists is taken as it is, even with
 * `*` or `[` in its name.
 *
 * @param choice among the files of folders and globs. Without a `/`, a glob is compared with names (`*.md`,
 *   `node_modules`), else with the path from the folder or the fixed part of the glob (`docs/**`).
 * @throws UserError where one of `inputs` does not exist, matches nothing or cannot be read.
 */
export function findFiles(inputs: readonly string[], choice: Choice = ALL): string[] {
  const byFile = new Map<string, string>();
  for (const path of inputs.flatMap((input) => filesOf(input, choice)).sort(compareCodePoints)) {
    const file = realPath(path);
    if (!byFile.has(file)) byFile.set(file, path);
  }
  return [...byFile.values()];
}

/** The path without links, `.` and `..`: equal for two names of one file. */
export function realPath(path: string): string {
  return reading(path, () => Deno.realPathSync(path));
}

function filesOf(input: string, choice: Choice): string[] {
  const kind = kindOf(input);
  if (kind === "file") return [input];
  const isChosen = chosen(choice);
  const left = choice.include.length + choice.exclude.length === 0 ? "" : " that include and exclude leave";
  if (kind === "folder") {
    const files = [...filesBelow(input, "", isChosen)];
    if (files.length === 0) throw new UserError(`No files in the folder "${input}"${left}`);
    return files;
  }
  if (!isGlob(input)) throw new UserError(`Cannot read "${input}": there is no such file or folder`);
  const root = globRoot(input);
  if (kindOf(root) !== "folder") {
    throw new UserError(`Nothing matches "${input}": there is no folder "${root}"`);
  }
  const pattern = globPattern(input);
  const files = [...filesBelow(root, "", isChosen)].filter((path) => pattern.test(path));
  if (files.length === 0) throw new UserError(`Nothing matches "${input}"${left}`);
  return files;
}

/** Whether a file or folder, by its path from where the walk began, is one of those chosen. */
type IsChosen = (below: string, isFolder: boolean) => boolean;

function chosen({ include, exclude }: Choice): IsChosen {
  const matcher = (glob: string) => globPattern(glob.includes("/") ? glob : `**/${glob}`);
  const [wanted, unwanted] = [include.map(matcher), exclude.map(matcher)];
  const isOne = (patterns: readonly RegExp[], path: string) => patterns.some((pattern) => pattern.test(path));
  return (path, isFolder) =>
    !isOne(unwanted, path) && (isFolder || wanted.length === 0 || isOne(wanted, path));
}

function kindOf(path: string): "file" | "folder" | undefined {
  try {
    return Deno.statSync(path).isDirectory ? "folder" : "file";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw fileError("read", path, error);
  }
}

function* filesBelow(folder: string, below: string, isChosen: IsChosen): Generator<string> {
  const entries = reading(folder, () => [...Deno.readDirSync(folder)]);
  for (const { name, isDirectory, isSymlink } of entries) {
    if (name.startsWith(".")) continue;
    const path = folder.endsWith(sep) ? folder + name : join(folder, name);
    if (!isChosen(below + name, isDirectory)) continue;
    if (isDirectory) yield* filesBelow(path, `${below}${name}/`, isChosen);
    else if (!isSymlink || kindOf(path) === "file") yield path;
  }
}

/** Orders strings as their UTF-8 bytes are ordered (`<` compares UTF-16 units). */
function compareCodePoints(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  return (a.codePointAt(i) ?? -1) - (b.codePointAt(i) ?? -1);
}

/** Globs over paths: `*` and `?` within a name, `**` over any number of folders, `[a-z]`, `{txt,md}`. */

import { dirname } from "node:path";

/** Whether a path has characters that a glob gives a meaning to. */
export function isGlob(path: string): boolean {
  return /[*?[{]/.test(path);
}

/** The deepest folder that holds everything a glob can match: all that has to be read to find its files. */
export function globRoot(glob: string): string {
  return dirname(glob.slice(0, glob.search(/[*?[{]/)) + "x");
}

/** The pattern that whole paths must match. A bracket or brace without its partner stands for itself. */
export function globPattern(glob: string): RegExp {
  const parts = glob.matchAll(/\*\*\/|\*\*|\*|\?|\[!?[^\]/]+\]|\{[^{}/]*\}|[^]/g);
  return new RegExp(`^${[...parts].map(([part]) => translated(part)).join("")}$`, "u");
}

function translated(part: string): string {
  if (part === "**/") return "(?:[^/]+/)*";
  if (part === "**") return ".*";
  if (part === "*") return "[^/]*";
  if (part === "?") return "[^/]";
  if (part.length > 1 && part.startsWith("[")) {
    const characters = part.slice(1, -1).replace(/[\\^\]]/g, "\\$&");
    return characters.startsWith("!") ? `[^/${characters.slice(1)}]` : `[${characters}]`;
  }
  if (part.length > 1 && part.startsWith("{")) {
    return `(?:${part.slice(1, -1).split(",").map((word) => [...word].map(translated).join("")).join("|")})`;
  }
  return part.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** Orders strings by code point, as their UTF-8 bytes are ordered (`<` compares UTF-16 units). */
export function compareCodePoints(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Globs over paths: `*` and `?` within a name, `**` over any number of folders, `[a-z]`, `{txt,md}`. */

import { dirname } from "node:path";
import { UserError } from "../stage/errors.ts";

/** Whether a path has characters that a glob gives a meaning to. */
export function isGlob(path: string): boolean {
  return /[*?[{]/.test(path);
}

/** The deepest folder that holds everything a glob can match: all that has to be read to find its files. */
export function globRoot(glob: string): string {
  return dirname(glob.slice(0, glob.search(/[*?[{]/)) + "x");
}

/**
 * The pattern that whole paths must match. A bracket or brace without its partner stands for itself.
 *
 * @throws UserError where a range goes backwards: `[z-a]`.
 */
export function globPattern(glob: string): RegExp {
  const parts = glob.matchAll(/\*\*\/|\*\*|\*|\?|\[!?[^\]/]+\]|\{[^{}/]*\}|[^]/gu);
  try {
    return new RegExp(`^${[...parts].map(([part]) => translated(part)).join("")}$`, "u");
  } catch (cause) {
    throw new UserError(`Cannot use the glob "${glob}": a range in its brackets goes backwards`, { cause });
  }
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

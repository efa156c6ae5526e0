/** A YAML document as plain values, and where in the text each of them stands, through aliases and merges. */

import process from "node:process";
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
} from "yaml";
import type { Node, YAMLMap } from "yaml";
import { UsageError } from "../stage/errors.ts";

/** Keys and indices from the document's top to a value. */
export type Path = readonly PropertyKey[];

/** A value as JSON knows them. */
export type Plain = null | boolean | number | string | Plain[] | { [key: string]: Plain };

/** A map among them. */
export type PlainMap = { [key: string]: Plain };

/** Whether a value has keys. */
export function isPlainMap(value: Plain | undefined): value is PlainMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A parsed document. */
export interface YamlDocument {
  /** Its value: aliases and merges expanded into copies of their own. */
  readonly value: Plain;
  /** `line:column` of the value or, with `key`, of the key that holds it; else of the nearest thing around it. */
  position(path: Path, where?: "key"): string;
}

/**
 * Parses YAML 1.2 with merge keys (`<<`).
 * @throws {UsageError} one line for each mistake: `file:line:column: what`.
 */
export function parseYaml(text: string, file: string): YamlDocument {
  const lines = new LineCounter();
  const document = withoutEnvironment(() =>
    parseDocument(text, { merge: true, lineCounter: lines, prettyErrors: false, logLevel: "silent" })
  );
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}`;
  };
  const mistakes = [...document.errors, ...document.warnings].map((mistake) =>
    `${file}:${at(mistake.pos[0])}: ${mistake.message.replace(/\.?\n?$/, "")}`
  );
  if (mistakes.length > 0) throw new UsageError(mistakes.join("\n"));
  return {
    value: expand(document, file),
    position: (path, where) => at(offsetOf(document, path, where === "key")),
  };
}

/** The parser looks up its debug switches in process.env, which would take a permission. */
function withoutEnvironment<T>(body: () => T): T {
  const { env } = process;
  process.env = {};
  try {
    return body();
  } finally {
    process.env = env;
  }
}

function expand(document: Document, file: string): Plain {
  try {
    return copy(document.toJS({ maxAliasCount: 1000 }));
  } catch (cause) { // an alias without an anchor, or a bomb of aliases
    throw new UsageError(`${file}: ${(cause as Error).message}`, { cause });
  }
}

/** Aliases share one object; a copy lets `--set` change one place and leave the other. */
export function copy(value: unknown): Plain {
  if (Array.isArray(value)) return value.map(copy);
  if (value instanceof Date || typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value as Plain;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner)]));
}

function offsetOf(document: Document, path: Path, wantKey: boolean): number {
  let node = resolve(document, document.contents);
  let offset = start(document.contents);
  for (const [depth, key] of path.entries()) {
    const found = member(document, node, key);
    if (!found) break;
    const isLast = depth === path.length - 1;
    offset = start(isLast && wantKey ? found.key : found.value, start(found.key, offset));
    node = resolve(document, found.value);
  }
  return offset;
}

interface Member {
  readonly key: unknown;
  readonly value: unknown;
}

/** The entry of a map (its own before merged ones) or of a list. */
function member(document: Document, node: unknown, key: PropertyKey): Member | undefined {
  if (isSeq(node)) {
    const value = node.items[Number(key)];
    return value === undefined ? undefined : { key: value, value };
  }
  if (!isMap(node)) return undefined;
  const own = node.items.find(({ key: name }) => isScalar(name) && String(name.value) === key);
  if (own) return own;
  for (const merged of mergedMaps(document, node)) {
    const found = member(document, merged, key);
    if (found) return found;
  }
  return undefined;
}

/** The maps that `<<` brings in. */
function mergedMaps(document: Document, map: YAMLMap): unknown[] {
  const merges = map.items.filter((pair) =>
    isPair(pair) && isScalar(pair.key) && String(pair.key.value).includes("<<")
  );
  return merges.flatMap((pair) => {
    const value = resolve(document, pair.value);
    return isSeq(value) ? value.items.map((item) => resolve(document, item)) : [value];
  });
}

function resolve(document: Document, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function start(node: unknown, otherwise = 0): number {
  return isNode(node) ? (node as Node).range?.[0] ?? otherwise : otherwise;
}

/** Reads C headers and C++ files, for the tests that compare them with symbol tables. */
import assert from "node:assert/strict";

const NATIVE = new URL("../native/", import.meta.url);

const withoutComments = (source: string): string =>
  source.replace(/\/\*[\s\S]*?\*\//g, " ").replace(/\/\/.*$/gm, " ");

/** A file of native/, without its comments. */
export const readNative = (file: string): string =>
  withoutComments(Deno.readTextFileSync(new URL(file, NATIVE)));

/** A function's types, as the foreign-function interface names them. */
export interface Signature {
  readonly parameters: readonly string[];
  readonly result: string;
}

function foreignType(declared: string): string {
  if (declared.includes("*")) return "buffer";
  const type = declared.trim().split(/\s+/)[0]!;
  const known: Record<string, string> = { int32_t: "i32", ft_tensor: "i32", ft_shards: "i32", double: "f64" };
  assert.ok(type in known, `no rule for the C type in "${declared}"`);
  return known[type]!;
}

function signature(result: string, parameters: string): Signature {
  const declared = parameters.split(",").map((p) => p.trim()).filter((p) => p !== "" && p !== "void");
  return { parameters: declared.map(foreignType), result: foreignType(result) };
}

/** Declarations of a header, in its order. */
export function declarations(header: string): [string, Signature][] {
  const found = readNative(header).matchAll(/(\w+)\s+(ft_\w+)\s*\(([^)]*)\)\s*;/g);
  return [...found].map(([, result, name, parameters]) => [name!, signature(result!, parameters!)]);
}

/** Exported definitions of all C++ files of a folder of native/ (ending in a slash, or empty), sorted by name. */
export function definitions(folder: string): [string, Signature][] {
  const sources = [...Deno.readDirSync(new URL(folder, NATIVE))].filter(({ name }) => name.endsWith(".cpp"));
  const found = sources.flatMap(({ name }) => [
    ...readNative(folder + name).matchAll(/FT_EXPORT\s+(\w+)\s+(ft_\w+)\s*\(([^)]*)\)\s*{/g),
  ]);
  return byName(found.map(([, result, name, parameters]) => [name!, signature(result!, parameters!)]));
}

export const byName = (functions: [string, Signature][]): [string, Signature][] =>
  functions.sort(([a], [b]) => a < b ? -1 : 1);

/** A symbol table in the form of {@link declarations}. */
export const tableOf = (symbols: Deno.ForeignLibraryInterface): [string, Signature][] =>
  Object.entries(symbols).map(([name, symbol]) => {
    assert.ok("parameters" in symbol);
    return [name, { parameters: symbol.parameters.map(String), result: String(symbol.result) }];
  });

/** Proves that the header, the symbol table and the C++ files speak of the same functions with the same types. */
import assert from "node:assert/strict";
import { DTYPES } from "../../src/torch/dtype.ts";
import { ABI_VERSION, SYMBOLS } from "../../src/torch/symbols.ts";
import { withFiles } from "../support.ts";

const NATIVE = new URL("../../native/", import.meta.url);

const withoutComments = (source: string): string =>
  source.replace(/\/\*[\s\S]*?\*\//g, " ").replace(/\/\/.*$/gm, " ");

const read = (file: string): string => withoutComments(Deno.readTextFileSync(new URL(file, NATIVE)));

interface Signature {
  readonly parameters: readonly string[];
  readonly result: string;
}

/** C types as the foreign-function interface names them. */
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

/** Declarations of the header, in its order. */
function declarations(): [string, Signature][] {
  const found = read("ft.h").matchAll(/(\w+)\s+(ft_\w+)\s*\(([^)]*)\)\s*;/g);
  return [...found].map(([, result, name, parameters]) => [name!, signature(result!, parameters!)]);
}

/** Definitions of all C++ files, sorted by name. */
function definitions(): [string, Signature][] {
  const sources = [...Deno.readDirSync(NATIVE)].filter(({ name }) => name.endsWith(".cpp"));
  const found = sources.flatMap(({ name }) => [
    ...read(name).matchAll(/FT_EXPORT\s+(\w+)\s+(ft_\w+)\s*\(([^)]*)\)\s*{/g),
  ]);
  return byName(found.map(([, result, name, parameters]) => [name!, signature(result!, parameters!)]));
}

const byName = (functions: [string, Signature][]): [string, Signature][] =>
  functions.sort(([a], [b]) => a < b ? -1 : 1);

withFiles("SYMBOLS has the header's functions, in its order, with its types", () => {
  const table = Object.entries(SYMBOLS).map(([name, { parameters, result }]) => [
    name,
    { parameters: [...parameters], result },
  ]);
  const header = declarations();
  assert.ok(header.length > 40, `the header was not understood: ${header.length} functions found`);
  assert.deepEqual(table.map(([name]) => name), header.map(([name]) => name));
  assert.deepEqual(table, header);
});

withFiles("the C++ files define every function of the header, with its types, and export no other", () => {
  assert.deepEqual(definitions(), byName(declarations()));
});

withFiles("ABI_VERSION is the header's", () => {
  const version = /#define\s+FT_ABI_VERSION\s+(\d+)/.exec(read("ft.h"))?.[1];
  assert.equal(ABI_VERSION, Number(version));
});

withFiles("DTYPES has the codes of tensor.cpp", () => {
  const listed = /DTYPES\[\]\s*=\s*{([^}]*)}/.exec(read("tensor.cpp"))?.[1] ?? "";
  const names: Record<string, string> = {
    "at::kFloat": "float32",
    "at::kDouble": "float64",
    "at::kBFloat16": "bfloat16",
    "at::kLong": "int64",
    "at::kInt": "int32",
    "at::kByte": "uint8",
    "at::kBool": "bool",
  };
  assert.deepEqual(listed.split(",").map((type) => names[type.trim()]), [...DTYPES]);
});

/** Proves that the header, the symbol table and the C++ files speak of the same functions with the same types. */
import assert from "node:assert/strict";
import { DTYPES } from "../../src/torch/dtype.ts";
import { ABI_VERSION, SYMBOLS } from "../../src/torch/symbols.ts";
import { byName, declarations, definitions, readNative, tableOf } from "../native_header.ts";
import { withFiles } from "../support.ts";

withFiles("SYMBOLS has the header's functions, in its order, with its types", () => {
  const table = tableOf(SYMBOLS);
  const header = declarations("ft.h");
  assert.ok(header.length > 40, `the header was not understood: ${header.length} functions found`);
  assert.deepEqual(table.map(([name]) => name), header.map(([name]) => name));
  assert.deepEqual(table, header);
});

withFiles("the C++ files define every function of the header, with its types, and export no other", () => {
  assert.deepEqual(definitions(""), byName(declarations("ft.h")));
});

withFiles("ABI_VERSION is the header's", () => {
  const version = /#define\s+FT_ABI_VERSION\s+(\d+)/.exec(readNative("ft.h"))?.[1];
  assert.equal(ABI_VERSION, Number(version));
});

withFiles("DTYPES has the codes of tensor.cpp", () => {
  const listed = /DTYPES\[\]\s*=\s*{([^}]*)}/.exec(readNative("tensor.cpp"))?.[1] ?? "";
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

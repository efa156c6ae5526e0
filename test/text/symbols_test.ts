/** Proves that the text library's header, symbol table and C++ files speak of the same functions. */
import assert from "node:assert/strict";
import { ABI_VERSION, SYMBOLS } from "../../src/text/symbols.ts";
import { byName, declarations, definitions, readNative, tableOf } from "../native_header.ts";
import { withFiles } from "../support.ts";

withFiles("SYMBOLS has the text header's functions, in its order, with its types", () => {
  const header = declarations("text/text.h");
  assert.equal(header.length, 13, "the header was not understood");
  assert.deepEqual(tableOf(SYMBOLS), header);
});

withFiles("the text library's C++ files define every function of the header and export no other", () => {
  assert.deepEqual(definitions("text/"), byName(declarations("text/text.h")));
});

withFiles("ABI_VERSION is the text header's", () => {
  const version = /#define\s+FT_TEXT_ABI_VERSION\s+(\d+)/.exec(readNative("text/text.h"))?.[1];
  assert.equal(ABI_VERSION, Number(version));
});

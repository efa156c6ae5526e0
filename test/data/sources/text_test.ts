/** Proves where one document of a file ends and the next begins. */

import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { documentsOf } from "../../src/data/sources.ts";
import { withFiles } from "../support.ts";

/** Documents as text; each is copied before the next one may overwrite it. */
function documents(path: string, unit: "file" | "blank_line"): string[] {
  return Array.from(documentsOf(path, unit), (document) => new TextDecoder().decode(document));
}

const BLOCKS: readonly [what: string, text: string, documents: string[]][] = [
  ["blocks", "a\nb\n\nc\n", ["a\nb", "c"]],
  ["several blank lines", "\n\na\n\n\n\nb\n\n", ["a", "b"]],
  ["lines of spaces and tabs", "a\n \t \nb", ["a", "b"]],
  ["Windows line ends", "a\r\nb\r\n\r\nc\r\n", ["a\r\nb", "c"]],
  ["indented lines", "  a\n\n  b  \n", ["  a", "  b  "]],
  ["no line end at the end", "a\n\nb", ["a", "b"]],
  ["only blank lines", "\n \r\n\t\n", []],
  ["nothing", "", []],
];

for (const [what, text, expected] of BLOCKS) {
  withFiles(`documentsOf() cuts at blank lines: ${what}`, (folder) => {
    const path = join(folder, "a.txt");
    Deno.writeTextFileSync(path, text);
    assert.deepEqual(documents(path, "blank_line"), expected);
  });
}

withFiles("documentsOf() cuts long files as String.split would", (folder) => {
  const path = join(folder, "a.txt");
  const line = fc.constantFrom("", "", " ", "short", "é".repeat(700_000), "x".repeat(3_000_000));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const text = lines.join("\n");
      Deno.writeTextFileSync(path, text);
      const expected = text.split(/(?:^|\n)(?:\s*(?:\n|$))+/).map((block) => block.replace(/\n$/, ""));
      assert.deepEqual(documents(path, "blank_line"), expected.filter((block) => block.trim() !== ""));
    }),
    { numRuns: 12 },
  );
});

withFiles("documentsOf() keeps a whole file as it is, bytes that are no UTF-8 included", (folder) => {
  const path = join(folder, "a.txt");
  const bytes = Uint8Array.of(0xef, 0xbb, 0xbf, 10, 10, 0xff, 0, 10);
  Deno.writeFileSync(path, bytes);
  assert.deepEqual([...documentsOf(path, "file")], [bytes]);
  assert.deepEqual([...documentsOf(path, "blank_line")].map((document) => document.length), [3, 2]);
});

withFiles("documentsOf() has no document for an empty file", (folder) => {
  const path = join(folder, "a.txt");
  Deno.writeTextFileSync(path, "");
  assert.deepEqual(documents(path, "file"), []);
});

withFiles("documentsOf() names a file that cannot be read", (folder) => {
  for (const unit of ["file", "blank_line"] as const) {
    assert.throws(() => documents(join(folder, "none"), unit), {
      name: "UserError",
      message: `Cannot read "${folder}/none": no such file or directory`,
    });
  }
});

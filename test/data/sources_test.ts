/** Proves which files inputs name, in which order, and where one document ends and the next begins. */

import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { documentsOf, findFiles } from "../../src/data/sources.ts";
import { withFiles } from "../support.ts";

function write(folder: string, ...names: string[]): void {
  for (const name of names) {
    Deno.mkdirSync(join(folder, name, ".."), { recursive: true });
    Deno.writeTextFileSync(join(folder, name), name);
  }
}

function found(folder: string, ...inputs: string[]): string[] {
  return findFiles(inputs.map((input) => join(folder, input))).map((path) => path.slice(folder.length + 1));
}

withFiles("findFiles() takes a folder with all below it, sorted by code point", (folder) => {
  write(folder, "b/z.txt", "b/a/c.txt", "a.md", "Z.txt", "b/\u{ff5e}.txt", "b/\u{1d4b3}.txt");
  assert.deepEqual(found(folder, ""), [
    "Z.txt",
    "a.md",
    "b/a/c.txt",
    "b/z.txt",
    "b/\u{ff5e}.txt",
    "b/\u{1d4b3}.txt",
  ]);
});

withFiles("findFiles() takes each file once, whatever the order and overlap of the inputs", (folder) => {
  write(folder, "a.txt", "b.txt", "c/d.txt");
  assert.deepEqual(found(folder, "c", "b.txt", "*.txt", "a.txt"), ["a.txt", "b.txt", "c/d.txt"]);
  assert.deepEqual(found(folder, "**/*.txt", "c/d.txt"), ["a.txt", "b.txt", "c/d.txt"]);
});

withFiles("findFiles() leaves out names with a leading dot unless they are given", (folder) => {
  write(folder, ".hidden.txt", ".git/config", "a.txt");
  assert.deepEqual(found(folder, ""), ["a.txt"]);
  assert.deepEqual(found(folder, ".hidden.txt", "*"), [".hidden.txt", "a.txt"]);
});

withFiles("findFiles() takes a path that exists as it is, even if it looks like a glob", (folder) => {
  write(folder, "a[1].txt", "a1.txt");
  assert.deepEqual(found(folder, "a[1].txt"), ["a[1].txt"]);
});

withFiles("findFiles() follows links to files and not links to folders", (folder) => {
  write(folder, "a.txt", "link.txt", "link/b.txt");
  // Making links needs unscoped permissions, so these are said to be some: a folder, a file, and a broken one.
  const readDirSync = Deno.readDirSync;
  const asLink = { isSymlink: true, isDirectory: false, isFile: false };
  Deno.readDirSync = function* (path) {
    for (const entry of readDirSync(path)) {
      yield entry.name.startsWith("link") ? { ...entry, ...asLink } : entry;
    }
    yield { name: "broken", ...asLink };
  };
  try {
    assert.deepEqual(found(folder, ""), ["a.txt", "link.txt"]);
  } finally {
    Deno.readDirSync = readDirSync;
  }
});

withFiles("findFiles() names what is missing, empty or without a match", (folder) => {
  Deno.mkdirSync(join(folder, "empty/below"), { recursive: true });
  const refused = (input: string, message: string) =>
    assert.throws(() => findFiles([join(folder, input)]), { name: "UserError", message });
  refused("none.txt", `Cannot read "${folder}/none.txt": there is no such file or folder`);
  refused("empty", `No files in the folder "${folder}/empty"`);
  refused("*.md", `Nothing matches "${folder}/*.md"`);
  refused("none/*.md", `Nothing matches "${folder}/none/*.md": there is no folder "${folder}/none"`);
});

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

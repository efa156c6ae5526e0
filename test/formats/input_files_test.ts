/** Proves which files inputs name, in which order, and that a file with two names is one. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { findFiles } from "../../src/formats/input_files.ts";
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

withFiles(
  "findFiles() takes what include names and leaves out what exclude does, folders with all in them",
  (folder) => {
    write(
      folder,
      "a.ts",
      "a.min.js",
      "docs/b.md",
      "docs/old/c.md",
      "src/d.ts",
      "src/vendor/e.ts",
      "vendor/f.ts",
    );
    const chosen = (input: string, include: string[], exclude: string[]) =>
      findFiles([join(folder, input)], { include, exclude }).map((path) => path.slice(folder.length + 1));
    assert.deepEqual(chosen("", ["*.ts", "docs/*.md"], ["vendor"]), ["a.ts", "docs/b.md", "src/d.ts"]);
    assert.deepEqual(chosen("", [], ["*.ts", "docs/**"]), ["a.min.js"]);
    assert.deepEqual(chosen("**/*.ts", [], ["src/vendor"]), ["a.ts", "src/d.ts", "vendor/f.ts"]);
    assert.deepEqual(chosen("a.min.js", ["*.ts"], ["*.js"]), ["a.min.js"]); // named itself
    assert.throws(() => chosen("docs", ["*.ts"], []), {
      message: `No files in the folder "${folder}/docs" that include and exclude leave`,
    });
  },
);

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

withFiles("findFiles() takes a file once, whatever its names", (folder) => {
  write(folder, "a.txt", "b/c.txt", "link.txt");
  const inputs = [folder, `${folder}/./a.txt`, `${folder}/b/../b/c.txt`];
  const realPathSync = Deno.realPathSync;
  Deno.realPathSync = (path) => realPathSync(String(path).replace("link.txt", "a.txt")); // see above
  try {
    assert.deepEqual(findFiles(inputs).map(realPathSync), [join(folder, "a.txt"), join(folder, "b/c.txt")]);
  } finally {
    Deno.realPathSync = realPathSync;
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

/** Proves what globs match and where their search starts. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { globPattern, globRoot, isGlob } from "../../src/formats/glob.ts";

const CASES: readonly [glob: string, matches: string[], others: string[]][] = [
  ["/a/*.txt", ["/a/b.txt", "/a/.txt"], ["/a/b/c.txt", "/a/b.txt.gz", "/a/btxt"]],
  ["/a/**/*.txt", ["/a/b.txt", "/a/b/c.txt", "/a/b/c/d.txt"], ["/b/a/c.txt", "/a/b.md"]],
  ["/a/**", ["/a/b", "/a/b/c"], ["/a", "/b/a"]],
  ["/a/?.txt", ["/a/b.txt", "/a/é.txt", "/a/𝒳.txt"], ["/a/bc.txt", "/a//.txt"]],
  ["/a/[b-d].txt", ["/a/c.txt"], ["/a/e.txt", "/a/-.txt"]],
  ["/a/[!b-d].txt", ["/a/e.txt"], ["/a/c.txt", "/a//.txt"]],
  ["/a/*.{txt,md}", ["/a/b.txt", "/a/b.md"], ["/a/b.{txt,md}", "/a/b.t"]],
  ["/a/{b*,c}.txt", ["/a/bee.txt", "/a/c.txt"], ["/a/cc.txt"]],
  ["/a+(b)|^$/*", ["/a+(b)|^$/c"], ["/aa/c", "/a/c"]],
  ["/a/[b", ["/a/[b"], ["/a/b"]],
];

for (const [glob, matches, others] of CASES) {
  Deno.test(`globPattern() matches whole paths with ${glob}`, () => {
    const pattern = globPattern(glob);
    for (const path of matches) assert.match(path, pattern);
    for (const path of others) assert.doesNotMatch(path, pattern);
  });
}

Deno.test("globPattern() of any text without glob characters matches that text alone", () => {
  const plain = fc.string({ unit: "grapheme", maxLength: 20 }).filter((text) => !isGlob(text));
  fc.assert(fc.property(plain, plain, (text, other) => {
    assert.equal(globPattern(text).test(other), text === other);
    assert.ok(globPattern(text).test(text));
  }));
});

Deno.test("globPattern() refuses a range that goes backwards", () => {
  assert.throws(() => globPattern("/a/[z-a]"), { name: "UserError", message: /"\/a\/\[z-a\]": a range/ });
});

Deno.test("globRoot() is the deepest folder without glob characters", () => {
  assert.equal(globRoot("/a/b/*.txt"), "/a/b");
  assert.equal(globRoot("/a/b*/c.txt"), "/a");
  assert.equal(globRoot("/a/**/c.txt"), "/a");
  assert.equal(globRoot("/*"), "/");
});

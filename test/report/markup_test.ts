/** Proves that nothing which is filled into a template is ever interpreted as markup. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { type Content, markup } from "../../src/report/markup.ts";
import { parse, textOf } from "./well_formed.ts";

Deno.test("markup() escapes text and attributes whatever they hold", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const element = parse(markup`<p title="${text}">${text}</p>`.source);
    assert.equal(textOf(element), element.attributes.get("title"));
    assert.equal(element.children.length, textOf(element) === "" ? 0 : 1);
  }));
});

Deno.test("markup() keeps printable text as it is", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme-ascii" }), (text) => {
    assert.equal(textOf(parse(markup`<p>${text}</p>`.source)), text);
  }));
});

Deno.test("markup() spells out control characters, reordering characters and lone surrogates", () => {
  const text = "a\0b\x1b\x7f\x85\u202ec\ud800d\te\n";
  assert.equal(markup`${text}`.source, "a[U+0000]b[U+001B][U+007F][U+0085][U+202E]c\ufffdd\te\n");
});

Deno.test("markup() puts markup, lists and nothing into markup unescaped", () => {
  const items: Content[] = ["<1>", markup`<b>2</b>`, null, undefined, false, 3];
  assert.equal(markup`<i>${items}</i>`.source, "<i>&lt;1&gt;<b>2</b>3</i>");
});

/** Proves what a reader sees: answers in order, drafts in colour, and nothing that a terminal would obey. */
import assert from "node:assert/strict";
import { harmless, jsonLine, Page } from "../../src/generate/page.ts";

/** A page, and all that was written on it. */
function page(
  { count = 1, terminal = true, colour = true, prompts = [] as string[] } = {},
): { page: Page; written: () => string } {
  let written = "";
  const write = (text: string) => void (written += text);
  const paper = { write, isTerminal: terminal, hasColour: colour };
  return { page: new Page(paper, count, (i) => write(`<${i + 1}>`), prompts), written: () => written };
}

const GOES_ON = { ending: null };
const ENDS = { ending: "length" } as const;
const plain = (text: string) => ({ text, drafted: false });
const drafted = (text: string) => ({ text, drafted: true });

Deno.test("harmless() escapes what a terminal obeys, and leaves the rest", () => {
  assert.equal(harmless("a\tb\nc é 語 🦊 👩\u200d🚀"), "a\tb\nc é 語 🦊 👩\u200d🚀");
  assert.equal(harmless("\x1b[2J\x07\r\x7f\x00"), "\\x1b[2J\\x07\\x0d\\x7f\\x00");
  assert.equal(harmless("\x9b31m"), "\\x9b31m"); // CSI in one character
  assert.equal(harmless("\u202egnp.exe\u2066"), "\\u{202e}gnp.exe\\u{2066}");
});

Deno.test("jsonLine() is one line of JSON without control characters, and means the same", () => {
  const value = { text: "a\n\x1b\x9b\u202e\u2028🦊" };
  const line = jsonLine(value);
  assert.deepEqual(JSON.parse(line), value);
  assert.match(line, /^[^\p{Cc}\u202e\u2028]*\n$/u);
});

Deno.test("drafted pieces are green, each with the end of its colour", () => {
  const { page: one, written } = page();
  one.add(0, [plain("a"), drafted("b\x1b"), plain("c")], GOES_ON);
  assert.equal(written(), "<1>a\x1b[32mb\\x1b\x1b[39mc");
  one.add(0, [drafted("d")], ENDS);
  assert.equal(written(), "<1>a\x1b[32mb\\x1b\x1b[39mc\x1b[32md\x1b[39m\n");
});

Deno.test("without colour a terminal gets no escape at all, and a pipe gets the text as it is", () => {
  const terminal = page({ colour: false, prompts: ["p\x1b"] });
  terminal.page.add(0, [drafted("a\x1b")], ENDS);
  assert.equal(terminal.written(), "<1>p\\x1ba\\x1b\n");
  const pipe = page({ terminal: false, colour: false });
  pipe.page.add(0, [drafted("a\x1b\r")], ENDS);
  assert.equal(pipe.written(), "<1>a\x1b\r\n");
});

Deno.test("answers that come side by side stand one after another, the first one as it comes", () => {
  const { page: three, written } = page({ count: 3, colour: false, prompts: ["A", "B", "C"] });
  three.add(0, [plain("a")], GOES_ON);
  three.add(1, [plain("b")], GOES_ON);
  three.add(2, [plain("c")], ENDS);
  assert.equal(written(), "<1>Aa");
  three.add(0, [plain("a")], ENDS);
  assert.equal(written(), "<1>Aaa\n<2>Bb");
  three.add(1, [plain("b")], GOES_ON);
  assert.equal(written(), "<1>Aaa\n<2>Bbb");
  three.add(1, [], ENDS);
  assert.equal(written(), "<1>Aaa\n<2>Bbb\n<3>Cc\n");
});

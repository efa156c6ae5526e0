/** Proves what a model is given of a prompt: the end token before it, and its end where it is too long. */
import assert from "node:assert/strict";
import { cutInWords, promptOf, USUAL_TOKENS } from "../../src/generate/prompt.ts";
import { byteTokenizer, type Tokenizer } from "../../src/text/tokenizer.ts";

const bytes = byteTokenizer();
const idsOf = (text: string): number[] => [...bytes.encode(new TextEncoder().encode(text))];

Deno.test("a prompt begins as documents do, with the end token; an empty one is that alone", () => {
  assert.deepEqual(promptOf("", bytes, 1000, 10), { text: "", ids: [0], newTokens: 10, cut: 0 });
  assert.deepEqual(promptOf("ab", bytes, 1000, 10).ids, [0, ...idsOf("ab")]);
});

Deno.test("without --tokens there are as many as are usual, else what is left, and at least half a context", () => {
  const newTokens = (context: number, length: number) =>
    promptOf("x".repeat(length), bytes, context, null).newTokens;
  assert.equal(newTokens(1000, 20), USUAL_TOKENS);
  assert.equal(newTokens(256, 19), 236);
  assert.equal(newTokens(256, 199), 128);
  assert.equal(newTokens(1000, 5000), USUAL_TOKENS);
});

Deno.test("a prompt that is too long loses its beginning, which is said", () => {
  const prompt = promptOf("abcdefgh", bytes, 10, 6);
  assert.deepEqual(prompt.ids, idsOf("efgh"));
  assert.equal(
    cutInWords(prompt, 10),
    "5 tokens were cut from the prompt's beginning: 4 are left, which fit the context of 10 together with 6 new ones",
  );
  assert.equal(promptOf("abcdefgh", bytes, 10, 1).cut, 0); // with the end token it fits to the token
});

Deno.test("a cut leaves no part of a character, unless nothing else would be left", () => {
  assert.deepEqual(promptOf("ab🦊cd", bytes, 10, 6).ids, idsOf("cd")); // the last 4 bytes begin within the fox
  assert.deepEqual(promptOf("🦊", bytes, 10, 9).ids, idsOf("🦊").slice(-1));
});

Deno.test("more new tokens than any prompt leaves room for are refused", () => {
  assert.throws(() => promptOf("a", bytes, 64, 64), {
    name: "UsageError",
    message: "--tokens 64: the model's context is 64 tokens, of which the prompt takes at least one",
  });
});

/** Knows a, b and é (in two tokens), and drops all else; it writes A as a. */
const small: Tokenizer = (() => {
  const pieces = [[], [0x61], [0x62], [0xc3], [0xa9], [0x61, 0x62]];
  const idOf = (byte: number) => pieces.findIndex((piece) => piece.length === 1 && piece[0] === byte);
  return {
    ...bytes,
    kind: "bpe" as const,
    vocab: pieces.length,
    byteLengths: Uint32Array.from(pieces, (piece) => piece.length),
    encode: (text) => Uint32Array.from(Array.from(text, idOf).filter((id) => id !== -1)),
    decode: (ids) => Uint8Array.from(Array.from(ids).flatMap((id) => pieces[id]!)),
  };
})();

Deno.test("a character that the tokenizer has no token for is named, and not left out in silence", () => {
  assert.deepEqual(promptOf("aébé", small, 100, 1).ids, [0, 1, 3, 4, 2, 3, 4]);
  assert.throws(() => promptOf("ab\x1bé", small, 100, 1), {
    name: "UserError",
    message: 'The model\'s tokenizer has no token for "\\x1b"',
  });
  assert.throws(() => promptOf("aê", small, 100, 1), { message: /no token for "ê"$/ });
});

Deno.test("a tokenizer that changes a text, as one that normalizes does, is not refused", () => {
  const folding: Tokenizer = { ...small, encode: () => Uint32Array.of(1) };
  assert.deepEqual(promptOf("aab", folding, 100, 1).ids, [0, 1]);
});

/** Proves that prompts which cannot fit the context are refused, as far as that is known before they are cut. */
import assert from "node:assert/strict";
import { parsePipeline } from "../../src/config/load.ts";

const parse = (tokenizer: string, prompt: number, tokens: number) =>
  parsePipeline(
    `name: f
stages:
  - { id: text, run: prepare, input: stories, tokenizer: ${tokenizer} }
  - id: arm
    run: train
    needs: [text]
    model: { width: 16, layers: 1, attention_heads: 2, context: 64 }
    curriculum: ntp
    train: { steps: 1 }
  - { id: speed, run: decode, needs: [text, arm], prompt_bytes: ${prompt}, new_tokens: ${tokens} }
`,
    "f.yaml",
    "/",
  );

Deno.test("a prompt of bytes, its start token and its continuation fit the context", () => {
  parse("bytes", 40, 23);
  assert.throws(() => parse("bytes", 40, 24), {
    message:
      /new_tokens: 1 \+ prompt_bytes \(40\) \+ new_tokens \(24\) tokens do not fit the context of arm \(64\)$/,
  });
});

Deno.test("how many tokens a prompt of subwords has is not known before it is cut", () => {
  parse("{ kind: bpe, vocab: 300 }", 400, 24);
  parse("{ kind: bpe, vocab: 300 }", 4, 62);
  assert.throws(() => parse("{ kind: bpe, vocab: 300 }", 4, 63), {
    message: /new_tokens: 1 \+ 1 \+ new_tokens \(63\) tokens do not fit the context of arm \(64\)$/,
  });
});

/** Proves that answers are what decoding gives, side by side or alone, and that stop strings and signals end them. */
import assert from "node:assert/strict";
import { decode } from "../../src/decode/engine.ts";
import type { Settings } from "../../src/decode/settings.ts";
import { GREEDY } from "../../src/decode/sampling.ts";
import { textOf } from "../../src/decode/text.ts";
import { type Answer, statistics, tokensPerForward } from "../../src/generate/answer.ts";
import { generate, type OnText } from "../../src/generate/generate.ts";
import { promptOf } from "../../src/generate/prompt.ts";
import { Interrupted } from "../../src/stage/errors.ts";
import { byteTokenizer } from "../../src/text/tokenizer.ts";
import { withFfi } from "../support.ts";
import { tinyModel } from "../model/tiny.ts";

const tokenizer = byteTokenizer();
const CONTEXT = 64;
const SETTINGS: Settings = {
  heads: 3,
  sampling: GREEDY,
  acceptance: "exact",
  tree: 1,
  treeNodes: 8,
  batch: 2,
  seed: 1,
};
const never = new AbortController().signal;

/** Answers of a model with random weights, which speaks in random bytes. */
async function answers(
  texts: readonly string[],
  settings: Partial<Settings & { stop: string[] }> = {},
  onText: OnText = () => {},
  stop = never,
): Promise<Answer[]> {
  using model = tinyModel({ vocab: tokenizer.vocab, context: CONTEXT });
  using decoder = model.decoder("rows");
  const prompts = texts.map((text) => promptOf(text, tokenizer, CONTEXT, 20));
  return await generate(decoder, tokenizer, prompts, { ...SETTINGS, stop: [], ...settings }, onText, stop);
}

/** The same by the engine itself. */
function decoded(texts: readonly string[], settings: Partial<Settings> = {}) {
  using model = tinyModel({ vocab: tokenizer.vocab, context: CONTEXT });
  using decoder = model.decoder("rows");
  const stop = new Set([tokenizer.end]);
  const requests = texts.map((text) => ({
    prompt: [0, ...tokenizer.encode(new TextEncoder().encode(text))],
    newTokens: 20,
    stop,
  }));
  return decode(decoder, requests, { ...SETTINGS, ...settings });
}

const TEXTS = ["a", "some more", "", "é"];
const DRAWN = { sampling: { ...GREEDY, temperature: 0.7, top_p: 0.9, repetition_penalty: 1.1 } };

for (const [how, settings] of [["greedily", {}], ["drawn", DRAWN]] as const) {
  withFfi(`answers are the text of what decode() gives, ${how}`, async () => {
    const shown = TEXTS.map(() => "");
    const onText: OnText = (index, pieces) => {
      shown[index] += pieces.map(({ text }) => text).join("");
    };
    const found = await answers(TEXTS, settings, onText);
    for (const [i, { tokens, drafted, forwards }] of decoded(TEXTS, settings).entries()) {
      const answer = found[i]!;
      assert.deepEqual(answer.tokens, tokens);
      assert.equal(answer.drafted, drafted.filter((is) => is).length);
      assert.equal(answer.forwards, forwards);
      assert.equal(answer.text, textOf(tokens, tokenizer));
      assert.equal(shown[i], answer.text);
      assert.equal(answer.ending, tokens.at(-1) === tokenizer.end ? "end" : "length");
    }
  });
}

withFfi("the same seed gives the same text, another one another", async () => {
  const texts = async (seed: number) =>
    (await answers(["a", "b"], { ...DRAWN, seed })).map(({ text }) => text);
  assert.deepEqual(await texts(7), await texts(7));
  assert.notDeepEqual(await texts(7), await texts(8));
});

withFfi("a stop string ends one answer and not those beside it", async () => {
  const [first, second] = await answers(["a", "b"]);
  const stop = first!.text.slice(4, 7);
  const [stopped, other] = await answers(["a", "b"], { stop: [stop] });
  const end = first!.text.indexOf(stop);
  assert.equal(stopped!.text, first!.text.slice(0, end));
  assert.equal(stopped!.ending, "stop");
  assert.ok(stopped!.tokens.length < 20);
  assert.deepEqual(stopped!.tokens, first!.tokens.slice(0, stopped!.tokens.length));
  if (!second!.text.includes(stop)) assert.equal(other!.text, second!.text);
});

withFfi("a wish to stop ends the answers with its reason", async () => {
  const stop = new AbortController();
  const ended = answers(
    ["a"],
    { heads: 1 },
    () => stop.abort(new Interrupted("stopped by SIGINT")),
    stop.signal,
  );
  await assert.rejects(ended, { name: "Interrupted", message: "stopped by SIGINT" });
});

withFfi("the statistics count as the decode stage does", async () => {
  const found = await answers(["a", "b"]);
  const tokens = found.reduce((sum, answer) => sum + answer.tokens.length, 0);
  const forwards = found.reduce((sum, answer) => sum + answer.forwards, 0);
  assert.equal(tokensPerForward(found), (tokens - 2) / forwards);
  assert.match(
    statistics(found),
    /^\d+ tokens in [\d.]+ s \(\d+ tokens\/s\), [\d.]+ tokens a forward pass, \d+% from accepted drafts$/,
  );
});

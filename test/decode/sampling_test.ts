/**
 * Proves that sampling with drafts leaves the distribution as it is: frequencies of whole sequences against their exact
 * probabilities, which are worked out from the model's logits, for every kind of heads, several temperatures,
 * truncations, a penalty, trees and batches. And that the test would notice: typical acceptance fails it.
 */
import assert from "node:assert/strict";
import { decode } from "../../src/decode/engine.ts";
import type { Settings } from "../../src/decode/settings.ts";
import type { Sampling } from "../../src/decode/sampling.ts";
import { type Decoder, HEAD_KINDS, type HeadKind, MtpModel } from "../../src/model/mod.ts";
import { Scope } from "../../src/torch/mod.ts";
import { tinyOptions, withNoise, withOneThread } from "../model/tiny.ts";
import { SETTINGS } from "./pattern.ts";

const V = 8;
const LENGTH = 3;
const SAMPLES = 8000;
const PROMPT = [3, 5];

function modelOf(kind: HeadKind): MtpModel {
  const options = tinyOptions({ vocab: V, layers: kind === "transformer" ? 4 : 2 });
  return withNoise(new MtpModel({ ...options, heads: { kind, count: 3 } }, 1, "cpu"));
}

const PURE: Sampling = { temperature: 1, top_k: 0, top_p: 1, min_p: 0, repetition_penalty: 1 };

/** Probabilities of the next token, written out. */
function next(decoder: Decoder, text: readonly number[], sampling: Sampling): number[] {
  using cache = decoder.newCache();
  using _scope = new Scope();
  const raw = decoder.logits(decoder.extend(text, cache).first).toArray().slice(-V);
  const { temperature, top_k, top_p, min_p, repetition_penalty: penalty } = sampling;
  const logits = raw.map((x, id) => !text.includes(id) ? x : x > 0 ? x / penalty : x * penalty);
  const best = Math.max(...logits);
  let p = logits.map((x) => Math.exp((x - best) / temperature));
  const order = () => [...p.keys()].sort((a, b) => p[b]! - p[a]!);
  const keep = (ids: readonly number[]) => p = p.map((x, id) => ids.includes(id) ? x : 0);
  const total = () => p.reduce((sum, x) => sum + x, 0);
  if (top_k > 0) keep(order().slice(0, top_k));
  if (top_p < 1) {
    const enough = top_p * total();
    const ids: number[] = [];
    let sum = 0;
    for (const id of order()) {
      if (sum >= enough) break;
      ids.push(id);
      sum += p[id]!;
    }
    keep(ids);
  }
  keep([...p.keys()].filter((id) => p[id]! >= min_p * Math.max(...p)));
  const sum = total();
  return p.map((x) => x / sum);
}

/** The probability of every sequence of {@link LENGTH} tokens behind the prompt, by its number in base V. */
function exact(decoder: Decoder, sampling: Sampling): Float64Array {
  const joint = new Float64Array(V ** LENGTH);
  const extend = (text: readonly number[], probability: number, index: number): void => {
    if (text.length === PROMPT.length + LENGTH) return void (joint[index] = probability);
    next(decoder, text, sampling).forEach((p, id) => {
      if (p > 0) extend([...text, id], probability * p, index * V + id);
    });
  };
  extend(PROMPT, 1, 0);
  return joint;
}

/**
 * How far counts are from what is expected, in standard deviations: chi-square, made normal after Wilson and Hilferty
 * (1931). Sequences that are expected less than 5 times count together. Impossible ones fail at once.
 */
function deviation(counts: Float64Array, expected: Float64Array): number {
  let [chiSquare, cells] = [0, 0];
  const rare = { count: 0, expected: 0 };
  const add = (count: number, expected: number) => {
    chiSquare += (count - expected) ** 2 / expected;
    cells++;
  };
  counts.forEach((count, i) => {
    const wanted = expected[i]! * SAMPLES;
    if (wanted === 0) assert.equal(count, 0, `sequence ${i} cannot be`);
    else if (wanted >= 5) add(count, wanted);
    else {
      rare.count += count;
      rare.expected += wanted;
    }
  });
  if (rare.expected >= 5) add(rare.count, rare.expected);
  const freedom = cells - 1;
  assert.ok(freedom >= 5, `${freedom} degrees of freedom prove little`);
  const spread = 2 / (9 * freedom);
  return (Math.cbrt(chiSquare / freedom) - (1 - spread)) / Math.sqrt(spread);
}

function counted(decoder: Decoder, settings: Settings): { counts: Float64Array; accepted: number } {
  const request = { prompt: PROMPT, newTokens: LENGTH, stop: new Set<number>() };
  const outputs = decode(decoder, Array.from({ length: SAMPLES }, () => request), settings);
  const counts = new Float64Array(V ** LENGTH);
  for (const { tokens } of outputs) counts[tokens.reduce((index, id) => index * V + id, 0)]!++;
  const accepted = outputs.reduce((sum, { drafted }) => sum + drafted.filter((is) => is).length, 0);
  return { counts, accepted };
}

/** One in 30,000 honest samplers is further off; the seeds are fixed, so it is the same one each time. */
const LIMIT = 4;

function assertUnchanged(decoder: Decoder, changes: Partial<Settings>, sampling: Sampling): void {
  const settings: Settings = { ...SETTINGS, heads: 3, batch: 64, sampling, ...changes };
  const { counts, accepted } = counted(decoder, settings);
  const off = deviation(counts, exact(decoder, sampling));
  assert.ok(off < LIMIT, `${JSON.stringify({ ...changes, sampling })}: ${off.toFixed(1)} deviations off`);
  if (settings.heads !== 1) assert.ok(accepted > SAMPLES / 50, `only ${accepted} drafts were accepted`);
}

for (const kind of HEAD_KINDS) {
  withOneThread(`sampling with ${kind} heads' drafts leaves the distribution of sequences unchanged`, () => {
    using model = modelOf(kind);
    using decoder = model.decoder("rows");
    for (const temperature of [0.5, 1, 1.6]) assertUnchanged(decoder, {}, { ...PURE, temperature });
  });
}

withOneThread("sampling without drafts has the distribution that is written out", () => {
  using model = modelOf("linear");
  using decoder = model.decoder("rows");
  for (const temperature of [0.5, 1, 1.6]) {
    assertUnchanged(decoder, { heads: 1 }, { ...PURE, temperature });
  }
});

withOneThread("top-k, top-p, min-p and a penalty leave with drafts what they leave without", () => {
  using model = modelOf("linear");
  using decoder = model.decoder("rows");
  const samplings: Partial<Sampling>[] = [
    { top_k: 4 },
    { top_p: 0.8 },
    { min_p: 0.1 },
    { repetition_penalty: 1.4 },
    { temperature: 0.8, top_k: 6, top_p: 0.95, min_p: 0.02, repetition_penalty: 1.2 },
  ];
  for (const sampling of samplings) {
    assertUnchanged(decoder, {}, { ...PURE, ...sampling });
    assertUnchanged(decoder, { heads: 1 }, { ...PURE, ...sampling });
  }
});

withOneThread("trees of drafts, a draft of one and an open number leave the distribution unchanged", () => {
  using model = modelOf("linear");
  using decoder = model.decoder("rows");
  assertUnchanged(decoder, { tree: 3, treeNodes: 8 }, PURE);
  assertUnchanged(decoder, { tree: 2, treeNodes: 4, batch: 5 }, {
    ...PURE,
    temperature: 0.7,
    repetition_penalty: 1.3,
  });
  assertUnchanged(decoder, { heads: 2 }, PURE);
  assertUnchanged(decoder, { heads: "auto" }, PURE);
});

withOneThread("libtorch's kernels sample the same distribution", () => {
  using model = modelOf("linear");
  using decoder = model.decoder("aten");
  assertUnchanged(decoder, {}, PURE);
});

withOneThread(
  "the test can fail: typical acceptance is not lossless, and another temperature is seen",
  () => {
    using model = modelOf("linear");
    using decoder = model.decoder("rows");
    const settings: Settings = { ...SETTINGS, heads: 3, batch: 64, sampling: PURE };
    const typical = counted(decoder, { ...settings, acceptance: "typical" });
    assert.ok(deviation(typical.counts, exact(decoder, PURE)) > 2 * LIMIT);
    const warmer = counted(decoder, { ...settings, sampling: { ...PURE, temperature: 1.1 } });
    assert.ok(deviation(warmer.counts, exact(decoder, PURE)) > LIMIT);
  },
);

withOneThread("a seed gives the same tokens again, alone or in a batch; another seed gives others", () => {
  using model = modelOf("linear");
  using decoder = model.decoder("rows");
  const many = Array.from({ length: 6 }, () => ({ prompt: PROMPT, newTokens: 9, stop: new Set<number>() }));
  const texts = (changes: Partial<Settings>) =>
    decode(decoder, many, { ...SETTINGS, heads: 3, sampling: PURE, ...changes }).map(({ tokens }) => tokens);
  const first = texts({});
  assert.deepEqual(texts({}), first);
  assert.deepEqual(texts({ batch: 4 }), first);
  assert.notDeepEqual(texts({ seed: 2 }), first);
  assert.equal(new Set(first.map(String)).size, first.length); // no two requests draw the same numbers
});

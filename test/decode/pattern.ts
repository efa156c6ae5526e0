/** A small model that has seen a pattern for a while, and requests for it. */
import fc from "fast-check";
import { GREEDY } from "../../src/decode/sampling.ts";
import type { Settings } from "../../src/decode/settings.ts";
import { type HeadKind, MtpModel } from "../../src/model/mod.ts";
import { Scope } from "../../src/torch/mod.ts";
import { Optimizer } from "../../src/train/optimizer.ts";
import { trainStep } from "../../src/train/step.ts";
import { noise, someIds, tensorsOf, tinyOptions } from "../model/tiny.ts";

/** Repeated with a mistake now and then: easy to continue, but not everywhere. */
export const PATTERN = [1, 2, 3, 1, 4, 2, 5, 6, 1, 7];
export const VOCAB = 9;
export const CONTEXT = 24;
/** Heads of the model. */
export const K = 4;

/** Greedily, one sequence at a time, with all heads. */
export const SETTINGS: Settings = {
  heads: K,
  sampling: GREEDY,
  acceptance: "exact",
  tree: 1,
  treeNodes: 15,
  batch: 1,
  seed: 1,
};
export const PLAIN: Settings = { ...SETTINGS, heads: 1 };

export function patternFrom(name: string, length: number): number[] {
  const start = someIds(`${name}/start`, 1, PATTERN.length)[0]!;
  return Array.from(
    { length },
    (_, t) => noise(`${name}/mistake`, t) > 0.9 ? 8 : PATTERN[(start + t) % PATTERN.length]!,
  );
}

/** A model of four heads that has seen the pattern for so many steps. */
export function trainedModel(steps = 80, kind: HeadKind = "linear", context = CONTEXT): MtpModel {
  const layers = kind === "transformer" ? 6 : 2; // two for the trunk
  const options = tinyOptions({ vocab: VOCAB, context, layers });
  const model = new MtpModel({ ...options, heads: { kind, count: K } }, 1, "cpu");
  using optimizer = new Optimizer(model.parameters, {
    beta1: 0.9,
    beta2: 0.95,
    eps: 1e-8,
    weight_decay: 0,
    clip: 1,
  });
  for (let step = 0; step < steps; step++) {
    using _scope = new Scope();
    const rows = [0, 1, 2, 3].map((row) => patternFrom(`${step}/${row}`, CONTEXT + K));
    const ids = rows.map((row) => row.slice(0, CONTEXT));
    const targets = [1, 2, 3, 4].map((head) => rows.map((row) => row.slice(head, head + CONTEXT)));
    const counts = targets.map((head) => head.flat().length);
    const blocks = { ...tensorsOf({ ids, targets }), counts, bytes: 0 };
    trainStep(model, optimizer, blocks, 4, { weights: [1, 1, 1, 1], loss: "sum" }, 0.02);
  }
  return model;
}

/** Prompts of any length, of the pattern or of anything, with what is left of the context or less; any stop, or none. */
export const requests = fc.record({
  name: fc.nat({ max: 1e6 }).map(String),
  promptLength: fc.integer({ min: 1, max: CONTEXT - 1 }),
  ofPattern: fc.boolean(),
  newTokens: fc.integer({ min: 1, max: CONTEXT }),
  stop: fc.integer({ min: -VOCAB, max: VOCAB - 1 }), // below 0: none
}).map(({ name, promptLength, ofPattern, newTokens, stop }) => ({
  prompt: ofPattern ? patternFrom(name, promptLength) : someIds(name, promptLength, VOCAB),
  newTokens: Math.min(newTokens, CONTEXT - promptLength),
  stop: new Set(stop < 0 ? [] : [stop]),
}));

/**
 * Proves decoding: plain greedy decoding is what whole forward passes say; with the row kernels self-speculation gives
 * the same tokens, on random and on trained models, whatever prompts, lengths, stop tokens, heads, batches and trees;
 * with libtorch's kernels the two part only where two logits tie. And the counts of passes and drafts add up.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { firstDifference } from "../../src/decode/compare.ts";
import { decode, decodeSteps } from "../../src/decode/engine.ts";
import type { Settings } from "../../src/decode/settings.ts";
import type { Decoded, Request } from "../../src/decode/sequence.ts";
import { type Decoder, HEAD_KINDS, type MtpModel } from "../../src/model/mod.ts";
import { linear, noGrad, Scope, Tensor, top2Gap } from "../../src/torch/mod.ts";
import { noise, someIds, tinyModel, withOneThread } from "../model/tiny.ts";
import {
  CONTEXT,
  K,
  PATTERN,
  patternFrom,
  PLAIN,
  requests,
  SETTINGS,
  trainedModel,
  VOCAB,
} from "./pattern.ts";

const one = (decoder: Decoder, request: Request, settings: Settings): Decoded =>
  decode(decoder, [request], settings)[0]!;

const accepted = ({ drafts }: Decoded): number => drafts.reduce((sum, draft) => sum + draft.accepted, 0);

/** Every forward pass gives its accepted drafts and one token more, less that one where an accepted draft is the stop. */
function assertCounts(output: Decoded, { newTokens, stop }: Request, heads: number): void {
  const { tokens, forwards, drafted, drafts } = output;
  const endsInDraft = drafted.at(-1) === true;
  assert.equal(tokens.length, 1 + forwards + accepted(output) - (endsInDraft ? 1 : 0));
  if (endsInDraft) assert.ok(stop.has(tokens.at(-1)!));
  assert.equal(drafted.length, tokens.length);
  assert.equal(drafted.filter((is) => is).length, accepted(output));
  assert.ok(tokens.length === newTokens || stop.has(tokens.at(-1)!));
  assert.ok(tokens.slice(0, -1).every((id) => !stop.has(id)), "went on behind the stop");
  assert.equal(drafts.length, heads - 1);
  drafts.forEach((draft, i) => {
    assert.ok(draft.accepted <= draft.proposed);
    assert.ok(draft.proposed <= (i === 0 ? forwards : drafts[i - 1]!.accepted));
  });
}

/** What a property has met, so that a test can say that it proved something. */
interface Met {
  accepted: number;
  rejected: number;
  stopsInDrafts: number;
  fullContexts: number;
}

/** Compares plain with speculative decoding on many requests, by the row kernels. */
function assertSpeculationIsGreedy(
  model: MtpModel,
  numRuns: number,
  settings: fc.Arbitrary<Settings> = fc.integer({ min: 1, max: K }).map((heads) => ({ ...SETTINGS, heads })),
): Met {
  const met: Met = { accepted: 0, rejected: 0, stopsInDrafts: 0, fullContexts: 0 };
  using decoder = model.decoder("rows");
  fc.assert(
    fc.property(requests, settings, (request, settings) => {
      const plain = one(decoder, request, PLAIN);
      const fast = one(decoder, request, settings);
      assert.deepEqual(fast.tokens, plain.tokens);
      assert.ok(fast.forwards <= plain.forwards);
      assert.equal(plain.forwards, plain.tokens.length - 1);
      const heads = settings.heads === "auto" ? K : settings.heads;
      assertCounts(fast, request, heads);
      if (heads === 1) assert.equal(fast.forwards, plain.forwards);
      met.accepted += accepted(fast);
      met.rejected += fast.drafts.reduce((sum, draft) => sum + draft.proposed - draft.accepted, 0);
      if (request.stop.has(fast.tokens.at(-1)!) && fast.drafted.at(-1)) met.stopsInDrafts++;
      if (request.prompt.length + fast.tokens.length === CONTEXT) met.fullContexts++;
    }),
    { numRuns },
  );
  return met;
}

withOneThread(
  "drafts change nothing but the number of passes on a trained model, where most are right",
  () => {
    using model = trainedModel();
    const met = assertSpeculationIsGreedy(model, 150);
    for (const [what, count] of Object.entries(met)) assert.ok(count > 0, `${what} never came about`);
    assert.ok(met.accepted > met.rejected, JSON.stringify(met));
  },
);

withOneThread("drafts change nothing on a model that was trained for a moment", () => {
  using model = trainedModel(12);
  const met = assertSpeculationIsGreedy(model, 80);
  assert.ok(met.accepted > 0 && met.rejected > 0, JSON.stringify(met));
});

withOneThread("drafts change nothing on random models, where most are wrong", () => {
  for (const changes of [{}, { kv_heads: 1, tied: true }, { kv_heads: 4 }]) {
    using model = tinyModel({ vocab: VOCAB, context: CONTEXT, K, ...changes });
    const met = assertSpeculationIsGreedy(model, 50);
    assert.ok(met.rejected > 0, JSON.stringify(met));
  }
});

for (const kind of HEAD_KINDS) {
  withOneThread(
    `${kind} heads' drafts, right and wrong, change nothing, also with their number left open`,
    () => {
      using model = trainedModel(30, kind);
      const heads = fc.constantFrom(1, 2, 3, 4, "auto" as const);
      const met = assertSpeculationIsGreedy(model, 80, heads.map((heads) => ({ ...SETTINGS, heads })));
      assert.ok(met.accepted > 0 && met.rejected > 0 && met.fullContexts > 0, JSON.stringify(met));
    },
  );

  withOneThread(
    `${kind} heads in batches: each sequence gets what it gets alone, and its own acceptance`,
    () => {
      using model = trainedModel(30, kind);
      using decoder = model.decoder("rows");
      fc.assert(
        fc.property(
          fc.array(requests, { minLength: 1, maxLength: 7 }),
          fc.integer({ min: 1, max: 4 }),
          fc.integer({ min: 1, max: K }),
          (requests, batch, heads) => {
            const settings = { ...SETTINGS, heads };
            const together = decode(decoder, requests, { ...settings, batch });
            requests.forEach((request, i) => {
              const { tokens, drafted, forwards, drafts } = one(decoder, request, settings);
              const { tokens: t, drafted: d, forwards: f, drafts: a } = together[i]!;
              assert.deepEqual(
                { t, d, f, a },
                { t: tokens, d: drafted, f: forwards, a: drafts },
                `request ${i}`,
              );
            });
          },
        ),
        { numRuns: 25 },
      );
    },
  );
}

for (const kind of ["linear", "residual", "transformer"] as const) {
  withOneThread(`trees of ${kind} heads' drafts change nothing, and accept what a chain would not`, () => {
    using model = trainedModel(12, kind);
    const trees = fc.record({
      tree: fc.integer({ min: 2, max: 4 }),
      treeNodes: fc.integer({ min: 1, max: 32 }),
    });
    const met = assertSpeculationIsGreedy(model, 60, trees.map((tree) => ({ ...SETTINGS, ...tree })));
    assert.ok(met.accepted > 0 && met.rejected > 0 && met.fullContexts > 0, JSON.stringify(met));
    using decoder = model.decoder("rows");
    const many = Array.from({ length: 30 }, (_, i) => ({
      prompt: patternFrom(`tree ${i}`, 8),
      newTokens: CONTEXT - 8,
      stop: new Set<number>(),
    }));
    const forwards = (settings: Settings) =>
      decode(decoder, many, settings).reduce((sum, output) => sum + output.forwards, 0);
    assert.ok(forwards({ ...SETTINGS, tree: 3, treeNodes: 24, batch: 3 }) < forwards(SETTINGS));
  });
}

withOneThread("where drafts are right, passes give near K tokens each", () => {
  using model = trainedModel(150);
  using decoder = model.decoder("rows");
  const request: Request = {
    prompt: Array.from({ length: 11 }, (_, t) => PATTERN[t % PATTERN.length]!),
    newTokens: 13,
    stop: new Set(),
  };
  const { tokens, forwards } = one(decoder, request, SETTINGS);
  assert.deepEqual(tokens, Array.from({ length: 13 }, (_, t) => PATTERN[(11 + t) % PATTERN.length]!));
  assert.equal(forwards, 3); // 1 + 3 * 4 tokens
});

for (const kind of HEAD_KINDS) {
  withOneThread(`${kind} heads in a number that follows a long text change nothing`, () => {
    using model = trainedModel(30, kind, 96);
    using decoder = model.decoder("rows");
    const many: Request[] = [3, 9, 20].map((length, i) => ({
      prompt: patternFrom(`long ${i}`, length),
      newTokens: 70,
      stop: new Set(),
    }));
    const plain = many.map((request) => one(decoder, request, PLAIN).tokens);
    const tokens = (settings: Settings) => decode(decoder, many, settings).map(({ tokens }) => tokens);
    assert.deepEqual(tokens({ ...SETTINGS, heads: "auto" }), plain);
    assert.deepEqual(tokens({ ...SETTINGS, heads: "auto", batch: 3 }), plain);
  });

  withOneThread(
    `${kind} heads by libtorch's kernels, in batches and trees, give the plain text but for ties`,
    () => {
      using model = trainedModel(30, kind);
      using decoder = model.decoder("aten");
      const many = Array.from({ length: 12 }, (_, i): Request => ({
        prompt: patternFrom(`aten ${i}`, 1 + i),
        newTokens: CONTEXT - 1 - i,
        stop: new Set(),
      }));
      const plain = many.map((request) => one(decoder, request, PLAIN).tokens);
      const changes: Partial<Settings>[] = [{ batch: 5 }, { heads: "auto", batch: 2 }];
      if (kind !== "sequential") changes.push({ tree: 3, treeNodes: 9, batch: 3 });
      for (const change of changes) {
        const outputs = decode(decoder, many, { ...SETTINGS, ...change });
        const same = outputs.filter(({ tokens }, i) => firstDifference(tokens, plain[i]!) === null).length;
        assert.ok(same >= 11, `${JSON.stringify(change)}: ${12 - same} of 12 differ`); // a tie among 150 tokens is rare
      }
    },
  );
}

withOneThread("with libtorch's kernels both decoders part only where the two best logits tie", () => {
  const TIE = 1e-4;
  let [ties, equal] = [0, 0];
  /** How far the plain decoder's best logit is ahead at one token, from a pass over all before it. */
  const gapAt = (decoder: Decoder, ids: number[]): number => {
    using cache = decoder.newCache();
    using _scope = new Scope();
    return top2Gap(decoder.logits(decoder.extend(ids, cache).first)).toArray().at(-1)!;
  };
  const compare = (model: MtpModel, numRuns: number): void => {
    using decoder = model.decoder("aten");
    fc.assert(
      fc.property(requests, fc.integer({ min: 2, max: K }), (request, heads) => {
        const plain = one(decoder, request, PLAIN);
        const fast = one(decoder, request, { ...SETTINGS, heads });
        const at = firstDifference(plain.tokens, fast.tokens);
        if (at === null) return void equal++;
        ties++;
        const gap = gapAt(decoder, [...request.prompt, ...plain.tokens.slice(0, at)]);
        assert.ok(gap < TIE, `token ${at} differs, where the gap is ${gap}`);
      }),
      { numRuns },
    );
  };
  using trained = trainedModel();
  compare(trained, 60);
  assert.ok(equal > 0);

  // Two rows of head 1 that differ by a rounding: there the kernels do disagree about which is larger.
  using tied = tinyModel({ vocab: VOCAB, context: CONTEXT, K });
  const { width } = tied.shape;
  const weights = tied.parameters.get("heads.1").toArray();
  const twins = weights.map((x, n) => {
    const [row, i] = [Math.floor(n / width), n % width];
    return row % 2 === 0 ? x : Math.fround(weights[(row - 1) * width + i]! * (1 + 1e-7 * noise("twin", n)));
  });
  tied.parameters.get("heads.1").copyBytes_(new Uint8Array(Float32Array.from(twins).buffer));
  compare(tied, 60);
  assertSpeculationIsGreedy(tied, 60); // and the row kernels do not
});

/** Head 1's logits behind a text, by a forward pass over all of it. */
function logitsBehind(model: MtpModel, text: number[]): number[] {
  using _scope = new Scope();
  return noGrad(() => {
    const z_TD = model.trunk(Tensor.ids(text, [1, text.length])).reshape(text.length, -1);
    return linear(z_TD.slice(0, text.length - 1, text.length), model.parameters.get("heads.1")).toArray();
  });
}

withOneThread(
  "plain decoding chooses, token by token, what the whole forward pass over the text so far says",
  () => {
    using model = trainedModel(30);
    for (const kernels of ["rows", "aten"] as const) {
      using decoder = model.decoder(kernels);
      const prompt = patternFrom("brute force", 9);
      const { tokens } = one(decoder, { prompt, newTokens: CONTEXT - 9, stop: new Set() }, PLAIN);
      const text = [...prompt];
      for (const token of tokens) {
        const logits = logitsBehind(model, text);
        assert.ok(
          Math.max(...logits) - logits[token]! < 1e-5,
          `${token} is not the most likely after ${text}`,
        );
        text.push(token);
      }
      assert.equal(text.length, CONTEXT);
    }
  },
);

withOneThread("a repetition penalty is what its formula says, with drafts as without", () => {
  using model = trainedModel(30);
  using decoder = model.decoder("rows");
  const sampling = { ...SETTINGS.sampling, repetition_penalty: 1.3 };
  for (const name of ["a", "b", "c"]) {
    const request = { prompt: patternFrom(name, 4), newTokens: CONTEXT - 4, stop: new Set<number>() };
    const text = [...request.prompt];
    const { tokens } = one(decoder, request, { ...PLAIN, sampling });
    for (const token of tokens) {
      const penalized = logitsBehind(model, text).map((logit, id) =>
        !text.includes(id) ? logit : logit > 0 ? logit / 1.3 : logit * 1.3
      );
      assert.ok(
        Math.max(...penalized) - penalized[token]! < 1e-5,
        `${token} is not the most likely after ${text}`,
      );
      text.push(token);
    }
    for (const more of [{ heads: 2 }, { heads: 4 }, { tree: 3, treeNodes: 10 }]) {
      assert.deepEqual(one(decoder, request, { ...SETTINGS, sampling, ...more }).tokens, tokens);
    }
  }
});

withOneThread("decoding ends with a stop token: at once, in a draft, behind drafts, or never", () => {
  using model = trainedModel();
  using decoder = model.decoder("rows");
  const prompt = [...PATTERN, 1, 2, 3]; // goes on with 1, then drafts 4, 2, 5 and behind them 6, then 1, 7, ...
  const cases: [stop: number[], tokens: number[], drafted: string][] = [
    [[1], [1], "."],
    [[4], [1, 4], ".x"],
    [[5], [1, 4, 2, 5], ".xxx"],
    [[5, 2], [1, 4, 2], ".xx"],
    [[6], [1, 4, 2, 5, 6], ".xxx."],
    [[], [1, 4, 2, 5, 6, 1, 7], ".xxx.x."], // 7 is the last token wanted: it needs no draft
  ];
  for (const [stop, tokens, drafted] of cases) {
    const request: Request = { prompt, newTokens: 7, stop: new Set(stop) };
    assert.deepEqual(one(decoder, request, PLAIN).tokens, tokens);
    const fast = one(decoder, request, SETTINGS);
    assert.deepEqual(fast.tokens, tokens);
    assert.equal(fast.drafted.map((is) => is ? "x" : ".").join(""), drafted);
    assertCounts(fast, request, 4);
    const behindStop = fast.drafts.slice(tokens.length - 1).filter(({ proposed }) => proposed > 0);
    if (drafted.endsWith("x") && tokens.length <= 4) {
      assert.deepEqual(behindStop, [], "drafts behind a stop count");
    }
  }
});

withOneThread("decodeSteps() tells after each pass what it gave, and its pieces are the result", () => {
  using model = trainedModel(30);
  using decoder = model.decoder("rows");
  const many: Request[] = [3, 9, 5].map((length, i) => ({
    prompt: patternFrom(`steps ${i}`, length),
    newTokens: 12,
    stop: new Set([6]),
  }));
  const steps = decodeSteps(decoder, many, { ...SETTINGS, batch: 2 });
  const told = many.map(() => ({ tokens: [] as number[], drafted: [] as boolean[], passes: 0 }));
  for (;;) {
    const { done, value } = steps.next();
    if (done) {
      told.forEach(({ tokens, drafted, passes }, i) => {
        const { forwards } = value[i]!;
        assert.deepEqual({ tokens, drafted }, { tokens: value[i]!.tokens, drafted: value[i]!.drafted });
        assert.equal(passes, forwards + 1);
      });
      return;
    }
    for (const { index, tokens, drafted } of value) {
      assert.equal(tokens.length, drafted.length);
      told[index]!.tokens.push(...tokens);
      told[index]!.drafted.push(...drafted);
      told[index]!.passes++;
    }
  }
});

withOneThread("a decoder that is left in the middle leaves no tensor behind", () => {
  using model = trainedModel(1);
  using decoder = model.decoder("rows");
  const sampling = { ...SETTINGS.sampling, temperature: 1 };
  const steps = decodeSteps(decoder, [{ prompt: [1], newTokens: 9, stop: new Set() }], {
    ...SETTINGS,
    sampling,
  });
  steps.next();
  steps.return([]);
}); // withFfi counts

withOneThread("what does not fit the context, the model or sense is refused with the reason", () => {
  using model = tinyModel({ vocab: VOCAB, context: CONTEXT, K });
  using decoder = model.decoder("rows");
  const run = (promptLength: number, newTokens: number, changes: Partial<Settings> = {}) =>
    one(decoder, { prompt: someIds("room", promptLength, VOCAB), newTokens, stop: new Set() }, {
      ...SETTINGS,
      ...changes,
    });
  for (const promptLength of [1, 10, CONTEXT - 1]) {
    assert.equal(run(promptLength, CONTEXT - promptLength).tokens.length, CONTEXT - promptLength);
  }
  const refused: [() => unknown, string][] = [
    [() => run(10, CONTEXT - 9), "10 + 15 tokens do not fit a context of 24"],
    [() => run(0, 1), "A prompt needs at least one token"],
    [() => run(1, 1, { heads: 5 }), "5 heads are asked for, and the model has 4"],
    [() => run(1, 1, { batch: 0 }), "A batch of 0 sequences"],
    [
      () => run(1, 1, { tree: 2, treeNodes: 33 }),
      "A tree of 2 candidates a head and 33 nodes; at most 32 nodes",
    ],
    [
      () => run(1, 1, { sampling: { ...SETTINGS.sampling, temperature: -1 } }),
      "A temperature of -1 is below 0",
    ],
  ];
  for (const [body, message] of refused) assert.throws(body, { name: "RangeError", message });
  using chained = trainedModel(1, "sequential");
  using other = chained.decoder("rows");
  assert.throws(
    () => one(other, { prompt: [1], newTokens: 2, stop: new Set() }, { ...SETTINGS, tree: 2 }),
    { name: "RangeError", message: "sequential heads read each other's drafts: they draft chains, no trees" },
  );
});

withOneThread("requests that have enough make room for others, whose output is as it would be alone", () => {
  using model = trainedModel(30);
  using decoder = model.decoder("rows");
  const many = Array.from({ length: 5 }, (_, i): Request => ({
    prompt: patternFrom(`enough ${i}`, 3 + i),
    newTokens: 14,
    stop: new Set(),
  }));
  const alone = many.map((request) => one(decoder, request, SETTINGS).tokens);
  const steps = decodeSteps(decoder, many, { ...SETTINGS, batch: 2 });
  let ended: number[] = [];
  let rows = 0;
  for (;;) {
    const { done, value } = steps.next(ended);
    if (done) {
      value.forEach(({ tokens }, i) => {
        if (i === 0) assert.deepEqual(tokens, alone[0]!.slice(0, tokens.length));
        else assert.deepEqual(tokens, alone[i]);
      });
      assert.ok(value[0]!.tokens.length < 14);
      return;
    }
    ended = rows++ === 0 ? [0] : [];
  }
});

withOneThread("no requests, and requests for no token, come to nothing", () => {
  using model = trainedModel(1);
  using decoder = model.decoder("rows");
  assert.deepEqual(decode(decoder, [], SETTINGS), []);
  const [first, second] = decode(decoder, [
    { prompt: [1], newTokens: 0, stop: new Set() },
    { prompt: [1], newTokens: 1, stop: new Set() },
  ], SETTINGS);
  assert.deepEqual([first!.tokens.length, second!.tokens.length], [0, 1]);
});

withOneThread("weights that are not finite end in a sentence, not in tokens", () => {
  using model = tinyModel({ vocab: VOCAB, context: CONTEXT, K });
  const head = model.parameters.get("heads.1");
  const weights = Float32Array.from(head.toArray());
  weights[5 * model.shape.width] = NaN; // of one token only
  head.copyBytes_(new Uint8Array(weights.buffer));
  const request: Request = { prompt: [1], newTokens: 2, stop: new Set() };
  for (const kernels of ["rows", "aten"] as const) {
    using decoder = model.decoder(kernels);
    for (const temperature of [0, 1]) {
      const settings = { ...SETTINGS, sampling: { ...SETTINGS.sampling, temperature } };
      assert.throws(() => one(decoder, request, settings), {
        name: "TorchError",
        message: "the model's logits are not finite",
      });
    }
  }
});

/**
 * Proves drafting with heads that have positions of their own: whatever the pieces in which accepted tokens come, the
 * drafts are what the heads choose in one forward pass over the same tokens.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Decoder,
  type Drafter,
  HEAD_KINDS,
  type HeadKind,
  MtpModel,
  type Rows,
} from "../../src/model/mod.ts";
import { choices, Scope, Tensor } from "../../src/torch/mod.ts";
import { someIds, tinyOptions, withNoise, withOneThread } from "./tiny.ts";

const K = 4;

function modelOf(kind: HeadKind, tied: boolean): MtpModel {
  const options = { ...tinyOptions(), layers: 5, tied, heads: { kind, count: K } };
  return withNoise(new MtpModel(options, 1, "cpu"));
}

/**
 * What heads 2 to K choose behind the last of the ids, from one pass over whole sequences. For `sequential` heads the
 * tokens that stand behind the ids, which their chain reads, are `next` and the drafts before: so depth by depth.
 */
function draftsByWholePass(model: MtpModel, ids: number[], next: number): number[] {
  const { length } = ids;
  const drafts: number[] = [];
  for (let head = 2; head <= K; head++) {
    using _scope = new Scope();
    const behind = [next, ...drafts];
    const targets = Array.from(
      { length: K },
      (_, i) => ids.map((_, t) => t === length - 1 ? behind[i] ?? -1 : 0),
    );
    const sequences = {
      inputs: Tensor.ids(ids, [1, length]),
      targets: Tensor.ids(targets.flat(), [K, 1, length]),
    };
    drafts.push(model.score(sequences)[head - 1]!.best.toArray().at(-1)!);
  }
  return drafts;
}

/** The likeliest tokens of heads 2 to `depth` behind accepted rows of one sequence. */
function draftOf(
  drafter: Drafter,
  rows: Rows,
  accepted: { sequence?: number; rows: number[]; ids: number[]; next: number },
  depth = K,
): number[] {
  const drafts: number[] = [];
  drafter.draft({ rows, sequences: [{ sequence: 0, ...accepted }] }, depth, (logits) => {
    const chosen = choices(logits);
    drafts.push(...chosen);
    return chosen;
  });
  return drafts;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Feeds tokens in pieces, with wrong drafts behind each piece that are then rolled back; the drafts after each. */
function draftsByPieces(decoder: Decoder, tokens: number[], sizes: readonly number[]): number[][] {
  const { context, vocab } = decoder.shape;
  using cache = decoder.newCache();
  using drafter = decoder.newDrafter();
  let at = 0;
  return sizes.map((size) => {
    using _scope = new Scope();
    const ids = tokens.slice(at, at += size);
    const wrong = someIds(`wrong/${at}`, Math.min(3, context - at), vocab);
    const rows = decoder.extend([...ids, ...wrong], cache);
    cache.truncate(0, at);
    return draftOf(drafter, rows, { rows: range(size), ids, next: tokens[at]! });
  });
}

/** Sizes of pieces of up to `total` tokens. */
const pieces = (total: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: total }).map((sizes) => {
    const ends = sizes.map((_, i) => sizes.slice(0, i + 1).reduce((sum, size) => sum + size, 0));
    return sizes.slice(0, Math.max(1, ends.filter((end) => end <= total).length));
  });

for (const kind of HEAD_KINDS) {
  withOneThread(`${kind} heads draft from accepted pieces what they choose in one pass`, () => {
    for (const tied of [false, true]) {
      using model = modelOf(kind, tied);
      const { context, vocab } = model.shape;
      const tokens = someIds(`drafter/${tied}`, context + 1, vocab);
      for (const kernels of ["rows", "aten"] as const) {
        using decoder = model.decoder(kernels);
        fc.assert(
          fc.property(pieces(context), (sizes) => {
            let at = 0;
            draftsByPieces(decoder, tokens, sizes).forEach((drafts, i) => {
              at += sizes[i]!;
              assert.deepEqual(
                drafts,
                draftsByWholePass(model, tokens.slice(0, at), tokens[at]!),
                `after ${at}`,
              );
            });
          }),
          { numRuns: 6, examples: [[[1, 1, 1, 1, 1, 1]], [[12]], [[1, 4, 2, 5]], [[2, 1, 3]]] },
        );
      }
    }
  });
}

withOneThread("a drafter for fewer heads, and for fewer with every call, runs only those", () => {
  for (const kind of HEAD_KINDS) {
    using model = modelOf(kind, false);
    using decoder = model.decoder("rows");
    const tokens = someIds("fewer", 7, model.shape.vocab);
    using cache = decoder.newCache();
    using drafter = decoder.newDrafter(1, 6);
    [3, 3, 2].forEach((depth, t) => {
      using _scope = new Scope();
      const rows = decoder.extend([tokens[t]!], cache);
      const drafts = draftOf(drafter, rows, { rows: [0], ids: [tokens[t]!], next: tokens[t + 1]! }, depth);
      const expected = draftsByWholePass(model, tokens.slice(0, t + 1), tokens[t + 1]!).slice(0, depth - 1);
      assert.deepEqual(drafts, expected, kind);
    });
  }
});

for (const kind of HEAD_KINDS) {
  withOneThread(
    `${kind} heads draft for several sequences what they draft for each alone, also after a reset`,
    () => {
      using model = modelOf(kind, false);
      using decoder = model.decoder("rows");
      const { vocab } = model.shape;
      using cache = decoder.newCache(3);
      using drafter = decoder.newDrafter(3);
      const texts = [0, 1, 2].map((s) => someIds(`several/${s}`, 13, vocab));
      let at = [0, 0, 0];
      // Rows of each sequence in each step; a sequence with none takes no part, "new" begins another text in its place.
      const steps: [number, number, number][] = [[3, 1, 0], [1, 2, 2], [0, 4, 1], [2, 0, 1], [1, 1, 1]];
      steps.forEach((counts, step) => {
        using _scope = new Scope();
        if (step === 3) { // the third sequence ends, and another begins in its place
          cache.truncate(2, 0);
          drafter.reset(2);
          at = [at[0]!, at[1]!, 0];
          texts[2] = someIds("another", 13, vocab);
        }
        const ids = counts.map((count, s) => texts[s]!.slice(at[s]!, at[s]! + count));
        const rows = decoder.step(ids.flat(), cache.next(counts), cache);
        let row = 0;
        const sequences = counts.flatMap((count, s) => {
          if (count === 0) return [];
          cache.advance(s, count);
          const own = range(count).map(() => row++);
          return [{ sequence: s, rows: own, ids: ids[s]!, next: texts[s]![at[s]! + count]! }];
        });
        const drafts = sequences.map((): number[] => []);
        drafter.draft({ rows, sequences }, K, (logits, heads) => {
          const chosen = choices(logits);
          chosen.forEach((token, i) => drafts[Math.floor(i / heads.length)]!.push(token));
          return chosen;
        });
        at = at.map((t, s) => t + counts[s]!);
        sequences.forEach(({ sequence, next }, i) =>
          assert.deepEqual(
            drafts[i],
            draftsByWholePass(model, texts[sequence]!.slice(0, at[sequence]!), next),
            `step ${step}, sequence ${sequence}`,
          )
        );
      });
    },
  );
}

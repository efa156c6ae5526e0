/**
 * Proves drafting with heads that have positions of their own: whatever the pieces in which accepted tokens come, the
 * drafts are what the heads choose in one forward pass over the same tokens.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { HEAD_KINDS, type HeadKind, type KvCache, MtpModel } from "../../src/model/mod.ts";
import { type Kernels, Scope, Tensor, unscoped } from "../../src/torch/mod.ts";
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

/** Feeds tokens in pieces, with wrong drafts behind each piece that are then rolled back; the drafts after each. */
function draftsByPieces(
  model: MtpModel,
  tokens: number[],
  sizes: readonly number[],
  kernels: Kernels,
): number[][] {
  const capacity = model.shape.context;
  using cache: KvCache = unscoped(() => model.newCache());
  using drafter = unscoped(() => model.newDrafter(capacity));
  let at = 0;
  return sizes.map((size) => {
    using _scope = new Scope();
    const ids = tokens.slice(at, at += size);
    const wrong = someIds(`wrong/${at}`, Math.min(3, capacity - at), model.shape.vocab);
    const { trunk, first } = model.extendRows(Tensor.ids([...ids, ...wrong]), cache, kernels);
    cache.truncate(at);
    const rows = { trunk: trunk.slice(0, 0, size), first: first.slice(0, 0, size) };
    return drafter.draft(ids, rows, tokens[at]!, K, kernels);
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
        fc.assert(
          fc.property(pieces(context), (sizes) => {
            let at = 0;
            draftsByPieces(model, tokens, sizes, kernels).forEach((drafts, i) => {
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
    const tokens = someIds("fewer", 7, model.shape.vocab);
    using cache = model.newCache();
    using drafter = model.newDrafter(6);
    [3, 3, 2].forEach((depth, t) => {
      using _scope = new Scope();
      const rows = model.extendRows(Tensor.ids([tokens[t]!]), cache, "rows");
      const drafts = drafter.draft([tokens[t]!], rows, tokens[t + 1]!, depth, "rows");
      const expected = draftsByWholePass(model, tokens.slice(0, t + 1), tokens[t + 1]!).slice(0, depth - 1);
      assert.deepEqual(drafts, expected, kind);
    });
  }
});

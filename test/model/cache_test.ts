/**
 * Proves decoding through the cache: whatever the pieces in which a sequence goes in, the logits are those of the whole
 * forward pass; by the row kernels they are the same bits for all pieces; and forgotten drafts leave no trace.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type KvCache, MtpModel } from "../../src/model/mod.ts";
import { type Kernels, noGrad, Scope, Tensor, unscoped } from "../../src/torch/mod.ts";
import { assertClose, assertSameBits, withThreads } from "../torch/compare.ts";
import { type Changes, someIds, tinyModel, tinyOptions, withOneThread } from "./tiny.ts";

const KERNELS: readonly Kernels[] = ["rows", "aten"];
/** Logits are of size 1 to 5 and sums of at most 20 products, each rounded by 6e-8; measured: below 1e-6. */
const TOLERANCE = 5e-6;

const idsFor = (model: MtpModel, count = model.shape.context) => someIds("cache", count, model.shape.vocab);

/** Puts ids behind those in the cache, in pieces of the given sizes; the logits of all heads, in the caller's scope. */
function extendBy(
  model: MtpModel,
  cache: KvCache,
  ids: number[],
  sizes: readonly number[],
  kernels: Kernels,
) {
  let at = 0;
  const rows = sizes.flatMap((size) => {
    const z_RD = model.extend(Tensor.ids(ids.slice(at, at += size)), cache, kernels);
    return Array.from({ length: size }, (_, row) => z_RD.slice(0, row, row + 1));
  });
  assert.equal(at, ids.length);
  return rows.map((z_1D) =>
    Array.from({ length: model.headCount }, (_, i) => model.logits(i + 1, z_1D, kernels))
  );
}

/** Logits of all heads at each position, by one forward pass over the whole sequence. */
function wholeForward(model: MtpModel, ids: number[]): Tensor[][] {
  const z_TD = noGrad(() => model.trunk(Tensor.ids(ids, [1, ids.length])).reshape(-1, model.shape.width));
  return ids.map((_, t) =>
    Array.from({ length: model.headCount }, (_, i) => model.logits(i + 1, z_TD.slice(0, t, t + 1), "aten"))
  );
}

/** Ways to cut `total` into pieces. */
const cuts = (total: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 1, max: total }), { maxLength: total }).map((sizes) => {
    const cut: number[] = [];
    for (let left = total; left > 0; left -= cut.at(-1)!) cut.push(Math.min(sizes[cut.length] ?? left, left));
    return cut;
  });

const SHAPES: readonly [string, Changes][] = [
  ["grouped queries", {}],
  ["one key head, tied", { kv_heads: 1, tied: true }],
  ["as many key heads as query heads, odd sizes", {
    width: 12,
    attention_heads: 2,
    kv_heads: 2,
    ffn: 7,
    vocab: 5,
  }],
];

for (const [what, changes] of SHAPES) {
  withOneThread(`logits through the cache are those of the whole forward pass, with ${what}`, () => {
    using model = tinyModel(changes);
    using _scope = new Scope();
    const ids = idsFor(model);
    const expected = wholeForward(model, ids);
    for (const kernels of KERNELS) {
      fc.assert(
        fc.property(cuts(ids.length), (sizes) => {
          const actual = withCache(model, (cache) => extendBy(model, cache, ids, sizes, kernels));
          actual.forEach((heads, t) =>
            heads.forEach((logits, i) =>
              assertClose(logits, expected[t]![i]!, TOLERANCE, `${kernels}, position ${t}, head ${i + 1}`)
            )
          );
        }),
        { numRuns: 15, examples: [[[12]], [Array.from({ length: 12 }, () => 1)], [[1, 11]], [[11, 1]]] },
      );
    }
  });

  withOneThread(
    `by the row kernels logits have the same bits however the sequence is cut, with ${what}`,
    () => {
      using model = tinyModel(changes);
      using _scope = new Scope();
      const ids = idsFor(model);
      const oneByOne = ids.map(() => 1);
      const expected = withCache(model, (cache) => extendBy(model, cache, ids, oneByOne, "rows"));
      fc.assert(
        fc.property(cuts(ids.length), (sizes) => {
          const actual = withCache(model, (cache) => extendBy(model, cache, ids, sizes, "rows"));
          actual.forEach((heads, t) =>
            heads.forEach((logits, i) =>
              assertSameBits(logits, expected[t]![i]!, `position ${t}, head ${i + 1}`)
            )
          );
        }),
        { numRuns: 25 },
      );
    },
  );
}

/** Runs `body` with an empty cache, made outside the scope around it. */
function withCache<T>(model: MtpModel, body: (cache: KvCache) => T, capacity?: number): T {
  using cache = unscoped(() => model.newCache(capacity));
  return body(cache);
}

withOneThread(
  "by the row kernels logits have the same bits with one thread and with two, also where they share work",
  () => {
    using model = new MtpModel(
      tinyOptions({ width: 256, attention_heads: 4, kv_heads: 4, ffn: 1200, layers: 1, vocab: 5000, K: 2 }),
      1,
      "cpu",
    );
    using _scope = new Scope();
    const ids = idsFor(model, 8);
    const run = (threads: number, sizes: number[]) =>
      withThreads(threads, () => withCache(model, (cache) => extendBy(model, cache, ids, sizes, "rows")));
    const expected = run(1, [8]);
    for (const [threads, sizes] of [[2, [8]], [2, [5, 3]], [1, [1, 7]]] as const) {
      run(threads, [...sizes]).forEach((heads, t) =>
        heads.forEach((logits, i) => assertSameBits(logits, expected[t]![i]!, `position ${t}, head ${i + 1}`))
      );
    }
  },
);

withOneThread(
  "to forget drafts and to go on is as if they had never been: the same bits by the row kernels",
  () => {
    using model = tinyModel();
    using _scope = new Scope();
    const { context, vocab } = model.shape;
    const ids = idsFor(model);
    const expected = withCache(model, (cache) => extendBy(model, cache, ids, [context], "rows"));
    const split = fc.tuple(fc.integer({ min: 1, max: context - 1 }), fc.nat({ max: context }), fc.nat());
    fc.assert(
      fc.property(split, ([kept, drafts, seed]) => {
        const draft = someIds(`draft ${seed}`, Math.min(drafts, context - kept), vocab);
        const actual = withCache(model, (cache) => {
          const before = extendBy(model, cache, ids.slice(0, kept), [kept], "rows");
          if (draft.length > 0) model.extend(Tensor.ids(draft), cache, "rows");
          assert.equal(cache.length, kept + draft.length);
          cache.truncate(kept);
          assert.equal(cache.room, context - kept);
          return [...before, ...extendBy(model, cache, ids.slice(kept), [context - kept], "rows")];
        });
        actual.forEach((heads, t) => assertSameBits(heads[0]!, expected[t]![0]!, `position ${t}`));
      }),
      { numRuns: 25 },
    );
  },
);

withOneThread("a full cache is an error, which leaves it as it was", () => {
  using model = tinyModel();
  using _scope = new Scope();
  const ids = idsFor(model);
  for (const kernels of KERNELS) {
    for (const capacity of [7, model.shape.context]) {
      withCache(model, (cache) => {
        const [full, next] = [ids.slice(0, capacity), ids.slice(capacity - 1, capacity)];
        const expected = extendBy(model, cache, full, [capacity], kernels);
        assert.equal(cache.room, 0);
        assert.throws(() => model.extend(Tensor.ids([1]), cache, kernels), { name: "TorchError" });
        assert.equal(cache.length, capacity);
        cache.truncate(capacity - 1);
        assert.throws(() => model.extend(Tensor.ids([1, 2]), cache, kernels), { name: "TorchError" });
        const [again] = extendBy(model, cache, next, [1], kernels);
        assertClose(again![0]!, expected.at(-1)![0]!, TOLERANCE);
      }, capacity);
    }
  }
});

withOneThread(
  "a cache of more positions than the context, of positions it has not, or inside a scope is refused",
  () => {
    using model = tinyModel();
    assert.throws(() => model.newCache(13), {
      name: "RangeError",
      message: "13 positions do not fit a context of 12",
    });
    using cache = model.newCache(4);
    assert.throws(() => cache.truncate(1), { name: "RangeError", message: "Cannot keep 1 of 0 positions" });
    using _scope = new Scope();
    assert.throws(() => model.newCache(4), /A cache would go with the scope around it/);
  },
);

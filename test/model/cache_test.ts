/**
 * Proves decoding through the cache: whatever the pieces in which a sequence goes in, the logits are those of the whole
 * forward pass; by the row kernels they are the same bits for all pieces; and forgotten drafts leave no trace.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Decoder, type KvCache, MtpModel } from "../../src/model/mod.ts";
import { type Kernels, linear, noGrad, Places, Scope, Tensor } from "../../src/torch/mod.ts";
import { assertClose, assertSameBits, withThreads } from "../torch/compare.ts";
import { logitsByRow, withCache } from "./decoding.ts";
import { type Changes, someIds, tinyModel, tinyOptions, withOneThread } from "./tiny.ts";

const KERNELS: readonly Kernels[] = ["rows", "aten"];
/** Logits are of size 1 to 5 and sums of at most 20 products, each rounded by 6e-8; measured: below 1e-6. */
const TOLERANCE = 5e-6;

const idsFor = (model: MtpModel, count = model.shape.context) => someIds("cache", count, model.shape.vocab);

/** Puts ids behind those in the cache, in pieces of the given sizes; the logits of all heads, in the caller's scope. */
function extendBy(decoder: Decoder, cache: KvCache, ids: number[], sizes: readonly number[]) {
  let at = 0;
  const rows = sizes.flatMap((size) =>
    logitsByRow(decoder, decoder.extend(ids.slice(at, at += size), cache))
  );
  assert.equal(at, ids.length);
  return rows;
}

/** Logits of all heads at each position, by one forward pass over the whole sequence. */
function wholeForward(model: MtpModel, ids: number[]): Tensor[][] {
  return noGrad(() => {
    const z_TD = model.trunk(Tensor.ids(ids, [1, ids.length])).reshape(-1, model.shape.width);
    const { tied } = model.shape;
    const weights = Array.from(
      { length: model.headCount },
      (_, i) => model.parameters.get(tied && i === 0 ? "embedding" : `heads.${i + 1}`),
    );
    return ids.map((_, t) => weights.map((weight) => linear(z_TD.slice(0, t, t + 1), weight)));
  });
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
      using decoder = model.decoder(kernels);
      fc.assert(
        fc.property(cuts(ids.length), (sizes) => {
          const actual = withCache(decoder, (cache) => extendBy(decoder, cache, ids, sizes));
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
      using decoder = model.decoder("rows");
      const expected = withCache(decoder, (cache) => extendBy(decoder, cache, ids, oneByOne));
      fc.assert(
        fc.property(cuts(ids.length), (sizes) => {
          const actual = withCache(decoder, (cache) => extendBy(decoder, cache, ids, sizes));
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
    using decoder = model.decoder("rows");
    const run = (threads: number, sizes: number[]) =>
      withThreads(threads, () => withCache(decoder, (cache) => extendBy(decoder, cache, ids, sizes)));
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
    using decoder = model.decoder("rows");
    const expected = withCache(decoder, (cache) => extendBy(decoder, cache, ids, [context]));
    const split = fc.tuple(fc.integer({ min: 1, max: context - 1 }), fc.nat({ max: context }), fc.nat());
    fc.assert(
      fc.property(split, ([kept, drafts, seed]) => {
        const draft = someIds(`draft ${seed}`, Math.min(drafts, context - kept), vocab);
        const actual = withCache(decoder, (cache) => {
          const before = extendBy(decoder, cache, ids.slice(0, kept), [kept]);
          if (draft.length > 0) decoder.extend(draft, cache);
          assert.equal(cache.length(), kept + draft.length);
          cache.truncate(0, kept);
          return [...before, ...extendBy(decoder, cache, ids.slice(kept), [context - kept])];
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
    using decoder = model.decoder(kernels);
    for (const capacity of [7, model.shape.context]) {
      withCache(decoder, (cache) => {
        const [full, next] = [ids.slice(0, capacity), ids.slice(capacity - 1, capacity)];
        const expected = extendBy(decoder, cache, full, [capacity]);
        assert.throws(() => decoder.extend([1], cache), {
          name: "TorchError",
          message: /cannot stand at slot/,
        });
        assert.equal(cache.length(), capacity);
        cache.truncate(0, capacity - 1);
        assert.throws(() => decoder.extend([1, 2], cache), { name: "TorchError" });
        const [again] = extendBy(decoder, cache, next, [1]);
        assertClose(again![0]!, expected.at(-1)![0]!, TOLERANCE);
      }, capacity);
    }
  }
});

withOneThread("a cache refuses to keep positions that it has not", () => {
  using model = tinyModel();
  using decoder = model.decoder("rows");
  using cache = decoder.newCache();
  assert.throws(() => cache.truncate(0, 1), { name: "RangeError", message: "Cannot keep 1 of 0 positions" });
});

withOneThread(
  "sequences of unequal lengths in one step get what each gets alone: the same bits by the row kernels",
  () => {
    using model = tinyModel();
    using _scope = new Scope();
    const { context, vocab } = model.shape;
    const texts = [0, 1, 2].map((s) => someIds(`batch ${s}`, context, vocab));
    /** How many rows each sequence brings to each step. */
    const steps = fc.array(fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)), { minLength: 1, maxLength: 6 });
    for (const kernels of KERNELS) {
      using decoder = model.decoder(kernels);
      const alone = texts.map((ids) =>
        withCache(decoder, (cache) => extendBy(decoder, cache, ids, [context]))
      );
      fc.assert(
        fc.property(steps, (steps) => {
          using cache = decoder.newCache(3);
          for (const wanted of steps) {
            const counts = wanted.map((count, s) => Math.min(count, context - cache.length(s)));
            if (counts.every((count) => count === 0)) continue;
            const starts = counts.map((_, s) => cache.length(s));
            const ids = counts.flatMap((count, s) => texts[s]!.slice(starts[s]!, starts[s]! + count));
            const logits = logitsByRow(decoder, decoder.step(ids, cache.next(counts), cache));
            let row = 0;
            counts.forEach((count, s) => {
              for (let i = 0; i < count; i++, row++) {
                const expected = alone[s]![starts[s]! + i]!;
                logits[row]!.forEach((actual, head) => {
                  const what = `sequence ${s}, position ${starts[s]! + i}, head ${head + 1}`;
                  if (kernels === "rows") assertSameBits(actual, expected[head]!, what);
                  else assertClose(actual, expected[head]!, TOLERANCE, what);
                });
              }
              cache.advance(s, count);
            });
          }
        }),
        { numRuns: 25, examples: [[[[3, 1, 2], [0, 2, 0], [1, 1, 1]]]] },
      );
    }
  },
);

withOneThread(
  "a row in a tree of drafts sees its own branch and no other: what that branch gets as a chain",
  () => {
    using model = tinyModel();
    using _scope = new Scope();
    const { vocab } = model.shape;
    const prompt = idsFor(model, 5);
    const tokens = someIds("tree", 6, vocab);
    const parents = [-1, -1, 0, 0, 1, 2]; // two children of the prompt, two of the first, and so on
    const pathTo = (node: number): number[] => node === -1 ? [] : [...pathTo(parents[node]!), node];
    for (const kernels of KERNELS) {
      using decoder = model.decoder(kernels);
      using cache = decoder.newCache(2, 16);
      decoder.extend(prompt, cache, 1);
      const places = new Places(tokens.length);
      tokens.forEach((_, node) => {
        const path = pathTo(node);
        const branch = path.reduce((bits, at) => bits | 1 << at, 0);
        places.addBranch(1, prompt.length + node, prompt.length + path.length - 1, prompt.length, branch);
      });
      const inTree = logitsByRow(decoder, decoder.step(tokens, places, cache));
      tokens.forEach((_, node) => {
        const chain = pathTo(node).map((at) => tokens[at]!);
        const expected = withCache(
          decoder,
          (cache) => extendBy(decoder, cache, [...prompt, ...chain], [5, chain.length]),
        );
        const [actual, wanted] = [inTree[node]![0]!, expected.at(-1)![0]!];
        if (kernels === "rows") {
          assertSameBits(actual, wanted, `node ${node}`);
        } else assertClose(actual, wanted, TOLERANCE, `node ${node}`);
      });
      // An accepted branch, moved into one piece, goes on as if it had been a chain.
      cache.advance(1, tokens.length);
      const path = pathTo(5); // 0, 2, 5
      path.forEach((node, i) => {
        if (node !== i) cache.move(1, prompt.length + node, prompt.length + i);
      });
      cache.truncate(1, prompt.length + path.length);
      const behind = logitsByRow(decoder, decoder.extend([3], cache, 1)).at(-1)![0]!;
      const chain = [...prompt, ...path.map((node) => tokens[node]!), 3];
      const expected = withCache(decoder, (cache) => extendBy(decoder, cache, chain, [chain.length])).at(
        -1,
      )![0]!;
      if (kernels === "rows") assertSameBits(behind, expected);
      else assertClose(behind, expected, TOLERANCE);
    }
  },
);

withOneThread("the same places in caches of other numbers of sequences are other places", () => {
  using model = tinyModel();
  using _scope = new Scope();
  const ids = idsFor(model, 3);
  for (const kernels of KERNELS) {
    using decoder = model.decoder(kernels);
    using alone = decoder.newCache(1, 8);
    using beside = decoder.newCache(2, 8);
    const expected = decoder.logits(decoder.extend(ids, alone).first);
    assertClose(decoder.logits(decoder.extend(ids, beside).first), expected, TOLERANCE, kernels);
  }
});

withOneThread("a slot outside the cache is not moved", () => {
  using model = tinyModel();
  for (const kernels of KERNELS) {
    using decoder = model.decoder(kernels);
    using cache = decoder.newCache(2, 8);
    for (const [sequence, from, to] of [[2, 0, 1], [-1, 0, 1], [0, 8, 1], [0, 1, 8], [0, -1, 1]] as const) {
      assert.throws(() => cache.move(sequence, from, to), /cannot move slot/);
    }
  }
});

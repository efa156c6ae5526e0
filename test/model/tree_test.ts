/** Proves that a tree of tokens is scored as each of its sequences alone, by heads of every kind, and by both kernels. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { compareSequences, HEAD_KINDS, MtpModel, TreeBuilder } from "../../src/model/mod.ts";
import { liveTensors, Scope, selfAttention, Tensor, treeAttention } from "../../src/torch/mod.ts";
import { assertClose, normal } from "../torch/compare.ts";
import { withFfi } from "../support.ts";
import { someIds, tinyOptions, withNoise, withOneThread } from "./tiny.ts";

const sequences = fc.array(
  fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 7 }).map((rest) => [0, ...rest]),
  { minLength: 1, maxLength: 12 },
);

/** The tokens on the way from the root to an input. */
function pathTo({ ids, depths }: TreeBuilder, input: number): number[] {
  const path: number[] = [];
  for (let i = input, wanted = depths[input]!; wanted >= 0; i--) {
    if (depths[i] !== wanted) continue;
    path.unshift(ids[i]!);
    wanted--;
  }
  return path;
}

Deno.test("TreeBuilder has every sequence as a path, no input twice, and the targets that were asked for", () => {
  fc.assert(fc.property(sequences, fc.integer({ min: 1, max: 7 }), (given, most) => {
    const tree = new TreeBuilder();
    const sorted = given.toSorted(compareSequences);
    const wanted = sorted.map((sequence) => {
      const before = tree.ids.length;
      const cost = tree.cost(sequence);
      const targets = tree.add(sequence, Math.min(most, sequence.length - 1));
      assert.equal(tree.ids.length - before, cost);
      return targets;
    });
    sorted.forEach((sequence, s) => {
      const targets = [...wanted[s]!];
      assert.deepEqual(targets.map((i) => tree.targets[i]), sequence.slice(sequence.length - targets.length));
      targets.forEach((target, i) => {
        const before = sequence.slice(0, sequence.length - targets.length + i);
        assert.deepEqual(pathTo(tree, tree.rows[target]!), before);
      });
    });
    const prefixes = new Set(sorted.flatMap((s) => s.slice(1).map((_, i) => s.slice(0, i + 1).join())));
    assert.equal(tree.ids.length, prefixes.size);
    assert.equal(new Set(tree.rows.map((row, i) => `${row} ${tree.targets[i]}`)).size, tree.rows.length);
  }));
});

const DEPTHS = [0, 1, 2, 2, 3, 1, 2, 3, 4, 0, 1];
/** The inputs on the paths from a root to each leaf of the tree above. */
const PATHS = [[0, 1, 2], [0, 1, 3, 4], [0, 5, 6, 7, 8], [9, 10]];

for (const dtype of ["float32", "float64"] as const) {
  withFfi(
    `treeAttention() gives each token of a tree what it has in a sequence of its own, in ${dtype}`,
    () => {
      using _scope = new Scope();
      const [H, G, W] = [4, 2, 6];
      const x = normal([DEPTHS.length, H + 2 * G, W], 1, dtype);
      const [cos, sin] = [normal([8, W / 2], 2, dtype), normal([8, W / 2], 3, dtype)];
      const mixed = treeAttention(x, cos, sin, H, Tensor.ids(DEPTHS));
      for (const path of PATHS) {
        const rows = (t: Tensor) =>
          Tensor.from(
            Float64Array.from(path.flatMap((i) => t.slice(0, i, i + 1).toArray())),
            [1, path.length, ...t.shape.slice(1)],
          ).to(dtype, "cpu");
        assertClose(rows(mixed), selfAttention(rows(x), cos, sin, H), 1e-6, `path ${path}`);
      }
    },
  );
}

withFfi("treeAttention() goes on from one stretch of tokens to the next", () => {
  using _scope = new Scope();
  const [H, G, W, T] = [2, 1, 4, 700]; // the kernel's stretches have 256 tokens
  const x = normal([T, H + 2 * G, W], 1);
  const [cos, sin] = [normal([T, W / 2], 2), normal([T, W / 2], 3)];
  const chain = treeAttention(x, cos, sin, H, Tensor.ids(Array.from({ length: T }, (_, i) => i)));
  assertClose(chain, selfAttention(x.reshape(1, T, H + 2 * G, W), cos, sin, H).reshape(T, H * W), 1e-5);
});

withFfi("treeAttention() refuses depths that make no tree, and more levels than there are positions", () => {
  using _scope = new Scope();
  const x = normal([3, 3, 4], 1), table = normal([2, 2], 1);
  const attend = (depths: number[]) => () => treeAttention(x, table, table, 1, Tensor.ids(depths));
  assert.throws(attend([1, 0, 0]), /token 0 of depth 1 has no parent/);
  assert.throws(attend([0, 2, 0]), /token 1 of depth 2 has no parent/);
  assert.throws(attend([0, 1]), /expected a depth for each of 3 tokens/);
  assert.throws(attend([0, 1, 2]), /cannot rotate/);
});

for (const kind of HEAD_KINDS) {
  withOneThread(`scoreTree() of ${kind} heads gives what score() gives head 1 on each sequence alone`, () => {
    using model = withNoise(
      new MtpModel({ ...tinyOptions(), layers: 4, heads: { kind, count: 3 } } as never, 1, "cpu"),
    );
    const { vocab } = model.shape;
    const given = Array.from({ length: 9 }, (_, i) => {
      const common = someIds("common", i % 4, vocab), own = someIds(`own/${i}`, 1 + i % 5, vocab);
      return [0, ...common, ...own];
    }).toSorted(compareSequences);
    using _scope = new Scope();
    const tree = new TreeBuilder();
    const wanted = given.map((sequence) => tree.add(sequence, sequence.length - 1));
    const found = model.scoreTree(tree);
    const [nll, best] = [found.nll.toArray(), found.best.toArray()];
    given.forEach((sequence, s) => {
      const T = sequence.length - 1;
      const targets = [
        sequence.slice(1),
        ...Array.from({ length: 2 }, () => sequence.slice(1).map(() => -1)),
      ];
      const [alone] = model.score({
        inputs: Tensor.ids(sequence.slice(0, -1), [1, T]),
        targets: Tensor.ids(targets.flat(), [3, 1, T]),
      });
      const [nlls, bests] = [alone!.nll.toArray(), alone!.best.toArray()];
      wanted[s]!.forEach((target, t) => {
        assert.ok(Math.abs(nll[target]! - nlls[t]!) < 1e-4, `${nll[target]}, alone ${nlls[t]}`);
        assert.equal(best[target], bests[t]);
      });
    });
  });
}

withOneThread("scoreTree() leaves no tensor behind but its two results", () => {
  using model = new MtpModel(tinyOptions(), 1, "cpu");
  const tree = new TreeBuilder();
  tree.add([0, 1, 2], 2);
  const before = liveTensors();
  {
    using _scope = new Scope();
    model.scoreTree(tree);
    assert.equal(liveTensors(), before + 2);
  }
  assert.equal(liveTensors(), before);
});

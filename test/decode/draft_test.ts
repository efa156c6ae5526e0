/** Proves the trees of drafts: the likeliest paths of all, parents first; and what pruning leaves. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Candidate,
  chain,
  childrenOf,
  type Draft,
  isChain,
  likeliestTree,
  pathTo,
  prune,
} from "../../src/decode/draft.ts";

const probabilities = fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 1, maxLength: 3 })
  .map((list) => list.sort((a, b) => b - a));
const heads = fc.array(probabilities, { minLength: 1, maxLength: 3 }).map((heads) =>
  heads.map((list, h) => list.map((probability, rank): Candidate => ({ token: 10 * h + rank, probability })))
);

/** All paths of one or more candidates, with their products. */
function allPaths(heads: readonly (readonly Candidate[])[]): { tokens: number[]; product: number }[] {
  const [first, ...rest] = heads;
  if (first === undefined) return [];
  return first.flatMap(({ token, probability }) => [
    { tokens: [token], product: probability },
    ...allPaths(rest).map(({ tokens, product }) => ({
      tokens: [token, ...tokens],
      product: probability * product,
    })),
  ]);
}

const tokensOf = (draft: Draft, node: number) => pathTo(draft, node).map((at) => draft.tokens[at]!);

Deno.test("likeliestTree() holds the likeliest paths of all, each behind its parent", () => {
  fc.assert(
    fc.property(heads, fc.integer({ min: 1, max: 40 }), (heads, nodes) => {
      const tree = likeliestTree(heads, nodes);
      const all = allPaths(heads).sort((a, b) => b.product - a.product);
      assert.equal(tree.tokens.length, Math.min(nodes, all.length));
      const productOf = (tokens: number[]) =>
        all.find((path) => String(path.tokens) === String(tokens))!.product;
      const products = tree.tokens.map((_, node) => productOf(tokensOf(tree, node)));
      products.forEach((product, i) => assert.ok(Math.abs(product - all[i]!.product) < 1e-12));
      tree.parents.forEach((parent, node) => assert.ok(parent < node));
      assert.equal(
        new Set(tree.tokens.map((_, node) => String(tokensOf(tree, node)))).size,
        tree.tokens.length,
      );
    }),
  );
});

Deno.test("likeliestTree() of one candidate a head is a chain", () => {
  const one = [5, 6, 7].map((token) => [{ token, probability: 0.5 }]);
  const { tokens, parents } = likeliestTree(one, 9);
  assert.deepEqual({ tokens, parents }, { tokens: [5, 6, 7], parents: [-1, 0, 1] });
  assert.ok(isChain(likeliestTree(one, 9)));
});

Deno.test("prune() cuts paths behind a stop and below a depth, and renames what is left", () => {
  //      1 -- 3 -- 5
  // root      4
  //      2 -- 6
  const draft: Draft = { tokens: [1, 2, 3, 4, 5, 6], parents: [-1, -1, 0, 0, 2, 1], drawnFrom: null };
  const left = (depth: number, ...stop: number[]) => {
    const pruned = prune(draft, depth, new Set(stop));
    return pruned.tokens.map((_, node) => tokensOf(pruned, node).join(""));
  };
  assert.deepEqual(left(3), ["1", "2", "13", "14", "135", "26"]);
  assert.deepEqual(left(2), ["1", "2", "13", "14", "26"]);
  assert.deepEqual(left(0), []);
  assert.deepEqual(left(3, 1), ["1", "2", "26"]);
  assert.deepEqual(left(3, 3), ["1", "2", "13", "14", "26"]);
  assert.equal(prune(draft, 3, new Set()), draft);
  assert.deepEqual(prune(chain([7, 8, 9]), 2, new Set()).parents, [-1, 0]);
});

Deno.test("childrenOf() and isChain() tell a chain from a tree", () => {
  assert.deepEqual(childrenOf(chain([1, 2, 3]), -1), [0]);
  assert.deepEqual(childrenOf({ tokens: [1, 2, 3], parents: [-1, 0, -1], drawnFrom: null }, -1), [0, 2]);
  assert.ok(isChain(chain([])) && isChain(chain([1, 2])));
  assert.ok(!isChain({ tokens: [1, 2], parents: [-1, -1], drawnFrom: null }));
});

/** Proves which drafts stay, on distributions that are written out. */
import assert from "node:assert/strict";
import { Random } from "../../src/data/random.ts";
import { chain, type Draft } from "../../src/decode/draft.ts";
import { verifyGreedy, verifySampled, verifyTypical } from "../../src/decode/verify.ts";
import { Distributions, Scope, Tensor } from "../../src/torch/mod.ts";
import { withFfi } from "../support.ts";

const given = (...rows: readonly (readonly number[])[]): Distributions =>
  new Distributions(Tensor.from(Float32Array.from(rows.flat()), [rows.length, rows[0]!.length]));

/**     1 -- 3        sure token, then two drafts side by side, the first with one behind it
 *  <
 *      2             */
const TREE: Draft = { tokens: [1, 2, 3], parents: [-1, -1, 0], drawnFrom: null };

Deno.test("verifyGreedy() follows head 1 down the tree, and gives its choice behind the last right draft", () => {
  assert.deepEqual(verifyGreedy(TREE, [1, 3, 0, 9]), { path: [0, 2], next: 9 });
  assert.deepEqual(verifyGreedy(TREE, [1, 5, 0, 9]), { path: [0], next: 5 });
  assert.deepEqual(verifyGreedy(TREE, [2, 3, 7, 9]), { path: [1], next: 7 });
  assert.deepEqual(verifyGreedy(TREE, [4, 3, 7, 9]), { path: [], next: 4 });
  assert.deepEqual(verifyGreedy(chain([]), [6]), { path: [], next: 6 });
});

withFfi("verifySampled() keeps a draft that p likes as well as q, and none that p excludes", () => {
  using _scope = new Scope();
  const q = given([0.5, 0.5, 0], [0.5, 0.5, 0]);
  const draft = chain([0, 1], [{ distributions: q, row: 0 }, { distributions: q, row: 1 }]);
  const always = given([0.6, 0.4, 0], [0.2, 0.8, 0], [0, 0, 1]);
  const never = given([0.6, 0.4, 0], [0.5, 0, 0.5], [0, 0, 1]);
  for (let seed = 0; seed < 50; seed++) {
    assert.deepEqual(verifySampled(draft, always, new Random(seed)), { path: [0, 1], next: 2 });
    // max(0, p - q) leaves token 2 alone
    assert.deepEqual(verifySampled(draft, never, new Random(seed)), { path: [0], next: 2 });
  }
});

withFfi("verifyTypical() keeps what Medusa's rule keeps: p above the least of 0.09 and 0.3 e^-H", () => {
  using _scope = new Scope();
  const keeps = (p: readonly number[], token: number) =>
    verifyTypical(chain([token]), given(p, p), () => 0).path.length === 1;
  // Sure of itself: H = 0.49 nats, 0.3 e^-H = 0.18, so 0.09 binds.
  assert.ok(!keeps([0.86, 0.08, 0.06], 1));
  assert.ok(keeps([0.86, 0.1, 0.04], 1));
  // Unsure: H = ln 20 = 3.0 nats, 0.3 e^-H = 0.015 binds, and each of twenty is above it.
  const even = Array.from({ length: 20 }, () => 0.05);
  assert.ok(keeps(even, 7));
  const [rare, ...rest] = [0.01, ...Array.from({ length: 19 }, () => 0.99 / 19)];
  assert.ok(!keeps([rare!, ...rest], 0));
});

withFfi("verifyTypical() takes the longest typical path of a tree", () => {
  using _scope = new Scope();
  const sure = [0, 0.5, 0.5, 0];
  const p = given(sure, [0, 0, 0, 1], sure, sure);
  assert.deepEqual(verifyTypical(TREE, p, (node) => 10 + node), { path: [0, 2], next: 12 });
});

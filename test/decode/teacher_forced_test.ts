/** Proves teacher-forced acceptance: where drafts are scored, and that it counts what the engine would accept there. */
import assert from "node:assert/strict";
import { decode } from "../../src/decode/engine.ts";
import { GREEDY } from "../../src/decode/sampling.ts";
import { sequencesOf, teacherForced } from "../../src/decode/teacher_forced.ts";
import { HEAD_KINDS, type MtpModel } from "../../src/model/mod.ts";
import { someIds, tinyModel, withOneThread } from "../model/tiny.ts";

Deno.test("sequencesOf() scores from the prompt's last position on, and nothing behind the text's end", () => {
  const [a, b, c, d, e, f] = [1, 2, 3, 4, 5, 6];
  const passages = [{ prompt: [a, b, c], continuation: [d, e, f] }, { prompt: [f], continuation: [e, d] }];
  const { inputs, targets } = sequencesOf(passages, 3);
  assert.deepEqual(inputs, { shape: [2, 5], values: [a, b, c, d, e, f, e, d, 0, 0] }); // what pads a row has no target
  assert.deepEqual(targets.shape, [3, 2, 5]);
  const rows = Array.from({ length: 6 }, (_, row) => targets.values.slice(row * 5, (row + 1) * 5));
  assert.deepEqual(rows, [
    [-1, -1, d, e, f],
    [e, d, -1, -1, -1],
    [-1, -1, e, f, -1],
    [d, -1, -1, -1, -1],
    [-1, -1, f, -1, -1],
    [-1, -1, -1, -1, -1],
  ]);
});

const SETTINGS = {
  batch: 1,
  seed: 1,
  sampling: GREEDY,
  acceptance: "exact",
  tree: 1,
  treeNodes: 1,
} as const;

function plainText(model: MtpModel, prompt: number[], newTokens: number): number[] {
  using decoder = model.decoder("rows");
  const [output] = decode(decoder, [{ prompt, newTokens, stop: new Set() }], { ...SETTINGS, heads: 1 });
  return [...output!.tokens];
}

for (const kind of HEAD_KINDS) {
  withOneThread(
    `teacherForced() counts the drafts of ${kind} heads that the engine accepts at each place of its own text`,
    () => {
      using model = tinyModel({ layers: 4, heads: { kind, count: 2 } } as Parameters<typeof tinyModel>[0]);
      const prompts = [someIds("a", 3, 23), someIds("b", 5, 23)];
      const passages = prompts.map((prompt) => ({ prompt, continuation: plainText(model, prompt, 6) }));
      // One draft behind each place: the first new token is head 1's, the second is drafted, the third ends it.
      using decoder = model.decoder("rows");
      const counts = passages.flatMap(({ prompt, continuation }) =>
        continuation.slice(0, -1).map((_, t) => {
          const request = {
            prompt: [...prompt, ...continuation.slice(0, t)],
            newTokens: 3,
            stop: new Set<number>(),
          };
          const [output] = decode(decoder, [request], { ...SETTINGS, heads: 2 });
          assert.equal(output!.drafts[0]!.proposed, 1);
          return output!.drafts[0]!.accepted;
        })
      );
      const forced = teacherForced(model, passages, new Array(23).fill(1))!;
      assert.equal(forced.tokens, 12);
      assert.deepEqual(forced.acceptance.map(({ proposed, accepted }) => [proposed, accepted]), [
        [10, counts.reduce((sum, n) => sum + n, 0)],
      ]);
    },
  );
}

withOneThread("teacherForced() is null where no text goes on behind its prompt", () => {
  using model = tinyModel();
  assert.equal(teacherForced(model, [{ prompt: [1, 2], continuation: [] }], []), null);
});

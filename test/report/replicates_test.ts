/** Proves which arms are replicates of each other, what the sets are called, and what they are compared with. */

import assert from "node:assert/strict";
import type { Arm } from "../../src/report/collect.ts";
import { replicatesOf } from "../../src/report/replicates.ts";

/** An arm with these settings; `more` goes into its configuration. */
function arm(id: string, curriculum: string, seed: number, more: object = {}): Arm {
  const { run = "study", text = "books", heads = curriculum === "ntp" ? 1 : 4, ...config } = more as Partial<
    Arm
  >;
  return {
    id,
    run,
    text,
    curriculum,
    heads,
    config: {
      id,
      run: "train",
      needs: ["text"],
      model: { width: 8, heads: { kind: "linear", count: heads } },
      curriculum,
      train: { steps: 10 },
      seed,
      device: "cpu",
      threads: seed,
      ...config,
    },
    training: null,
    phases: [],
    steps: [],
    validations: [],
    warnings: [],
    evaluation: null,
    decoding: null,
  };
}

const sets = (...arms: Arm[]) =>
  replicatesOf({ arms }).map(({ label, arms, reference }) =>
    `${label}: ${arms.map(({ arm: { id } }) => id).join(" ")}${reference === null ? "" : ` < ${reference}`}`
  );

Deno.test("replicatesOf() joins arms that differ in their seed alone, by seed, under what their ids share", () => {
  const arms = ["forward-reverse", "ntp", "forward"].flatMap((name) =>
    [3, 1, 2].map((seed) => arm(`arm-${name}-s${seed}`, name, seed))
  );
  assert.deepEqual(sets(...arms), [
    "forward-reverse: arm-forward-reverse-s1 arm-forward-reverse-s2 arm-forward-reverse-s3 < ntp",
    "ntp: arm-ntp-s1 arm-ntp-s2 arm-ntp-s3",
    "forward: arm-forward-s1 arm-forward-s2 arm-forward-s3 < ntp",
  ]);
  const [first, second] = replicatesOf({ arms });
  assert.deepEqual(first!.arms.map(({ seed }) => seed), [1, 2, 3]);
  assert.deepEqual([first!.curriculum, first!.heads, first!.kind, first!.isReference], [
    "forward-reverse",
    4,
    "linear",
    false,
  ]);
  assert.equal(second!.isReference, true);
});

Deno.test("replicatesOf() keeps whole ids where nothing is shared, and what tells arms apart", () => {
  assert.deepEqual(sets(arm("ntp", "ntp", 1337), arm("forward", "forward", 1337)), [
    "ntp: ntp",
    "forward: forward < ntp",
  ]);
  const k = (heads: number, seed: number) =>
    arm(`arm-forward-k${heads}-s${seed}`, "forward", seed, { heads });
  assert.deepEqual(sets(k(2, 1), k(4, 1), k(2, 2)), [
    "forward-k2: arm-forward-k2-s1 arm-forward-k2-s2",
    "forward-k4: arm-forward-k4-s1",
  ]);
  assert.deepEqual(sets(arm("arm-s12-ntp", "ntp", 12), arm("arm-s1-ntp", "ntp", 1)), [
    "ntp: arm-s1-ntp arm-s12-ntp",
  ]);
  assert.deepEqual(
    sets(arm("mine-s2", "custom", 1)),
    ["mine-s2: mine-s2"],
    "a seed that is not its own is a name",
  );
});

Deno.test("replicatesOf() never gives two sets one label", () => {
  const other = { train: { steps: 20 } };
  const arms = [
    arm("f-s1", "forward", 1),
    arm("f-s2", "forward", 2, other),
    arm("f-s3", "forward", 3, other),
  ];
  assert.deepEqual(sets(...arms), ["f (f-s1): f-s1", "f (f-s2, f-s3): f-s2 f-s3"]);
});

Deno.test("replicatesOf() does not take a repeated run for a replicate, but one with other seeds", () => {
  const [a, b] = [{ run: "a" }, { run: "b" }];
  assert.deepEqual(
    sets(arm("a/f-s1", "forward", 1, a), arm("a/f-s2", "forward", 2, a), arm("b/f-s1", "forward", 1, b)),
    [
      "a/f: a/f-s1 a/f-s2",
      "b/f: b/f-s1",
    ],
  );
  assert.deepEqual(sets(arm("f-s1", "forward", 1, a), arm("f-s2", "forward", 2, b)), ["f: f-s1 f-s2"]);
  assert.deepEqual(sets(arm("x", "forward", 1), arm("y", "forward", 1)), ["x: x", "y: y"]);
});

Deno.test("replicatesOf() compares with next-token arms on the same text, and with the most alike of them", () => {
  const wide = { model: { width: 16, heads: { kind: "linear", count: 4 } } };
  const arms = [
    arm("ntp", "ntp", 1),
    arm("wide-ntp", "ntp", 1, { model: { width: 16, heads: { kind: "linear", count: 1 } } }),
    arm("forward", "forward", 1),
    arm("wide-forward", "forward", 1, wide),
    arm("foreign", "forward", 1, { text: "code" }),
  ];
  assert.deepEqual(sets(...arms), [
    "ntp: ntp",
    "wide-ntp: wide-ntp",
    "forward: forward < ntp",
    "wide-forward: wide-forward < wide-ntp",
    "foreign: foreign",
  ]);
});

Deno.test("replicatesOf() knows arms that were only measured by their names", () => {
  const bare = (id: string) => ({ ...arm(id, "forward", 1), config: null });
  assert.deepEqual(sets(bare("forward-s1"), bare("forward-s2"), bare("other")), [
    "forward: forward-s1 forward-s2",
    "other: other",
  ]);
});

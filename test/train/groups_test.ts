/** Proves how each parameter is trained: by name and shape, for every kind of heads. */
import assert from "node:assert/strict";
import { type ModelOptions, MtpModel } from "../../src/model/mod.ts";
import { groupsOf, partsOf } from "../../src/train/groups.ts";
import { tinyOptions, withOneThread } from "../model/tiny.ts";

const KINDS = ["linear", "transformer", "residual", "sequential"] as const;

function withModel<T>(kind: ModelOptions["heads"]["kind"], body: (model: MtpModel) => T): T {
  using model = new MtpModel({ ...tinyOptions(), layers: 4, heads: { kind, count: 3 } }, 1, "cpu");
  return body(model);
}

Deno.test("partsOf() says to what a parameter belongs", () => {
  const parts = (name: string, tied = false) => partsOf(name, tied).join(" ");
  assert.deepEqual(
    ["embedding", "blocks.0.qkv", "norm", "heads.1", "heads.12", "heads.2.qkv", "unembedding"].map((name) =>
      parts(name)
    ),
    ["embedding", "trunk", "trunk", "head1", "head12", "head2", "trunk head1"],
  );
  assert.equal(parts("embedding", true), "embedding head1");
});

for (const kind of KINDS) {
  withOneThread(
    `groupsOf() takes every parameter of ${kind} heads once; Muon only maps between layers`,
    () => {
      withModel(kind, ({ parameters, shape }) => {
        const groups = groupsOf(parameters, "muon", { heads: 1, embedding: 1 });
        const names = groups.flatMap((group) => group.names);
        assert.deepEqual(names.toSorted(), parameters.entries().map(([name]) => name).toSorted());
        for (const { method, decays, names } of groups) {
          for (const name of names) {
            const [rows, columns] = parameters.get(name).shape;
            assert.equal(decays, columns !== undefined, name);
            assert.equal(method === "muon", columns !== undefined && rows !== shape.vocab, name); // no other size is 23
          }
        }
      });
    },
  );
}

withOneThread("a parameter that several matrices share says how many rows each has", () => {
  withModel("transformer", ({ parameters, shape }) => {
    const { width, headWidth, kv_heads, ffn } = shape;
    for (const prefix of ["blocks.0", "heads.2"]) {
      assert.deepEqual(parameters.partsOf(`${prefix}.qkv`), [
        width,
        kv_heads * headWidth,
        kv_heads * headWidth,
      ]);
      assert.deepEqual(parameters.partsOf(`${prefix}.gate_up`), [ffn, ffn]);
      assert.deepEqual(parameters.partsOf(`${prefix}.down`), [width]);
    }
  });
});

withOneThread("heads and the embedding have rates of their own, a tied matrix that of the embedding", () => {
  const scaleOf = (model: MtpModel, name: string) =>
    groupsOf(model.parameters, "adamw", { heads: 2, embedding: 3 }).find(({ names }) => names.includes(name))!
      .scale;
  withModel("linear", (model) => {
    assert.deepEqual(
      ["heads.1", "heads.3", "embedding", "blocks.0.qkv", "norm"].map((n) => scaleOf(model, n)),
      [
        ...[2, 2, 3, 1, 1],
      ],
    );
  });
  withModel("transformer", (model) => {
    assert.deepEqual(["heads.1.qkv", "unembedding"].map((n) => scaleOf(model, n)), [2, 2]);
  });
});

/** Proves what a pipeline file may say of a model: presets, kinds of heads, and which sizes cannot be. */
import assert from "node:assert/strict";
import { parsePipeline } from "../../src/config/load.ts";
import type { TrainConfig } from "../../src/config/schema.ts";
import { MAX_HEADS } from "../../src/model/shape.ts";

/** The model of a train stage, given as YAML. */
function modelOf(yaml: string): TrainConfig["model"] {
  const text = `name: m
stages:
  - { id: text, run: prepare, input: stories }
  - { id: arm, run: train, needs: [text], model: ${yaml}, train: { steps: 2 } }
`;
  return (parsePipeline(text, "f.yaml", "/").stages[1] as TrainConfig).model;
}

/** What is said about a model, less the place in the file. */
function refusalOf(yaml: string): string {
  try {
    modelOf(yaml);
  } catch (error) {
    return (error as Error).message.replace(/^f.yaml:\d+:\d+: stages\[1\]\.model\.?/, "");
  }
  throw new Error(`${yaml} was accepted`);
}

Deno.test("a preset gives the sizes that are not given beside it", () => {
  const { width, layers, attention_heads, kv_heads, ffn, context, heads } = modelOf(
    "{ preset: 10m, context: 256 }",
  );
  assert.deepEqual([width, layers, attention_heads, kv_heads, ffn, context], [384, 6, 8, 8, 1024, 256]);
  assert.deepEqual(heads, { kind: "linear", count: 1 });
  assert.equal(modelOf("{ preset: 10m, context: 256, layers: 3 }").layers, 3);
  const wide = modelOf("{ preset: 3b-wide, context: 2048 }");
  assert.deepEqual([wide.kv_heads, wide.ffn], [8, 8192]);
  const narrower = modelOf("{ preset: 3b-wide, width: 1536, attention_heads: 12, context: 2048 }");
  assert.deepEqual([narrower.kv_heads, narrower.ffn], [12, 4096]);
  const large = modelOf("{ preset: 1.3b, context: 2048 }");
  assert.deepEqual([large.width, large.layers], [2048, 24]);
});

Deno.test("a preset's name, or sizes that are missing without one, are asked for", () => {
  assert.match(
    refusalOf("{ preset: 12m, context: 256 }"),
    /^preset: expected 1m \| 3m \| 10m .*found "12m": did you mean/,
  );
  assert.equal(
    refusalOf("{ width: 64, layers: 2, context: 16 }"),
    "attention_heads: missing: expected a whole number, or a preset",
  );
});

const SIZES = "width: 64, layers: 4, attention_heads: 4, context: 32";
const REFUSED: readonly [string, string][] = [
  ["heads: { count: 17 }", "heads.count: expected at most 16 heads, found 17"],
  ["heads: { count: 32 }", "heads.count: expected at most 16 heads, found 32"],
  ["heads: { count: 8 }, context: 8", "heads.count: expected less than context (8), found 8"],
  [
    "heads: { kind: transformer, count: 4 }",
    "heads.count: expected less than layers (4), found 4: each transformer head is one of the layers, and the trunk needs one",
  ],
  [
    "heads: { kind: linear, layers: 2 }",
    "heads.layers: only residual heads have layers of their own; these are linear",
  ],
  [
    "heads: { kind: medusa }",
    'heads.kind: expected linear | transformer | residual | sequential, found "medusa"',
  ],
  ["heads: { kind: residual, layers: 0 }", "heads.layers: expected at least 1, found 0"],
];

Deno.test("a file may ask for as many heads as a model can have", () => {
  modelOf(`{ ${SIZES}, heads: { count: ${MAX_HEADS} } }`);
  refusalOf(`{ ${SIZES}, heads: { count: ${MAX_HEADS + 1} } }`);
});

Deno.test("heads that cannot be are refused with the constraint and the values", () => {
  for (const [keys, message] of REFUSED) {
    const given = keys.includes("context") ? SIZES.replace(", context: 32", "") : SIZES;
    assert.equal(refusalOf(`{ ${given}, ${keys} }`), message);
  }
  for (
    const heads of [
      "{ kind: transformer, count: 3 }",
      "{ count: 16 }",
      "{ kind: residual, layers: 2, count: 2 }",
    ]
  ) {
    modelOf(`{ ${SIZES}, heads: ${heads} }`);
  }
});

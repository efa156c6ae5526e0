/**
 * Proves the account of a model: parameters are those of the real model of every kind, FLOPs those that PyTorch counts
 * (heads_test.ts) and those of the formula as it is published, and what is shown adds up.
 */
import assert from "node:assert/strict";
import { PRESETS } from "../../src/config/schema/model.ts";
import { flopsPerToken, memoryOf, parameterCount, parametersByModule } from "../../src/model/account.ts";
import { HEAD_KINDS, type ModelOptions, MtpModel, shapeOf } from "../../src/model/mod.ts";
import { showModel } from "../../src/cli/model_account.ts";
import { tinyOptions, withOneThread } from "./tiny.ts";

const withHeads = (
  kind: ModelOptions["heads"]["kind"],
  count: number,
  changes: Partial<ModelOptions> = {},
) => ({
  ...tinyOptions(),
  layers: 5,
  heads: { kind, count },
  ...changes,
});

withOneThread("the account has the parameters of the real model, module by module, for every kind", () => {
  for (const kind of HEAD_KINDS) {
    for (
      const options of [
        withHeads(kind, 1),
        withHeads(kind, 3),
        withHeads(kind, 3, { tied: true, kv_heads: 4 }),
      ]
    ) {
      using model = new MtpModel(options, 1, "cpu");
      const sizes = new Map<string, number>();
      for (const [name, tensor] of model.parameters.entries()) {
        const module = /^heads\.\d+|^\w+/.exec(name)![0];
        sizes.set(module, (sizes.get(module) ?? 0) + tensor.size);
      }
      const modules = parametersByModule(model.shape);
      for (const { name, parameters } of modules) {
        const module = name.replace("head ", "heads.").replace(/\d+ blocks?/, "blocks").replace("final ", "");
        assert.equal(parameters, sizes.get(module) ?? 0, `${kind}: ${name}`);
      }
      const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
      assert.equal(parameterCount(model.shape), total, kind);
    }
  }
});

Deno.test("flopsPerToken() is 6 N + 12 l D T: of a plain Llama, and of what each further head adds", () => {
  const options = {
    ...tinyOptions({ K: 1 }),
    width: 64,
    layers: 5,
    attention_heads: 4,
    kv_heads: 4,
    ffn: 160,
    context: 32,
  };
  const shape = (kind: ModelOptions["heads"]["kind"], count: number) =>
    shapeOf({ ...options, heads: { kind, count } });
  const [D, F, T, V] = [64, 160, 32, 23];
  const block = 6 * (4 * D * D + 3 * D * F) + 12 * D * T;
  const plain = 5 * block + 6 * V * D;
  assert.equal(flopsPerToken(shape("linear", 4), 1), plain);
  assert.equal(flopsPerToken(shape("linear", 4), 4), plain + 3 * 6 * V * D);
  assert.equal(flopsPerToken(shape("transformer", 4), 4), plain + 3 * 6 * V * D);
  assert.equal(flopsPerToken(shape("transformer", 4), 1), plain - 3 * block);
  assert.equal(flopsPerToken(shape("residual", 2), 2), plain + 6 * D * D + 6 * V * D);
  assert.equal(flopsPerToken(shape("sequential", 3), 2), plain + block + 6 * 2 * D * D + 6 * V * D);
  // A sleeping head costs nothing, unless a deeper module needs it.
  assert.equal(flopsPerToken(shape("transformer", 3), [0, 0.5, 0]), plain - 2 * block);
  assert.equal(
    flopsPerToken(shape("sequential", 3), [1, 0, 1]),
    plain + 2 * (block + 6 * 2 * D * D) + 6 * V * D,
  );
});

Deno.test("the presets have the sizes that their names say, without the embeddings", () => {
  for (
    const [name, { width, layers, attention_heads, kv_heads = attention_heads, ffn }] of Object.entries(
      PRESETS,
    )
  ) {
    const shape = shapeOf({
      ...tinyOptions({ K: 1 }),
      width,
      layers,
      attention_heads,
      kv_heads,
      ffn: ffn ?? Math.ceil(width * 8 / 3 / 32) * 32,
    });
    const [, number, unit] = /^([\d.]+)([mb])/.exec(name)!;
    const named = Number(number) * (unit === "m" ? 1e6 : 1e9);
    const found = parameterCount(shape) - 2 * shape.vocab * width;
    assert.ok(found > 0.7 * named && found < 1.15 * named, `${name} has ${found} parameters`);
  }
});

Deno.test("showModel() shows every module and number of heads, aligned, with totals that add up", () => {
  const options = withHeads("sequential", 3, { width: 128, ffn: 352, vocab: 320, context: 64 });
  const lines = showModel("arm", options, 4);
  const total = parameterCount(shapeOf(options));
  assert.equal(
    lines[0],
    `arm: ${total.toLocaleString("en")} parameters, ${
      (total - 320 * 128).toLocaleString("en")
    } without the embedding`,
  );
  const start = lines.findIndex((line) => line.startsWith("module"));
  const rows = lines.slice(start, lines.indexOf("", start));
  assert.equal(new Set(rows.map((row) => row.length)).size, 1, "aligned");
  const shown = rows.slice(1).map((row) => Number(/([\d,]+) +[\d.]+%$/.exec(row)![1]!.replaceAll(",", "")));
  assert.equal(shown.reduce((sum, n) => sum + n, 0), total);
  assert.match(lines.join("\n"), /^3 +9.56 M +1.53$/m);
});

Deno.test("memoryOf() grows with the batch, and recompute keeps one input a block", () => {
  const shape = shapeOf(withHeads("linear", 2, { layers: 8 }));
  const { activations, weights, gradients, optimizer, loss, total } = memoryOf(shape, 4);
  assert.equal(total, weights + gradients + optimizer + activations + loss);
  assert.equal(memoryOf(shape, 8).activations, 2 * activations);
  const deeper = shapeOf(withHeads("linear", 2, { layers: 12 }));
  const more = memoryOf(deeper, 4, true).activations - memoryOf(shape, 4, true).activations;
  assert.equal(more, 4 * (4 * shape.context) * shape.width * 4); // 4 layers, 4 rows, 4 bytes a number
});

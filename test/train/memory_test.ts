/** Proves that running out of memory ends in a sentence, whatever the allocator calls it. */
import assert from "node:assert/strict";
import { FLOAT32_CPU, Tensor, TorchError } from "../../src/torch/mod.ts";
import { allocating, expectedMemory } from "../../src/train/memory.ts";
import { shapeOf } from "../../src/model/shape.ts";
import { withFfi } from "../support.ts";

withFfi("allocating() says what did not fit, how much it was, and what to lower", () => {
  assert.throws(() => allocating("a test", "the size", () => Tensor.zeros([2 ** 47], FLOAT32_CPU)), {
    name: "UserError",
    message: "Out of memory for a test (562949.95 GB more): lower the size",
  });
});

Deno.test("allocating() understands CUDA's allocator, and the standard library's", () => {
  const failing = (message: string) => () =>
    allocating("step 3", "train.batch", () => {
      throw new TorchError(message);
    });
  assert.throws(
    failing("CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of ..."),
    {
      name: "UserError",
      message: "Out of memory for step 3 (2.50 GiB more): lower train.batch",
    },
  );
  assert.throws(failing("std::bad_alloc"), { message: "Out of memory for step 3: lower train.batch" });
  assert.throws(failing("the tensor was freed"), { name: "TorchError", message: "the tensor was freed" });
});

Deno.test("allocating() passes results and other errors on", () => {
  assert.equal(allocating("a", "b", () => 5), 5);
  const error = new RangeError("out of memory");
  assert.throws(() =>
    allocating("a", "b", () => {
      throw error;
    }), error);
});

Deno.test("expectedMemory() grows with the batch and shrinks where blocks are recomputed", () => {
  const shape = shapeOf({
    vocab: 8192,
    width: 384,
    layers: 6,
    attention_heads: 8,
    kv_heads: 8,
    ffn: 1024,
    context: 256,
    heads: { kind: "linear", count: 1 },
    rope_theta: 1e4,
    norm_eps: 1e-5,
    tied: false,
  });
  const said = (batch: number, recompute: boolean) =>
    /^memory: ([\d.]+) GB expected beside libtorch's own, ([\d.]+) GB of it for activations/
      .exec(expectedMemory(shape, batch, recompute))!.slice(1).map(Number);
  const [total, activations] = said(8, false);
  assert.ok(total! > activations!);
  assert.ok(Math.abs(said(80, false)[1]! / activations! - 10) < 0.5);
  assert.ok(said(8, true)[1]! < activations! / 2);
});

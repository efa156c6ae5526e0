/** Proves that running out of memory ends in a sentence, whatever the allocator calls it. */
import assert from "node:assert/strict";
import { FLOAT32_CPU, Tensor, TorchError } from "../../src/torch/mod.ts";
import { allocating } from "../../src/train/memory.ts";
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

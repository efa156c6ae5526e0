/** Proves that the memory of a batch is told as it will be allocated, and refused in a sentence. */
import assert from "node:assert/strict";
import { checkMemory, decodingBytes, withinMemory } from "../../src/decode/memory.ts";
import { TorchError } from "../../src/torch/mod.ts";
import { tinyModel, withOneThread } from "../model/tiny.ts";

withOneThread("decodingBytes() of plain decoding is what the cache of keys and values takes", () => {
  for (const kind of ["linear", "transformer"] as const) {
    const sizes = { width: 64, attention_heads: 4, kv_heads: 2, layers: 4, heads: { kind, count: 3 } };
    using model = tinyModel(sizes as Parameters<typeof tinyModel>[0]);
    using decoder = model.decoder("rows");
    using cache = decoder.newCache(3, 32);
    const blocks = kind === "linear" ? 4 : 2; // transformer: a trunk of one layer, and head 1's
    let bytes = 0;
    for (let i = 0; i < blocks; i++) {
      const { keys, values } = cache.block(i);
      bytes += keys.toBytes().length + values.toBytes().length;
    }
    assert.equal(decodingBytes(model.shape, 1, 3, 32, 0), bytes, kind);
    assert.equal(
      decodingBytes(model.shape, 1, 3, 32, 4) - bytes,
      3 * 4 * 23 * 4,
      "logits: 3 prompts of 4 rows",
    );
  }
});

Deno.test("checkMemory() says in a sentence what a batch needs, what there is, and what to lower", () => {
  checkMemory("arm", 8, 2e9, 2e9);
  checkMemory("arm", 8, 2e9, null);
  assert.throws(() => checkMemory("arm", 512, 2.5e10, 1.26e10), {
    name: "UserError",
    message:
      "A batch of 512 prompts needs 25.0 GB for keys, values and logits of arm, and 12.6 GB of memory are free: " +
      "lower batches, new_tokens or prompt_bytes",
  });
});

Deno.test("withinMemory() tells an allocator's refusal in a sentence, and lets other errors be", async () => {
  const failing = (message: string) =>
    withinMemory("arm", 512, () => Promise.reject(new TorchError(message)));
  await assert.rejects(failing("CUDA out of memory. Tried to allocate 12.00 GiB. GPU 0 has"), {
    name: "UserError",
    message:
      "Out of memory for decoding a batch of 512 prompts with arm (12.00 GiB more): lower batches or new_tokens",
  });
  await assert.rejects(failing("some other thing"), { name: "TorchError", message: "some other thing" });
});

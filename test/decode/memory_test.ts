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
    const plain = { sequences: 3, prompt: 0, newTokens: 32, heads: 1, drafted: 0 };
    const logits = (rows: number) => 3 * rows * 23 * 4;
    assert.equal(decodingBytes(model.shape, plain), bytes + logits(1), kind);
    // 15 tokens of a prompt and 17 new ones take the same cache; a block makes of each 4 widths, queries, keys and values,
    // and three times the hidden units.
    const activations = 3 * 15 * (4 * 64 + (4 + 2 * 2) * 16 + 3 * 20) * 4;
    const prompted = decodingBytes(model.shape, { ...plain, prompt: 15, newTokens: 17 });
    assert.equal(prompted, bytes + logits(1) + activations);
    const further = kind === "linear" ? 0 : 2 * bytes / blocks; // two more heads have caches of their own
    const drafting = { ...plain, newTokens: 30, heads: 2, drafted: 2 };
    assert.equal(decodingBytes(model.shape, drafting), bytes + further + logits(3));
  }
});

withOneThread("checkMemory() says in a sentence what a batch needs, what there is, and what to lower", () => {
  using model = tinyModel();
  const together = { sequences: 512, prompt: 4, newTokens: 4, heads: 1, drafted: 0 };
  const bytes = decodingBytes(model.shape, together);
  checkMemory("arm", model.shape, together, bytes, "batches");
  checkMemory("arm", model.shape, together, null, "batches");
  assert.throws(() => checkMemory("arm", model.shape, together, bytes / 2, "batches"), {
    name: "UserError",
    message:
      /^A batch of 512 prompts needs 0\.00\d+ GB for keys, values and activations of arm, and 0\.00\d+ GB of memory are free: lower batches$/,
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

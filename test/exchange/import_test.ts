/**
 * Proves import: what was exported comes back bit for bit, training starts from it, and what cannot be taken over is
 * refused by name. That checkpoints of transformers compute the same is in transformers_test.ts.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { run as importStage } from "../../src/exchange/import.ts";
import { optionsFrom } from "../../src/exchange/llama_config.ts";
import { sha256OfFile, writeJson } from "../../src/formats/atomic.ts";
import { SafetensorsFile, writeSafetensors } from "../../src/formats/safetensors.ts";
import { type ModelOptions, MtpModel } from "../../src/model/mod.ts";
import { run as train } from "../../src/train/train.ts";
import { checkImported, loadImported, readImported } from "../../src/train/imported.ts";
import { configs, ioFor, type Json, makeText, readJson, textOf, withRuns } from "../train/fixture.ts";
import { byteOptions, BYTES, exported, KINDS, logitsOf, modelOf } from "./fixture.ts";

/** Imports a folder as the stage `<folder>/<id>`. */
async function imported(folder: string, from: string, id = "base") {
  const io = ioFor(folder, id);
  await importStage({ id, run: "import", needs: [], from }, io);
  return { need: { id, run: "import", folder: io.folder }, lines: io.lines };
}

withRuns("what was exported comes back bit for bit, with trunk and head 1 as one model", async (folder) => {
  for (const [kind, options] of Object.entries(KINDS)) {
    using model = modelOf(options);
    const hf = join(await exported(folder, kind, model), "hf");
    const { need } = await imported(folder, hf, `${kind}-in`);
    const back = readImported(need);
    assert.equal(back.options.layers, kind === "transformer" ? 2 : 4);
    assert.deepEqual(back.tokenizer, { isBytes: true, sha256: sha256OfFile(join(hf, "tokenizer.json")) });
    const { layers, heads } = options;
    using again = new MtpModel({ ...back.options, layers, heads }, 7, "cpu");
    loadImported(back, again);
    const bits = (some: MtpModel, name: string) => some.parameters.get(name).toBytes();
    for (const name of ["embedding", "blocks.0.qkv", "blocks.0.gate_up", "norm"]) {
      assert.deepEqual(bits(again, name), bits(model, name), `${kind}: ${name}`);
    }
    assert.deepEqual(logitsOf(again, [0, 70, 80, 90]), logitsOf(model, [0, 70, 80, 90]), kind);
  }
});

withRuns("training starts from an import: heads fresh or copied, the trunk frozen or not", async (folder) => {
  await makeText(folder);
  const { arm } = configs("arm.train.steps=2", "arm.train.warmup=0", "arm.train.ema=0.5");
  // More rows than the tokenizer has ids, as many checkpoints do.
  const plain: ModelOptions = { ...arm.model, vocab: 330, heads: { kind: "linear", count: 1 } };
  using base = modelOf(plain);
  const { need } = await imported(folder, join(await exported(folder, "plain", base), "hf"));
  const start = async (id: string, curriculum: unknown, part = "model") => {
    const io = ioFor(folder, id, { needs: [textOf(folder), need] });
    await train({ ...arm, id, curriculum } as typeof arm, io);
    assert.ok(io.lines.includes("starts from base"), io.lines.join("\n"));
    return new SafetensorsFile(join(io.folder, "checkpoints/step-00000002", `${part}.safetensors`));
  };
  const frozen = { phases: [{ until: 1, weights: [0, 1, 1], freeze: ["trunk", "embedding", "head1"] }] };
  using kept = await start("frozen", frozen);
  using means = await start("frozen_means", frozen, "ema");
  for (const [name, tensor] of base.parameters.entries()) {
    assert.deepEqual(kept.read(name), tensor.toBytes(), name);
    assert.deepEqual(means.read(name), tensor.toBytes(), `the mean of ${name}`);
  }
  assert.notDeepEqual(kept.read("heads.2"), kept.read("heads.3"));
  using copied = await start("copied", { ...frozen, wake: "copy" });
  // Two steps of AdamW move a number by at most about twice the rate.
  const first = new Float32Array(copied.read("heads.1").buffer);
  const third = new Float32Array(copied.read("heads.3").buffer);
  const off = Math.max(...third.map((x, i) => Math.abs(x - first[i]!)));
  assert.ok(off > 0 && off < 2.5 * arm.train.lr, `head 3 is ${off} from head 1`);
  using free = await start("free", "mtp");
  assert.notDeepEqual(free.read("blocks.0.qkv"), base.parameters.get("blocks.0.qkv").toBytes());
});

withRuns("a model or a text that an import does not fit is refused with what to write", async (folder) => {
  using model = modelOf(byteOptions("linear", 1));
  const { need } = await imported(folder, join(await exported(folder, "arm", model), "hf"));
  const base = readImported(need);
  const bpe = {
    kind: "bpe",
    vocab: 300,
    endToken: 0,
    tokenBytes: 2,
    file: "tokenizer.json",
    sha256: "f".repeat(64),
  } as const;
  checkImported(base, model.options, BYTES);
  const wide = { ...model.options, width: 32, kv_heads: 4 };
  assert.throws(() => checkImported(base, wide, BYTES), {
    name: "UserError",
    message:
      "The model of this stage is not the one that base imported: width is 32, expected 16; kv_heads is 4, " +
      "expected 2. Write model: { width: 16, layers: 4, attention_heads: 4, kv_heads: 2, ffn: 20, rope_theta: 100, " +
      "norm_eps: 0.00001, tied: false, context: 64, heads: ... }",
  });
  const heads = { kind: "transformer", count: 3 } as const;
  assert.throws(() => checkImported(base, { ...model.options, heads }, BYTES), /layers is 4, expected 6/);
  checkImported(base, { ...model.options, layers: 6, heads }, BYTES);
  assert.throws(
    () => checkImported(base, model.options, bpe),
    /prepared with a tokenizer.json with the SHA-256 f{64}/,
  );
  const many = { ...bpe, vocab: 50_000 };
  assert.throws(
    () => checkImported(base, model.options, many),
    /vocabulary of 50000 and the model of base one of 320/,
  );
  Deno.writeTextFileSync(join(base.folder, "model.safetensors"), "x", { append: true });
  assert.throws(() => readImported(need), /is damaged: SHA-256 is .*; run the import stage again/);
});

Deno.test("config.json of older programs: no head width, no key heads, the base of the rotary angles by itself", () => {
  const old = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: 32000,
    hidden_size: 64,
    intermediate_size: 172,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    max_position_embeddings: 2048,
    rms_norm_eps: 1e-5,
    rope_scaling: null,
    rope_theta: 500_000,
  };
  const { kv_heads, rope_theta, tied } = optionsFrom(old, "config.json");
  assert.deepEqual([kv_heads, rope_theta, tied], [4, 500_000, false]);
  const { rope_theta: _, ...oldest } = old;
  assert.equal(optionsFrom(oldest, "config.json").rope_theta, 10_000);
});

const CHANGES: readonly [string, Json, RegExp][] = [
  [
    "another architecture",
    { model_type: "mistral", architectures: ["MistralForCausalLM"] },
    /found MistralForCausalLM/,
  ],
  [
    "scaled rotary positions",
    { rope_scaling: { rope_type: "llama3", factor: 8 } },
    /rope_scaling of the type "llama3"/,
  ],
  [
    "the same in the newer form",
    { rope_parameters: { rope_type: "yarn", rope_theta: 1e4 } },
    /the type "yarn"/,
  ],
  ["biases", { attention_bias: true }, /attention_bias is true/],
  ["biases of the feed-forward part", { mlp_bias: true }, /mlp_bias is true/],
  ["heads of another width", { head_dim: 8 }, /head_dim is 8; only hidden_size \/ num_attention_heads \(4\)/],
  ["another activation", { hidden_act: "gelu" }, /hidden_act is "gelu"/],
  ["a quantized one", { quantization_config: { bits: 4 } }, /it is quantized/],
  [
    "sizes that do not fit",
    { num_key_value_heads: 3, head_dim: 4 },
    /4 attention heads are not a multiple of 3/,
  ],
  ["text where a number belongs", { hidden_size: "big" }, /hidden_size: .*expected number/],
  [
    "another width than the tensors'",
    { hidden_size: 32, head_dim: 8 },
    /embed_tokens.weight is \[320,16\], .* \[320,32\]/,
  ],
  [
    "more layers than tensors",
    { num_hidden_layers: 5 },
    /it has no tensor model.layers.4.input_layernorm.weight/,
  ],
  ["fewer layers than tensors", { num_hidden_layers: 3 }, /no model here has a tensor like model.layers.3/],
];

withRuns("a checkpoint that is no model of ours is refused by name", async (folder) => {
  using model = modelOf(byteOptions("linear", 1));
  const hf = join(await exported(folder, "arm", model), "hf");
  const path = join(hf, "config.json");
  const config = readJson(path);
  for (const [what, changes, message] of CHANGES) {
    writeJson(path, { ...config, ...changes });
    await assert.rejects(imported(folder, hf), (error: Error) => {
      assert.equal(error.name, "UserError", what);
      assert.match(error.message, message, what);
      return true;
    });
    assert.throws(() => Deno.statSync(join(folder, "base/model")), Deno.errors.NotFound, what);
  }
});

withRuns("a folder without safetensors, with an index that lies or with integers says so", async (folder) => {
  using model = modelOf(byteOptions("linear", 1));
  const hf = join(await exported(folder, "arm", model), "hf");
  const weights = join(hf, "model.safetensors");
  await assert.rejects(
    imported(folder, join(folder, "nowhere")),
    /config.json": .*; name the folder of a checkpoint/,
  );

  const index = join(hf, "model.safetensors.index.json");
  writeJson(index, { weight_map: { "model.norm.weight": "../model.safetensors" } });
  await assert.rejects(imported(folder, hf), /Cannot import ".*index.json": weight_map.model.norm.weight/);
  writeJson(index, { weight_map: { "model.embed_tokens.weight": "model-00001-of-00002.safetensors" } });
  await assert.rejects(imported(folder, hf), /model-00001-of-00002.safetensors": no such file/);
  Deno.removeSync(index);

  writeSafetensors(weights, [{
    name: "model.embed_tokens.weight",
    dtype: "I8",
    shape: [320, 16],
    bytes: () => new Uint8Array(320 * 16),
  }]);
  await assert.rejects(imported(folder, hf), /embed_tokens.weight is I8, expected one of F32, BF16, F16/);

  Deno.renameSync(weights, join(hf, "pytorch_model.bin"));
  await assert.rejects(imported(folder, hf), /it has pytorch_model.bin: save it anew with transformers/);
});

withRuns("a checkpoint without a tokenizer.json is taken over with a word about it", async (folder) => {
  using model = modelOf(byteOptions("linear", 1));
  const hf = join(await exported(folder, "arm", model), "hf");
  Deno.removeSync(join(hf, "tokenizer.json"));
  const { need, lines } = await imported(folder, hf);
  assert.equal(readImported(need).tokenizer, null);
  assert.match(lines.join("\n"), /there is no tokenizer.json/);
});

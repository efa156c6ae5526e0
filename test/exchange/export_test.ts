/** Proves what an export holds and refuses. That others read it as we do is in transformers_test.ts. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { run as exportStage } from "../../src/exchange/export.ts";
import { SafetensorsFile } from "../../src/formats/safetensors.ts";
import { MtpModel } from "../../src/model/mod.ts";
import { armOf, ioFor, readJson, withRuns } from "../train/fixture.ts";
import { byteOptions, BYTES, exportConfig, exported, KINDS, modelOf, writeArm } from "./fixture.ts";

withRuns(
  "an export has every number of the arm once, in Llama's names or in those of the heads",
  async (folder) => {
    for (const [name, options] of Object.entries(KINDS)) {
      using model = modelOf(options);
      const hf = join(await exported(folder, name, model), "hf");
      const files = ["model.safetensors", ...(options.heads.count > 1 ? ["heads.safetensors"] : [])];
      let size = 0;
      for (const file of files) {
        using tensors = new SafetensorsFile(join(hf, file));
        for (const tensor of tensors.names) size += tensors.info(tensor).shape.reduce((a, b) => a * b, 1);
      }
      assert.equal(size, model.parameters.tensors().reduce((sum, tensor) => sum + tensor.size, 0), name);
      assert.equal(readJson(join(hf, "config.json"))["num_hidden_layers"], name === "transformer" ? 2 : 4);
    }
    assert.deepEqual(readJson(join(folder, "transformer-out/hf/heads.json"))["heads_in_file"], [2, 3]);
  },
);

withRuns("bfloat16 halves the file and rounds to the nearest", async (folder) => {
  using model = modelOf(byteOptions("linear", 1));
  const hf = join(await exported(folder, "arm", model, { dtype: "bfloat16" }), "hf");
  using file = new SafetensorsFile(join(hf, "model.safetensors"));
  assert.equal(file.info("model.norm.weight").dtype, "BF16");
  const halves = new Uint16Array(file.read("model.norm.weight").buffer);
  model.parameters.get("norm").toArray().forEach((x, i) => {
    const rounded = new Float32Array(Uint32Array.of(halves[i]! << 16).buffer)[0]!;
    assert.ok(Math.abs(rounded - x) <= Math.abs(x) * 2 ** -8, `${x} became ${rounded}`);
  });
});

withRuns("an arm that kept a running mean of its weights is exported with it", async (folder) => {
  using model = modelOf(byteOptions("linear", 2));
  using mean = new MtpModel(byteOptions("linear", 2), 2, "cpu");
  writeArm(join(folder, "arm"), model, BYTES, mean);
  const io = ioFor(folder, "out", { needs: [armOf(folder)] });
  await exportStage(exportConfig(), io);
  using trunk = new SafetensorsFile(join(io.folder, "hf/model.safetensors"));
  using heads = new SafetensorsFile(join(io.folder, "hf/heads.safetensors"));
  assert.deepEqual(trunk.read("model.norm.weight"), mean.parameters.get("norm").toBytes());
  assert.deepEqual(heads.read("heads.2.lm_head.weight"), mean.parameters.get("heads.2").toBytes());
});

withRuns("what cannot be exported is a sentence that says why", async (folder) => {
  using plain = modelOf(byteOptions("linear", 1));
  using modules = modelOf(byteOptions("sequential", 2));
  await assert.rejects(exported(folder, "plain", plain, { to: "medusa" }), {
    name: "UserError",
    message: "plain has one head: there is nothing to write in Medusa's format",
  });
  await assert.rejects(
    exported(folder, "modules", modules, { to: "medusa" }),
    /modules has sequential heads; Medusa's/,
  );
  const io = ioFor(folder, "none", { needs: [{ id: "none", run: "train", folder: join(folder, "absent") }] });
  await assert.rejects(exportStage(exportConfig(), io), /train.json": .*; has stage none finished\?/);
  const bpe = {
    kind: "bpe",
    vocab: 320,
    endToken: 0,
    tokenBytes: 2,
    file: "tokenizer.json",
    sha256: "0".repeat(64),
  };
  writeArm(join(folder, "subwords"), plain, bpe);
  const other = ioFor(folder, "o", {
    needs: [{ id: "subwords", run: "train", folder: join(folder, "subwords") }],
  });
  await assert.rejects(
    exportStage(exportConfig(), other),
    /No tokenizer.json with the SHA-256 0{64}.*add the prepare stage/,
  );
  assert.deepEqual([...Deno.readDirSync(other.folder)], [], "nothing half-written is left");
});

withRuns("`from` names an arm of another run, whose tokenizer is found beside it", async (folder) => {
  using model = modelOf(byteOptions("linear", 1));
  const tokenizer = '{"added_tokens":[{"id":0,"content":"<end>"}],"model":{"vocab":{"a":1}}}';
  Deno.mkdirSync(join(folder, "run/text"), { recursive: true });
  Deno.writeTextFileSync(join(folder, "run/text/tokenizer.json"), tokenizer);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(tokenizer)))
    .toHex();
  writeArm(join(folder, "run/arm"), model, { kind: "bpe", endToken: 0, sha256: hash });
  const io = ioFor(folder, "out");
  await exportStage(exportConfig({ needs: [], from: join(folder, "run/arm") }), io);
  assert.equal(Deno.readTextFileSync(join(io.folder, "hf/tokenizer.json")), tokenizer);
  assert.equal(readJson(join(io.folder, "hf/tokenizer_config.json"))["eos_token"], "<end>");
});

/** `foretoken export` and `foretoken import` as users run them: runs of one stage beside the run of the training. */

import assert from "node:assert/strict";
import { join, relative } from "node:path";
import type { StageKind } from "../../src/config/schema.ts";
import { clearStage } from "../../src/pipeline/clear.ts";
import { withLauncher } from "../pipeline/launcher.ts";
import { foretoken } from "./foretoken.ts";

const PIPELINE = `name: tiny
device: cpu
threads: 1
stages:
  - { id: text, run: prepare, input: stories, bytes: 1e5 }
  - id: arm
    run: train
    needs: [text]
    model: { width: 16, layers: 1, attention_heads: 2, context: 32, heads: { count: 2 } }
    curriculum: mtp
    train: { steps: 1, batch: 1, validate_batches: 1 }
`;

withLauncher(
  "an arm is exported by its name in the run, and taken in again from the folder",
  async (folder) => {
    const runs = ["--runs", relative(Deno.cwd(), folder)];
    const file = join(folder, "tiny.yaml");
    Deno.writeTextFileSync(file, PIPELINE);
    const trained = await foretoken("pipeline", relative(Deno.cwd(), file), ...runs);
    assert.equal(trained.code, 0, trained.stderr);

    const unclear = await foretoken("export", "tiny/text", ...runs);
    assert.equal(unclear.code, 2);
    assert.equal(unclear.stderr, 'tiny has no train stage "text": there is arm\n');
    const exported = await foretoken("export", "tiny", "--to", "hf", ...runs);
    assert.equal(exported.code, 0, exported.stderr);
    const model = join(folder, "tiny-arm-hf/export/hf");
    assert.equal(
      JSON.parse(Deno.readTextFileSync(join(model, "config.json"))).architectures[0],
      "LlamaForCausalLM",
    );
    assert(Deno.statSync(join(model, "heads.safetensors")).isFile);
    const again = await foretoken("export", "tiny", "--to", "hf", ...runs);
    assert.match(again.stderr, /: done before, unchanged\n/);

    const imported = await foretoken("import", model, "--from", "hf", "--name", "tiny", ...runs);
    assert.equal(imported.code, 0, imported.stderr);
    const strange = await foretoken("import", model, "--from", "gguf", ...runs);
    assert.equal(strange.code, 2);
    assert.match(strange.stderr, /--from .*gguf.*hf/);
    assert(Deno.statSync(join(folder, "tiny/import/model/model.safetensors")).isFile);
    const { config } = JSON.parse(Deno.readTextFileSync(join(folder, "tiny/pipeline.json")));
    assert.equal(config.stages.length, 2); // the pipeline whose folder it shares is still described

    const stages = {
      "tiny/text": "prepare",
      "tiny/arm": "train",
      "tiny-arm-hf/export": "export",
      "tiny/import": "import",
    };
    for (const [path, kind] of Object.entries(stages) as [string, StageKind][]) {
      clearStage(join(folder, path), kind);
      assert.deepEqual([...Deno.readDirSync(join(folder, path))].map(({ name }) => name), ["lock"], path);
    }
  },
);

/** Proves what a validation counts, with a model that guesses: its loss is known. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { BlockTable } from "../../src/data/batches.ts";
import { verifyShards } from "../../src/data/shards.ts";
import { openTokens } from "../../src/data/token_shards.ts";
import { MtpModel } from "../../src/model/mod.ts";
import { Scope } from "../../src/torch/mod.ts";
import { Validation } from "../../src/train/validation.ts";
import { configs, makeText, withRuns } from "./fixture.ts";

withRuns("a validation scores every token of its blocks, the first ones of documents too", async (folder) => {
  await makeText(folder);
  // Whatever training leaves out: its figures are to be comparable.
  const { arm } = configs(
    "arm.train.predict_first=false",
    "arm.train.validate_batches=1000",
  );
  const set = verifyShards(join(folder, "text"));
  using model = new MtpModel({ ...arm.model, vocab: 320 }, 1, "cpu");
  for (const tensor of model.parameters.tensors()) {
    tensor.copyBytes_(new Uint8Array(4 * tensor.size)); // zeros: each token is as likely as any other
  }
  using shards = openTokens(set, "val");
  using _scope = new Scope();
  const { train: { batch, validate_batches }, model: { context } } = arm;
  const starts = new BlockTable(shards.tokens, context).spread(validate_batches * batch);
  const { inputs, bytes } = shards.gather(starts, { length: context, heads: 1, predictFirst: true });
  const ends = inputs.toArray().filter((id) => id === 0).length;
  assert.ok(ends > 0, "no document ends in these blocks");
  using validation = new Validation(arm, set);
  const { bits_per_byte, heads } = validation.score(model, 1);
  const targets = starts.length * context; // all tokens of the blocks, moved by one
  for (const { loss } of heads) assert.ok(Math.abs(loss - Math.log(320)) < 1e-4);
  const bitsPerTarget = heads[0]!.loss / Math.LN2;
  assert.ok(Math.abs(bits_per_byte / bitsPerTarget - targets / bytes) < 1e-9); // a target more or less is 1e-6
});

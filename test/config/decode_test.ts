/** Proves that what a decode stage cannot do is refused where its key stands, as far as that is known before it runs. */
import assert from "node:assert/strict";
import { parsePipeline } from "../../src/config/load.ts";
import type { DecodeConfig } from "../../src/config/schema.ts";
import { domainsOf } from "../../src/config/schema/decode.ts";

/** A pipeline with a one-head arm `ntp` and a three-head arm `arm`; and a decode stage with these keys. */
const parse = (keys: string, { tokenizer = "bytes", kind = "linear" } = {}): DecodeConfig =>
  parsePipeline(
    `name: f
stages:
  - { id: text, run: prepare, input: stories, tokenizer: ${tokenizer} }
  - id: ntp
    run: train
    needs: [text]
    model: &model { width: 16, layers: 4, attention_heads: 2, context: 64 }
    train: { steps: 1 }
  - id: arm
    run: train
    needs: [text]
    model: { <<: *model, heads: { kind: ${kind}, count: 3 } }
    train: { steps: 1 }
  - { id: speed, run: decode, needs: [text, ntp, arm], ${keys} }
`,
    "f.yaml",
    "/base",
  ).stages.at(-1) as DecodeConfig;

const FITTING = "prompt_bytes: 8, new_tokens: 8";
const stage = (keys: string, options = {}) => parse(`${FITTING}, ${keys}`, options);

const refused = (keys: string, message: RegExp, options = {}) =>
  assert.throws(() => stage(keys, options), (error: Error) => {
    assert.match(error.message, message);
    assert.match(error.message, /^f\.yaml:14:\d+: stages\[3\]\./);
    return true;
  });

Deno.test("a prompt of bytes, its start token and its continuation fit the context", () => {
  const parseRoom = (prompt: number, tokens: number) =>
    parse(`prompt_bytes: ${prompt}, new_tokens: ${tokens}`);
  parseRoom(40, 23);
  assert.throws(() => parseRoom(40, 24), {
    message:
      /new_tokens: 1 \+ prompt_bytes \(40\) \+ new_tokens \(24\) tokens do not fit the context of ntp \(64\)$/,
  });
});

Deno.test("how many tokens a prompt of subwords has is not known before it is cut", () => {
  const parseRoom = (prompt: number, tokens: number) =>
    parse(`prompt_bytes: ${prompt}, new_tokens: ${tokens}`, {
      tokenizer: "{ kind: bpe, vocab: 300 }",
    });
  parseRoom(400, 24);
  parseRoom(4, 62);
  assert.throws(() => parseRoom(4, 63), {
    message: /new_tokens: 1 \+ 1 \+ new_tokens \(63\) tokens do not fit the context of ntp \(64\)$/,
  });
});

Deno.test("a decode stage that says nothing measures one domain, greedily, one prompt at a time", () => {
  const config = stage("repeats: 2");
  assert.deepEqual(domainsOf(config), [{ name: "val", split: "val" }]);
  assert.deepEqual(config.batches, [1]);
  assert.equal(config.heads, undefined);
  assert.deepEqual(config.sampling, {
    temperature: 0,
    top_k: 0,
    top_p: 1,
    min_p: 0,
    repetition_penalty: 1,
  });
  assert.equal(config.acceptance, "exact");
});

Deno.test("domains are splits or files, whose paths are taken from where the command runs", () => {
  const config = stage(
    "domains: [{ name: a }, { name: b, split: train }, { name: c, files: [x/*.txt, /y] }]",
  );
  assert.deepEqual(domainsOf(config), [
    { name: "a", split: "val" },
    { name: "b", split: "train" },
    { name: "c", files: ["/base/x/*.txt", "/y"] },
  ]);
  refused(
    "domains: [{ name: a }, { name: a }]",
    /domains\[1\]\.name: the name "a" is taken by domains\[0\]$/,
  );
  refused(
    "domains: [{ name: a, split: val, files: [x] }]",
    /split: a domain has a split or files, found both$/,
  );
  refused(
    "domains: [{ name: a, files: ['fetched:raw'] }]",
    /files: a decode stage reads files of this machine/,
  );
  refused("domains: [{ name: a, file: x }]", /unknown key "file".*did you mean "files"/);
});

Deno.test("more heads than a drafting arm has are refused, naming the arm; one that cannot draft is no obstacle", () => {
  assert.deepEqual(stage("heads: [3, auto]").heads, [3, "auto"]);
  refused("heads: [2, 4]", /heads\[1\]: expected at most the 3 heads of arm, found 4$/);
  refused("heads: [2, 2]", /heads\[1\]: 2 stands here twice$/);
  refused("heads: [0]", /heads\[0\]: /);
});

Deno.test("a batch has at most as many prompts as there are", () => {
  assert.deepEqual(stage("prompts: 8, batches: [1, 8]").batches, [1, 8]);
  refused("prompts: 8, batches: [1, 9]", /batches\[1\]: expected at most as many as prompts \(8\), found 9$/);
  refused("batches: [1, 1]", /batches\[1\]: 1 stands here twice$/);
});

Deno.test("a temperature below 0, and keys that say nothing of greedy decoding, are refused", () => {
  refused("sampling: { temperature: -1 }", /sampling\.temperature: /);
  refused(
    "sampling: { top_k: 40 }",
    /sampling\.top_k: says nothing of greedy decoding: set temperature above 0/,
  );
  refused("sampling: { top_p: 0.9 }", /sampling\.top_p: says nothing of greedy decoding/);
  refused("sampling: { min_p: 0.1 }", /sampling\.min_p: says nothing of greedy decoding/);
  stage("sampling: { repetition_penalty: 1.1 }");
  stage("sampling: { temperature: 0.7, top_k: 40, top_p: 0.9, min_p: 0.1 }");
});

Deno.test("sequential heads draft no trees", () => {
  assert.deepEqual(stage("tree: { candidates: 4 }").tree, { candidates: 4, nodes: 12 });
  refused(
    "tree: {}",
    /tree: the sequential heads of arm read each other's drafts: they draft chains, no trees$/,
    {
      kind: "sequential",
    },
  );
  refused("tree: { nodes: 33 }", /tree\.nodes: /);
});

/** Proves what `generation` of an eval stage may say, and what a wrong one is told. */
import assert from "node:assert/strict";
import { parsePipeline } from "../../src/config/load.ts";
import { hostsOfEval } from "../../src/config/hosts.ts";
import type { EvalConfig } from "../../src/config/schema.ts";
import { decisivePart } from "../../src/pipeline/fingerprint.ts";

const evalWith = (generation: string, context = 256): EvalConfig =>
  parsePipeline(
    `name: x
stages:
  - { id: text, run: prepare, input: stories, bytes: 2e4 }
  - id: arm
    run: train
    needs: [text]
    model: { width: 64, layers: 1, attention_heads: 2, context: ${context} }
    train: { steps: 1 }
  - { id: scores, run: eval, needs: [text, arm]${generation === "" ? "" : `, generation: ${generation}`} }
`,
    "x.yaml",
    "/base",
  ).stages.at(-1) as EvalConfig;

const refusal = (generation: string, context?: number): string => {
  try {
    evalWith(generation, context);
  } catch (error) {
    return (error as Error).message.replace(/^x\.yaml:\d+:\d+: /, "");
  }
  assert.fail("nothing was refused");
};

const JUDGE = "endpoint: 'http://127.0.0.1:8080/v1/', model: m";

Deno.test("generation is off by default, and so are SemScore and the judge where it is on", () => {
  assert.equal(evalWith("").generation, undefined);
  assert.deepEqual(evalWith("{}").generation, {
    prompts: 64,
    prompt_bytes: 64,
    new_bytes: 128,
    greedy: true,
    sampled: { temperature: 0.8, top_k: 0, top_p: 0.95, min_p: 0, repetition_penalty: 1 },
  });
  assert.deepEqual(hostsOfEval(evalWith("")), []);
  assert.deepEqual(hostsOfEval(evalWith("{}")), []);
});

Deno.test("a judge has an endpoint without a slash at its end, and defaults", () => {
  const { generation } = evalWith(`{ sampled: { top_k: 5 }, judge: { ${JUDGE} } }`);
  assert.deepEqual(generation!.sampled, {
    temperature: 0.8,
    top_k: 5,
    top_p: 1,
    min_p: 0,
    repetition_penalty: 1,
  });
  assert.deepEqual(generation!.judge, {
    endpoint: "http://127.0.0.1:8080/v1",
    model: "m",
    timeout: 60,
    attempts: 5,
    parallel: 4,
    max_missing: 0.1,
    scoring: "auto",
    samples: 20,
    pairwise: true,
  });
});

Deno.test("an eval stage's hosts are those of its servers, each once", () => {
  const one = evalWith(`{ judge: { ${JUDGE} }, semscore: { ${JUDGE} } }`);
  assert.deepEqual(hostsOfEval(one), ["127.0.0.1:8080"]);
  const two = evalWith(
    `{ judge: { ${JUDGE} }, semscore: { endpoint: 'https://api.example.com/v1', model: e } }`,
  );
  assert.deepEqual(hostsOfEval(two), ["api.example.com:443", "127.0.0.1:8080"]);
});

Deno.test("a wrong generation is refused with what was expected", () => {
  const path = "stages[2].generation";
  for (
    const [generation, message] of [
      ["{ prompt: 3 }", `${path}: unknown key "prompt": did you mean "prompts"?`],
      [
        "{ greedy: false, sampled: false }",
        `${path}: greedy: false and sampled: false leave nothing to measure`,
      ],
      ["{ sampled: { temperature: 0 } }", `${path}.sampled.temperature: expected more than 0, found 0`],
      ["{ judge: { model: m } }", `${path}.judge.endpoint: missing: expected text`],
      [
        "{ judge: { endpoint: '127.0.0.1:8080', model: m } }",
        `${path}.judge.endpoint: expected a URL that begins with https:// or http://`,
      ],
      [
        `{ judge: { ${JUDGE}, key_env: MY_KEY } }`,
        `${path}.judge.key_env: the command line hands stages OPENAI_API_KEY or FORETOKEN_API_KEY and no other ` +
        "variable: put the key into one of these",
      ],
      [
        `{ judge: { ${JUDGE}, timeout: 3e6 } }`,
        `${path}.judge.timeout: expected at most 86400, found 3000000`,
      ],
      [
        `{ judge: { ${JUDGE}, scoring: logprobs, samples: 20 } }`,
        `${path}.judge.samples: scoring: logprobs weights one answer and reads no samples: leave out one of the two`,
      ],
      ...["judge", "semscore"].map((server) =>
        [
          `{ ${server}: { endpoint: 'http://127.0.0.1.example/v1', model: m, key_env: OPENAI_API_KEY } }`,
          `${path}.${server}.key_env: the key would travel unencrypted: key_env needs an endpoint with https://, ` +
          "or one of this machine",
        ] as const
      ),
      [`{ judge: { ${JUDGE}, max_missing: 1 } }`, `${path}.judge.max_missing: expected less than 1, found 1`],
    ] as const
  ) {
    assert.equal(refusal(generation), message);
  }
  assert.equal(
    refusal("{}", 192),
    `${path}.new_bytes: 1 + prompt_bytes (64) + new_bytes (128) tokens do not fit the context of arm (192)`,
  );
  evalWith("{}", 193);
  for (const host of ["http://127.0.0.1:80", "http://localhost:80", "http://[::1]:80", "https://a.example"]) {
    evalWith(`{ judge: { endpoint: '${host}/v1', model: m, key_env: OPENAI_API_KEY } }`);
  }
  assert.equal(evalWith(`{ judge: { ${JUDGE}, scoring: logprobs } }`).generation!.judge!.samples, 20);
});

Deno.test("patience with a server does not decide the results, its model does", () => {
  const part = (more: string) => JSON.stringify(decisivePart(evalWith(`{ judge: { ${JUDGE}, ${more} } }`)));
  assert.equal(part("timeout: 5, attempts: 1, parallel: 9, max_missing: 0.5"), part(""));
  assert.notEqual(part("samples: 5"), part(""));
  assert.notEqual(part("pairwise: false"), part(""));
});

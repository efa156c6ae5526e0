/** A pipeline file ends in self-contained stages or in messages that name line, column, key and what was expected. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { parsePipeline } from "../../src/config/load.ts";
import { jsonSchema } from "../../src/config/schema.ts";
import { UsageError } from "../../src/stage/errors.ts";

const parse = (text: string, overrides: string[] = []) => parsePipeline(text, "f.yaml", "/base", overrides);

/** The message of the error that parsing ends in. */
function messageOf(text: string, overrides: string[] = []): string {
  try {
    parse(text, overrides);
  } catch (error) {
    assert(error instanceof UsageError, String(error));
    return error.message;
  }
  throw new assert.AssertionError({ message: "expected an error" });
}

const SMALL = `name: small
stages:
  - { id: text, run: prepare, input: stories }
  - id: ntp
    run: train
    needs: [text]
    model: &model { width: 64, layers: 1, attention_heads: 2, context: 16 }
    train: &train
      steps: 40
      lr: 1e-4
  - id: fwd
    run: train
    needs: [text]
    model: { <<: *model, heads: { count: 4 } }
    curriculum: forward
    train: *train
`;

Deno.test("parsePipeline() fills in defaults and makes stages self-contained", () => {
  const { stages } = parse(`name: a
seed: 7
threads: 2
stages:
  - { id: text, run: prepare, input: [books, /abs/*.txt], bytes: 4e6, validation: [books/emma.txt] }
  - { id: arm, run: train, needs: [text], model: { width: 128, layers: 5, attention_heads: 4, context: 128 }, train: { steps: 400 } }
  - { id: page, run: report, needs: [arm] }
`);
  assert.deepEqual(stages[0], {
    id: "text",
    run: "prepare",
    needs: [],
    input: ["/base/books", "/abs/*.txt"],
    bytes: 4e6,
    document: "file",
    tokenizer: "bytes",
    cleaning: { normalize: "none", min_bytes: 0, deduplicate: false },
    validation: ["/base/books/emma.txt"],
    on_error: "stop",
    shard_bytes: 256e6,
    seed: 7,
  });
  assert.deepEqual(stages[1], {
    id: "arm",
    run: "train",
    needs: ["text"],
    model: {
      width: 128,
      layers: 5,
      attention_heads: 4,
      kv_heads: 4,
      ffn: 352,
      context: 128,
      heads: { kind: "linear", count: 1 },
      rope_theta: 10_000,
      norm_eps: 1e-5,
      tied: false,
    },
    curriculum: "ntp",
    train: {
      steps: 400,
      batch: 8,
      accumulate: 1,
      recompute: "none",
      precision: "auto",
      optimizer: "adamw",
      lr: 3e-3,
      schedule: "cosine",
      min_lr: 0.1,
      decay: 0.2,
      decay_shape: "sqrt",
      warmup: 40,
      lr_scale: { heads: 1, embedding: 1 },
      weight_decay: 0.1,
      beta1: 0.9,
      beta2: 0.95,
      eps: 1e-8,
      momentum: 0.95,
      clip: 1,
      loss: "sum",
      z_loss: 0,
      ema: 0,
      predict_first: true,
      log_every: 10,
      validate_every: 100,
      validate_batches: 8,
      checkpoint_every: 200,
      keep: 2,
      keep_best: true,
    },
    seed: 7,
    device: "auto",
    threads: 2,
  });
  assert.deepEqual(stages[2], { id: "page", run: "report", needs: ["arm"] });
});

Deno.test("parsePipeline() keeps the words for made-up text and folders of those names apart", () => {
  const inputOf = (input: string) => {
    const stage = parse(`{ name: a, stages: [{ id: t, run: prepare, input: ${input} }] }`).stages[0]!;
    assert(stage.run === "prepare");
    return stage.input;
  };
  for (const word of ["stories", "names", "polynomials"]) assert.equal(inputOf(word), word);
  assert.deepEqual(inputOf("./stories"), ["/base/stories"]);
  assert.deepEqual(inputOf("[stories]"), ["/base/stories"]);
});

Deno.test("parsePipeline() expands merge keys and aliases", () => {
  const [, ntp, fwd] = parse(SMALL).stages;
  assert(ntp?.run === "train" && fwd?.run === "train");
  assert.deepEqual(fwd.model, { ...ntp.model, heads: { kind: "linear", count: 4 } });
  assert.deepEqual(fwd.train, ntp.train);
  assert.equal(ntp.train.lr, 1e-4);
});

/** A file with one stage's worth of mistakes, and every line that is said about it. */
const MISTAKES: Record<string, [file: string, ...lines: string[]]> = {
  "an empty file": ["", "f.yaml:1:1: expected a map, found nothing"],
  "a list": ["- a", "f.yaml:1:1: expected a map, found a list"],
  "a missing key": ["name: a", "f.yaml:1:1: stages: missing: expected a list"],
  "no stages": [
    "name: a\nstages: []",
    "f.yaml:2:9: stages: expected a list of at least 1, found an empty list",
  ],
  "two values for one key, and a list without an end": [
    "name: a\nname: b\nstages: [",
    "f.yaml:2:1: Map keys must be unique",
    "f.yaml:3:10: Flow sequence in block collection must be sufficiently indented and end with a ]",
  ],
  "an alias without an anchor": [
    "name: *nobody\nstages: []",
    "f.yaml: Unresolved alias (the anchor must be set before the alias): nobody",
  ],
  "a name that is no folder": [
    "name: ../up\nstages: [{ id: a b, run: prepare, input: stories }]",
    'f.yaml:1:7: name: expected letters, digits, - and _, at most 64, the first a letter or a digit, found "../up"',
    'f.yaml:2:16: stages[0].id: expected letters, digits, - and _, at most 64, the first a letter or a digit, found "a b"',
  ],
  "a mistyped kind, a stage that is none, and one without a kind": [
    "name: a\nstages:\n  - { id: a, run: trian }\n  - 5\n  - id: b",
    'f.yaml:3:19: stages[0].run: expected fetch | prepare | import | train | eval | decode | export | report, found "trian": did you mean "train"?',
    "f.yaml:4:5: stages[1]: expected a map, found 5",
    "f.yaml:5:5: stages[2].run: missing: expected fetch | prepare | import | train | eval | decode | export | report",
  ],
  "mistyped keys": [
    "name: a\nsede: 1\nstages:\n  - { id: a, run: prepare, input: stories, byts: 4 }",
    'f.yaml:2:1: unknown key "sede": did you mean "seed"?',
    'f.yaml:4:44: stages[0]: unknown key "byts": did you mean "bytes"?',
  ],
  "values out of range": [
    "name: a\nthreads: 0\nseed: -1\nstages:\n  - { id: a, run: prepare, input: [3], validation: 1.5, bytes: 1.5, shard_bytes: 9 }",
    "f.yaml:2:10: threads: expected at least 1, found 0",
    "f.yaml:3:7: seed: expected at least 0, found -1",
    "f.yaml:5:36: stages[0].input[0]: expected a path | a map with a path, found 3",
    "f.yaml:5:52: stages[0].validation: expected less than 1, found 1.5",
    "f.yaml:5:64: stages[0].bytes: expected a whole number, found 1.5",
    "f.yaml:5:82: stages[0].shard_bytes: expected at least 1024, found 9",
  ],
  "values of another type": [
    "name: a\ndevice: cpux\nthreads: many\nstages:\n  - { id: a, run: prepare, input: {}, validation: yes, bytes: 4 MB }",
    'f.yaml:2:9: device: expected auto | cpu | cuda, found "cpux": did you mean "cpu"?',
    'f.yaml:3:10: threads: expected auto | a whole number, found "many"',
    "f.yaml:5:35: stages[0].input: expected stories | names | polynomials | a path | a list of paths and of maps with a path, found a map",
    'f.yaml:5:51: stages[0].validation: expected a share between 0 and 1 | a number of documents | a list of paths, found "yes"',
    'f.yaml:5:63: stages[0].bytes: expected a number, found "4 MB"',
  ],
};

for (const [what, [text, ...lines]] of Object.entries(MISTAKES)) {
  Deno.test(`parsePipeline() tells where and what is wrong, given ${what}`, () => {
    assert.deepEqual(messageOf(text).split("\n"), lines);
  });
}

/** SMALL with one thing changed, and every line that is said about it. */
const CHANGES: [from: string, to: string, ...lines: string[]][] = [
  [
    "lr: 1e-4",
    "lr: abc",
    ...["1", "2"].map((i) => `f.yaml:10:11: stages[${i}].train.lr: expected a number, found "abc"`),
  ],
  [
    "width: 64,",
    "widht: 64,",
    ...["1", "2"].flatMap((i) => [
      `f.yaml:7:21: stages[${i}].model: unknown key "widht": did you mean "width"?`,
    ]),
    "f.yaml:7:19: stages[1].model.width: missing: expected a whole number, or a preset",
    "f.yaml:14:12: stages[2].model.width: missing: expected a whole number, or a preset",
  ],
  [
    "count: 4",
    "count: 16",
    "f.yaml:14:42: stages[2].model.heads.count: expected less than context (16), found 16",
  ],
  ["count: 4", "cuont: 4", 'f.yaml:14:35: stages[2].model.heads: unknown key "cuont": did you mean "count"?'],
  [
    "heads: { count: 4 }",
    "kv_heads: 3",
    "f.yaml:14:36: stages[2].model.kv_heads: expected a divisor of attention_heads (2), found 3",
  ],
  [
    "heads: { count: 4 }",
    "attention_heads: 3",
    "f.yaml:14:43: stages[2].model.attention_heads: expected a divisor of width (64), found 3",
  ],
  [
    "heads: { count: 4 }",
    "attention_heads: 64",
    "f.yaml:14:43: stages[2].model.attention_heads: width / attention_heads must be even (rotary pairs), found 1",
  ],
  [
    "curriculum: forward",
    "curriculum: forwrd",
    'f.yaml:15:17: stages[2].curriculum: expected ntp | mtp | forward | reverse | forward-reverse | reverse-refresh | adaptive | a map with phases, found "forwrd": did you mean "forward"?',
  ],
  [
    "curriculum: forward",
    "curriculum: { phase: [] }",
    'f.yaml:15:19: stages[2].curriculum: unknown key "phase": did you mean "phases"?',
  ],
  [
    "curriculum: forward",
    "curriculum: { phases: [{ until: 0.5, weights: [1, 0, 0, 0] }] }",
    "f.yaml:15:37: stages[2].curriculum.phases[0].until: the last phase ends at 1, found 0.5",
  ],
  [
    "curriculum: forward",
    "curriculum: { phases: [{ until: 1, weights: [1] }] }",
    "f.yaml:15:49: stages[2].curriculum.phases[0].weights: expected one number for each of 4 heads, found 1",
  ],
  [
    "curriculum: forward",
    "curriculum: { phases: [{ until: 1, weights: [0, 0, 0, 0] }] }",
    "f.yaml:15:49: stages[2].curriculum.phases[0].weights: expected at least one weight above 0",
  ],
  [
    "curriculum: forward",
    "curriculum: { phases: [{ until: 1, weights: [1, 1, 1, 1] }, { until: 0.5, weights: [1, 1, 1, 1] }] }",
    "f.yaml:15:74: stages[2].curriculum.phases[1].until: expected more than the phase before (1), found 0.5",
  ],
  [
    "curriculum: forward",
    "curriculum: {}",
    "f.yaml:15:17: stages[2].curriculum: expected preset or phases, found neither",
  ],
  [
    "curriculum: forward",
    "curriculum: { preset: custom }",
    "f.yaml:15:17: stages[2].curriculum.phases: missing: a custom curriculum is a list of phases",
  ],
  [
    "curriculum: forward",
    "curriculum: { preset: forward, refresh: 0.1, window: 5 }",
    'f.yaml:15:36: stages[2].curriculum: forward does not read "refresh": reverse-refresh does',
    'f.yaml:15:50: stages[2].curriculum: forward does not read "window": adaptive does',
  ],
  [
    "curriculum: forward",
    "curriculum: { preset: adaptive, min_steps: 9, max_steps: 8 }",
    "f.yaml:15:62: stages[2].curriculum.max_steps: expected at least min_steps (9), found 8",
  ],
  [
    "curriculum: forward",
    "curriculum: { preset: adaptive, window: 5, max_steps: 9 }",
    "f.yaml:15:59: stages[2].curriculum.max_steps: expected at least two windows (2 x 5), which show what is flat, found 9",
  ],
  [
    "curriculum: forward",
    "curriculum: { phases: [{ until: 1, weights: [1, 1, 1, 1], to: [1] }] }",
    "f.yaml:15:67: stages[2].curriculum.phases[0].to: expected one number for each of 4 heads, found 1",
  ],
  [
    "curriculum: forward",
    "curriculum: { phases: [{ until: 1, weights: [1, 0, 0, 0], freeze: [trunk, head5] }] }",
    "f.yaml:15:71: stages[2].curriculum.phases[0].freeze: there are 4 heads, found head5",
  ],
  [
    "curriculum: forward",
    "curriculum: { phases: [{ until: 1, weights: [1, 0, 0, 0], freeze: [trunk, embedding, head1] }] }",
    "f.yaml:15:71: stages[2].curriculum.phases[0].freeze: nothing that is awake is left to learn",
  ],
  [
    "curriculum: forward",
    "curriculum: { phases: [{ until: 1, weights: [1, 0, 0, 0], freeze: [trnk] }] }",
    'f.yaml:15:72: stages[2].curriculum.phases[0].freeze[0]: expected trunk | embedding | heads | head1, head2, ..., found "trnk"',
  ],
  [
    "lr: 1e-4",
    "lr: 0",
    ...["1", "2"].map((i) => `f.yaml:10:11: stages[${i}].train.lr: expected more than 0, found 0`),
  ],
  [
    "lr: 1e-4",
    "lr: fast",
    ...["1", "2"].map((i) => `f.yaml:10:11: stages[${i}].train.lr: expected a number, found "fast"`),
  ],
  [
    "lr: 1e-4",
    "schedule: wsd\n      decay: 0.95",
    ...["1", "2"].map((i) =>
      `f.yaml:11:14: stages[${i}].train.decay: the decay (38 steps) and the warm-up (4) exceed steps (40)`
    ),
  ],
  [
    "steps: 40",
    "steps: 0",
    ...["1", "2"].map((i) => `f.yaml:9:14: stages[${i}].train.steps: expected at least 1, found 0`),
  ],
  [
    "lr: 1e-4",
    "warmup: 41",
    ...["1", "2"].map((i) =>
      `f.yaml:10:15: stages[${i}].train.warmup: expected at most as many as steps (40), found 41`
    ),
  ],
  ["id: fwd", "id: ntp", 'f.yaml:11:9: stages[2].id: the id "ntp" is taken by an earlier stage'],
  ["id: fwd", "id: device", 'f.yaml:11:9: stages[2].id: "device" is a key of the file: choose another id'],
  [
    "id: fwd",
    "id: lock",
    'f.yaml:11:9: stages[2].id: "lock" is a file of the run\'s folder: choose another id',
  ],
  [
    "needs: [text]\n    model: &",
    "needs: [txt]\n    model: &",
    'f.yaml:6:13: stages[1].needs[0]: no stage has the id "txt": did you mean "text"?',
  ],
  [
    "needs: [text]\n    model: &",
    "needs: [ntp]\n    model: &",
    "f.yaml:6:13: stages[1].needs[0]: a stage cannot need itself",
  ],
  [
    "needs: [text]\n    model: &",
    "needs: [fwd]\n    model: &",
    'f.yaml:6:13: stages[1].needs[0]: "fwd" is a train stage, which a train stage does not read',
  ],
  [
    "needs: [text]\n    model: &",
    "needs: [text, text]\n    model: &",
    'f.yaml:6:19: stages[1].needs[1]: "text" stands here twice',
  ],
  [
    "needs: [text]\n    model: &",
    "model: &",
    "f.yaml:4:5: stages[1].needs: a train stage needs one prepare stage, found none",
  ],
  [
    "needs: [text]\n    model: {",
    "needs: [ntp]\n    model: {",
    'f.yaml:13:13: stages[2].needs[0]: "ntp" is a train stage, which a train stage does not read',
  ],
];

Deno.test("parsePipeline() points at the value, through aliases and merges, when keys do not fit together", () => {
  for (const [from, to, ...lines] of CHANGES) {
    assert(SMALL.includes(from), from);
    assert.deepEqual(messageOf(SMALL.replace(from, to)).split("\n").sort(), lines.toSorted(), to);
  }
});

Deno.test("parsePipeline() tells what a stage needs when it needs too little", () => {
  const more = `${SMALL}  - { id: e, run: eval, needs: [text] }\n  - { id: p, run: report }\n`;
  assert.deepEqual(messageOf(more).split("\n"), [
    "f.yaml:17:32: stages[3].needs: an eval stage needs at least one train stage, found none",
    "f.yaml:18:5: stages[4].needs: a report stage needs at least one stage, found none",
  ]);
});

Deno.test("parsePipeline() takes every count, share and rate that a number can be written as", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 1e9 }), fc.boolean(), (bytes, exponent) => {
    const written = exponent ? bytes.toExponential() : String(bytes);
    const [stage] =
      parse(`{ name: a, stages: [{ id: t, run: prepare, input: stories, bytes: ${written} }] }`).stages;
    assert(stage?.run === "prepare");
    assert.equal(stage.bytes, bytes);
  }));
});

Deno.test("parsePipeline() ends in stages or in a UsageError, whatever the text", () => {
  const word = fc.constantFrom(
    "name",
    "stages",
    "id",
    "run",
    "prepare",
    "<<",
    "*a",
    "&a",
    "__proto__",
    "1e400",
    "~",
  );
  const glue = fc.constantFrom(": ", "\n", "\n  - ", ", ", "{", "}", "[", "]", "  ", "#", "? ");
  fc.assert(fc.property(fc.array(fc.oneof(word, glue), { maxLength: 30 }), (parts) => {
    try {
      parse(parts.join(""));
    } catch (error) {
      assert(error instanceof UsageError, String((error as Error).stack));
    }
  }));
});

Deno.test("parsePipeline() refuses a bomb of aliases", () => {
  const levels = Array.from({ length: 20 }, (_, i) => `k${i + 1}: &k${i + 1} [${`*k${i},`.repeat(9)}]`);
  const message = messageOf(`k0: &k0 [x]\n${levels.join("\n")}\n`);
  assert.equal(message, "f.yaml: Excessive alias count indicates a resource exhaustion attack");
});

Deno.test("jsonSchema() demands only the keys without a default", () => {
  const schema = jsonSchema() as { required: string[] };
  assert.deepEqual(schema.required, ["name", "stages"]);
});

const EXCHANGE = `name: x
stages:
  - { id: raw, run: fetch, dataset: wikitext-2, split: train }
  - { id: base, run: import, from: models/llama }
  - { id: text, run: prepare, needs: [raw], input: 'fetched:raw/data/*.parquet' }
  - { id: arm, run: train, needs: [text, base], model: { preset: 1m, context: 64 }, train: { steps: 4 } }
  - { id: out, run: export, needs: [arm], to: hf }
`;

Deno.test("parsePipeline() looks up a data set's short name, and leaves what the stage says itself", () => {
  const [raw, base, text] = parse(EXCHANGE).stages;
  assert.deepEqual(raw, {
    id: "raw",
    run: "fetch",
    needs: [],
    dataset: "Salesforce/wikitext",
    config: "wikitext-2-raw-v1",
    split: "train",
    revision: "main",
    endpoint: "https://huggingface.co",
    hosts: [],
    parallel: 3,
  });
  assert(base?.run === "import" && base.from === "/base/models/llama");
  assert(text?.run === "prepare");
  assert.deepEqual(text.input, ["fetched:raw/data/*.parquet"]);
  const [own] = parse(EXCHANGE.replace("split: train", "include: ['*.txt']")).stages;
  assert(own?.run === "fetch" && own.config === undefined && own.include?.[0] === "*.txt");
});

Deno.test("parsePipeline() tells which stages fetching, importing and exporting go with", () => {
  const cases: [from: string, to: string, message: string][] = [
    [
      "wikitext-2",
      "wikitext2",
      "3:37: stages[0].dataset: expected owner/name or one of minipile | fineweb-edu | openwebtext | tinystories | " +
      'wikitext-2 | wikitext-103, found "wikitext2": did you mean "wikitext-2"?',
    ],
    [
      "wikitext-2",
      "a/b/c",
      '3:37: stages[0].dataset: expected a short name (minipile) or owner/name, found "a/b/c"',
    ],
    [
      "fetched:raw",
      "fetched:row",
      '5:52: stages[2].input: fetched:row needs a fetch stage "row" in needs, found raw: did you mean "raw"?',
    ],
    [
      "needs: [raw], input",
      "input",
      '5:38: stages[2].input: fetched:raw needs a fetch stage "raw" in needs, found none',
    ],
    [
      "[text, base]",
      "[text, raw]",
      '6:42: stages[3].needs[1]: "raw" is a fetch stage, which a train stage does not read',
    ],
    [
      "needs: [arm], ",
      "",
      "7:5: stages[4].needs: an export stage has one train stage in needs, or the folder of one in from",
    ],
    [
      "to: hf",
      "from: runs/x/y",
      "7:36: stages[4].needs: an export stage has one train stage in needs, or the folder of one in from",
    ],
  ];
  for (const [from, to, message] of cases) {
    assert.equal(messageOf(EXCHANGE.replace(from, to)), `f.yaml:${message}`);
  }
});

/** Run folders made in memory: what the stages would have left behind, with made-up numbers. */

import type { ReadText } from "../../src/report/read.ts";
import type { Need } from "../../src/stage/io.ts";

/** Files by path; `remove` and `set` make the broken ones. */
export type Files = Map<string, string>;

/** The folder of the report stage in {@link completeRun}. */
export const REPORT = "/runs/quickstart/report";

/** Reads from these files only. */
export function reader(files: Files): ReadText {
  return (path) => files.get(path) ?? null;
}

/** Needs in the run folder of {@link REPORT}, `[id, run]` each. */
export function needs(...stages: readonly (readonly [id: string, run: string])[]): Need[] {
  return stages.map(([id, run]) => ({ id, run, folder: `/runs/quickstart/${id}` }));
}

/** The needs of {@link completeRun}. */
export const ALL = needs(["text", "prepare"], ["ntp", "train"], ["forward", "train"], ["eval", "eval"], [
  "decode",
  "decode",
]);

const STEPS = 400;
const COMMAND = { file: "pipelines/quickstart.yaml", set: [] };

/** A run with two arms, evaluated and decoded. */
export function completeRun(): Files {
  const files: Files = new Map();
  const put = (path: string, value: unknown): void => {
    files.set(`/runs/quickstart/${path}`, JSON.stringify(value, null, 2));
  };
  put("pipeline.json", { versions: { foretoken: "0.1.0", deno: "2.9.6" } });
  put("text/stage.json", {
    config: { id: "text", run: "prepare", input: "stories", bytes: 4e6, validation: 0.02 },
    command: COMMAND,
  });
  put("text/meta.json", meta());
  put("text/statistics.json", statistics());
  putArm(files, "ntp", 1, [[0, 400, 1]], 1.6);
  putArm(files, "forward", 4, [[0, 100, 1], [100, 200, 2], [200, 300, 3], [300, 400, 4]], 1.61);
  put("eval/stage.json", {
    config: { id: "eval", run: "eval", split: "val", tokens: 200_000, seed: 1337 },
    command: COMMAND,
  });
  put("eval/eval.json", evaluation());
  put("decode/stage.json", {
    config: { id: "decode", run: "decode", prompts: 16, mode: "strict" },
    command: COMMAND,
  });
  put("decode/decode.json", decoding());
  return files;
}

/** Changes one JSON file in place. */
// deno-lint-ignore no-explicit-any
export function change(files: Files, path: string, edit: (value: any) => void): void {
  const value = JSON.parse(files.get(`/runs/quickstart/${path}`)!);
  edit(value);
  files.set(`/runs/quickstart/${path}`, JSON.stringify(value));
}

function meta(): unknown {
  return {
    format: "foretoken-shards",
    tokenizer: { kind: "bytes", vocab: 320 },
    sources: [{ path: "stories", bytes: 4_000_000, documents: 9_876, tokens: 4_000_000, skipped: 2 }],
    cleaning: { deduplicate: { documents: 17, bytes: 6_212 }, min_bytes: { documents: 0, bytes: 0 } },
    splits: {
      train: { documents: 9_678, bytes: 3_920_112, tokens: 3_929_791, shards: [{}] },
      val: { documents: 198, bytes: 79_888, tokens: 80_087, shards: [{}] },
    },
  };
}

function statistics(): unknown {
  const count = (label: string, count: number) => ({ id: 1, label, count });
  return {
    lengths: {
      documents: 9_876,
      shortest: 12,
      longest: 1_682,
      mean: 405.2,
      bins: [8, 16, 32, 64, 128, 256, 512, 1024].map((from, i) => ({
        from,
        documents: i === 2 ? 0 : 400 * i,
      })),
    },
    frequencies: {
      counted: 3_920_112,
      tokens: 3_920_112,
      used: 70,
      vocab: 320,
      most: [count("·", 696_633), count("e", 404_908)],
      least: [count("<b>", 3), count("\\x1b", 4), count("Q", 5)],
    },
    samples: [{
      split: "train",
      document: 7,
      tokens: 300,
      text: "Once <i>upon</i> a time\u0007\n there was",
    }],
  };
}

/** Phases as `[from, to, heads awake]`. */
function putArm(
  files: Files,
  id: string,
  heads: number,
  phases: readonly (readonly [from: number, to: number, awake: number])[],
  floor: number,
): void {
  const full = phases.map(([from, to, awake]) => ({ from, to, weights: weights(heads, awake) }));
  const folder = `/runs/quickstart/${id}`;
  files.set(`${folder}/stage.json`, JSON.stringify({ config: trainConfig(id, heads), command: COMMAND }));
  files.set(`${folder}/metrics.jsonl`, metrics(full, floor));
  files.set(
    `${folder}/train.json`,
    JSON.stringify({
      steps: STEPS,
      tokens: 409_600,
      bytes: 407_113,
      seconds: 61.4,
      parameters: {
        trunk: 1_001_600,
        embedding: 40_960,
        heads: Array(heads).fill(40_960),
        total: 1_042_560 + heads * 40_960,
      },
      curriculum: { name: id, heads, phases: full },
      device: "cpu",
      threads: 2,
      versions: { torch: "2.13.0", deno: "2.9.6", shim: "1" },
      tokens_per_s: 6_671.2,
    }),
  );
}

function weights(heads: number, awake: number): number[] {
  return Array.from({ length: heads }, (_, i) => i < awake ? 1 : 0);
}

function trainConfig(id: string, heads: number): unknown {
  return {
    id,
    run: "train",
    needs: ["text"],
    model: {
      width: 128,
      layers: 5,
      attention_heads: 4,
      context: 128,
      heads: { kind: "linear", count: heads },
    },
    curriculum: id,
    train: { steps: STEPS, batch: 8, lr: 3e-3 },
    seed: 1337,
    device: "auto",
    threads: "auto",
  };
}

function metrics(phases: readonly { to: number; weights: number[] }[], floor: number): string {
  const lines: unknown[] = [];
  const awakeSince: (number | undefined)[] = [];
  for (let step = 10; step <= STEPS; step += 10) {
    const weights = phases.find(({ to }) => step <= to)!.weights;
    const losses = weights.map((weight, head) => {
      if (weight === 0) return null;
      const age = step - (awakeSince[head] ??= step - 10);
      const wobble = 0.05 * Math.sin(step * 12.9898 + head * 78.233);
      return (floor / 1.45 + head * 0.35) + 4.4 * Math.exp(-age / (40 - head * 6)) + wobble;
    });
    lines.push({ kind: "step", step, tokens: step * 1024, loss: 1, heads: losses, weights, lr: 1e-3 });
    if (step % 100 !== 0) continue;
    lines.push({
      kind: "validation",
      step,
      bits_per_byte: floor + 2.4 * Math.exp(-step / 90),
      heads: [],
      acceptance: [],
      expected_tokens_per_forward: 1 + (weights.filter((weight) => weight > 0).length - 1) * 0.44,
    });
  }
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

function evaluation(): unknown {
  const head = (number: number) => ({
    head: number,
    loss: 1.1 + number * 0.31,
    bits_per_byte: number === 1 ? 1.61 : null,
    accuracy: 0.78 - number * 0.11,
    targets: 79_000 - number,
  });
  const arm = (id: string, heads: number, bits: number) => ({
    id,
    curriculum: id,
    heads: Array.from({ length: heads }, (_, i) => head(i + 1)),
    bits_per_byte: bits,
    bytes: 79_888,
    context: { tokens: 256, bytes: 255 },
    tokens: 80_087,
    expected_tokens_per_forward: 1 + (heads - 1) * 0.44,
    seconds: 3.2,
  });
  return { split: "val", arms: [arm("ntp", 1, 1.6049), arm("forward", 4, 1.6131)] };
}

/** Tokens per forward, speed-up, and accepted shares by depth, of each number of heads. */
const DRAFTED = [
  { heads: 2, tokens_per_forward: 1.724, speedup: 1.42, accepted: [1461] },
  { heads: 3, tokens_per_forward: 2.118, speedup: 1.66, accepted: [1050, 581] },
  { heads: 4, tokens_per_forward: 2.309, speedup: 1.798, accepted: [642, 355, 164] },
] as const;

function decoding(): unknown {
  const repetition = { rep_4: 0.1234, distinct_2: 0.4321 };
  const forward = (steps: number, trunk: number) => ({
    steps,
    milliseconds: { trunk, heads: trunk / 5, sampling: 0.021, bookkeeping: 0.049 },
  });
  const plain = {
    heads: 1,
    tokens: 2048,
    forwards: 2032,
    seconds: 9.1,
    tokens_per_s: 225.05,
    tokens_per_forward: 1,
    speedup: 1,
    ideal: null,
    forward: forward(2032, 3.9),
    acceptance: [],
    equal: { identical: 16, ties: 0, different: 0, first_differences: [] },
    repetition,
  };
  const drafting = DRAFTED.map(({ heads, tokens_per_forward, speedup, accepted }) => ({
    ...plain,
    heads,
    forwards: Math.round(2032 / tokens_per_forward),
    tokens_per_s: 225.05 * speedup,
    tokens_per_forward,
    speedup,
    ideal: {
      forward_cost: 1.15,
      speedup: tokens_per_forward / 1.15,
      reached: speedup / tokens_per_forward * 1.15,
    },
    forward: forward(887, 4.4),
    acceptance: acceptance(Math.round(2032 / tokens_per_forward), accepted),
  }));
  const domain = (drafts: boolean) => ({
    name: "val",
    prompts: 16,
    bytes_per_token: 1,
    repetition: { plain: repetition, truth: { rep_4: 0.0123, distinct_2: 0.7891 } },
    teacher_forced: {
      tokens: 2048,
      bits_per_byte: 1.598,
      acceptance: drafts ? acceptance(2000, [1280, 700, 320]) : [],
      expected_tokens_per_forward: drafts ? 2.1 : 1,
    },
    batches: [{
      batch: 1,
      other_plain: { kernels: "aten", tokens_per_s: 180.2 },
      measurements: drafts ? [plain, ...drafting] : [plain],
    }],
    samples: samples(drafts),
  });
  return {
    mode: "strict",
    tolerance: 1e-4,
    prompt_bytes: 64,
    new_tokens: 128,
    repeats: 3,
    sampling: { temperature: 0, top_k: 0, top_p: 1, min_p: 0, repetition_penalty: 1 },
    acceptance: "exact",
    lossless: true,
    tree: null,
    machine: { cpus: 2, threads: 2, device: "cpu", gpu: null, torch: "2.13.0", deno: "2.9.6" },
    domains: [{ name: "val", source: "val" }],
    arms: [
      { id: "ntp", curriculum: "ntp", heads: 1, kernels: "rows", domains: [domain(false)] },
      { id: "forward", curriculum: "forward", heads: 4, kernels: "rows", domains: [domain(true)] },
    ],
  };
}

function acceptance(passes: number, accepted: readonly number[]): unknown {
  let [proposed, cumulative] = [passes, 1];
  return accepted.map((accepted, i) => {
    const conditional = accepted / proposed;
    const depth = { depth: i + 2, proposed, accepted, conditional, cumulative: cumulative *= conditional };
    proposed = accepted;
    return depth;
  });
}

function samples(drafts: boolean): unknown {
  const texts = [
    [
      "Once there was a girl named Mira who had a small red kite. Every m",
      "orning she took the kite to the hill and the wind was kind. \n\nOne day the kite flew away, and Mira was sad.",
    ],
    [
      'The old cat <of> the "mill" sat & watched',
      " the river.\u0000\u0007 It saw a fish \u{1F41F}, and the fish saw the cat. \u202eNeither moved.",
    ],
    ["Tom and his brother", " were building a boat. The boat was blue, and the brothers were proud of it."],
  ];
  return texts.map(([prompt, text]) => ({
    prompt,
    text,
    drafted: drafts
      ? Array.from({ length: Math.floor(text!.length / 7) }, (_, i) => [i * 7 + 2, i * 7 + 5 + i % 3])
      : [],
  }));
}

/** A made-up study: curricula by seeds (by texts), each arm with a stage of its own for evaluation and for decoding. */

import type { Need } from "../../src/stage/io.ts";
import type { Files } from "./fixture.ts";

/** How large the study is. */
export interface Study {
  readonly curricula: readonly string[];
  readonly seeds: readonly number[];
  /** Names of prepare stages; a name with `bpe` has subwords. */
  readonly texts: readonly string[];
  /** K of all but `ntp`. */
  readonly heads: number;
  readonly steps: number;
  readonly logEvery: number;
  /** Samples of each arm. */
  readonly samples: number;
}

/** As `study_small`: the paper's arms and ours, three seeds, one text. */
export const SMALL: Study = {
  curricula: ["ntp", "mtp", "forward", "reverse", "forward-reverse", "reverse-refresh"],
  seeds: [1, 2, 3],
  texts: ["books"],
  heads: 4,
  steps: 1000,
  logEvery: 10,
  samples: 3,
};

/** 60 arms with a line of metrics a step. */
export const LARGE: Study = {
  ...SMALL,
  seeds: [1, 2, 3, 4, 5],
  texts: ["books", "books-bpe"],
  steps: 3000,
  logEvery: 1,
  samples: 16,
};

export const STUDY_REPORT = "/runs/study/report";

/** Bits per byte, conditional acceptance at depth 2, and the share that each further depth keeps of it. */
const CHARACTER: Readonly<Record<string, readonly [bits: number, accepted: number, kept: number]>> = {
  ntp: [2.101, 0, 0],
  mtp: [2.163, 0.64, 0.86],
  forward: [2.137, 0.6, 0.82],
  reverse: [2.104, 0.05, 0.4],
  "forward-reverse": [2.118, 0.22, 0.5],
  "reverse-refresh": [2.106, 0.5, 0.75],
};

/** The files, and what the report needs of them. */
export function study(size: Study): { files: Files; needs: Need[] } {
  const files: Files = new Map();
  const needs: Need[] = [];
  const random = seeded(7);
  const put = (id: string, run: string, config: object, results: Readonly<Record<string, unknown>>): void => {
    const folder = `/runs/study/${id}`;
    needs.push({ id, run, folder });
    const command = { file: "pipelines/study_small.yaml", set: [] };
    files.set(`${folder}/stage.json`, JSON.stringify({ config: { id, run, ...config }, command }));
    for (const [name, value] of Object.entries(results)) {
      files.set(`${folder}/${name}`, typeof value === "string" ? value : JSON.stringify(value));
    }
  };
  for (const text of size.texts) {
    put(text, "prepare", { input: text }, { "meta.json": meta(text) });
  }
  const arms = size.texts.flatMap((text) =>
    size.curricula.flatMap((curriculum) =>
      size.seeds.map((seed) => armOf(size, text, curriculum, seed, random))
    )
  );
  for (const arm of arms) {
    const { id, seed, text, heads, curriculum, train, metrics } = arm;
    const model = { width: 128, layers: 6, context: 256, heads: { kind: "linear", count: heads } };
    const config = { needs: [text], model, curriculum, train: { steps: size.steps }, seed, threads: 2 };
    put(id, "train", config, { "train.json": train, "metrics.jsonl": metrics });
  }
  for (const { id, text, evaluation } of arms) {
    put(id.replace("arm", "eval"), "eval", { needs: [text, id], each: "arm", split: "val" }, {
      "eval.json": evaluation,
    });
  }
  for (const { id, text, decoding } of arms) {
    put(id.replace("arm", "decode"), "decode", { needs: [text, id], each: "arm", prompts: 16 }, {
      "decode.json": decoding,
    });
  }
  return { files, needs };
}

/** Numbers in [0, 1) that are the same every time (mulberry32). */
function seeded(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function meta(text: string): unknown {
  const isBytes = !text.includes("bpe");
  const split = (megabytes: number) => {
    const bytes = megabytes * 1_000_000 + text.charCodeAt(0); // texts differ, whatever their tokens
    return { documents: 40, bytes, tokens: isBytes ? bytes : Math.round(bytes / 2.9), shards: [{}] };
  };
  return {
    tokenizer: isBytes ? { kind: "bytes", vocab: 320 } : { kind: "bpe", vocab: 4096 },
    sources: [{ path: `${text}/*.txt`, documents: 44, bytes: 21_000_000, tokens: 21_000_000, skipped: 0 }],
    cleaning: {},
    splits: { train: split(20), val: split(1) },
  };
}

function armOf(size: Study, text: string, curriculum: string, seed: number, random: () => number) {
  const noise = (scale: number): number => (random() + random() + random() - 1.5) * scale;
  const heads = curriculum === "ntp" ? 1 : size.heads;
  const [bits, accepted, kept] = CHARACTER[curriculum]!;
  const bitsPerByte = bits + noise(0.012) - (text.includes("bpe") ? 0.31 : 0);
  const phases = phasesOf(curriculum, heads, size.steps);
  const shares = Array.from({ length: heads - 1 }, (_, i) => clamp(accepted * kept ** i + noise(0.05)));
  const id = size.texts.length === 1 ? `arm-${curriculum}-s${seed}` : `arm-${text}-${curriculum}-s${seed}`;
  return {
    id,
    seed,
    text,
    heads,
    curriculum,
    metrics: metricsOf(size, phases, heads, bitsPerByte, shares, random),
    train: {
      steps: size.steps,
      tokens: size.steps * 1024,
      bytes: size.steps * 1020,
      seconds: 150 + 20 * heads + noise(6),
      parameters: { heads: Array(heads).fill(40_960), total: 1_042_560 + heads * 40_960 },
      curriculum: { name: curriculum, heads, phases },
      device: "cpu",
      threads: 2,
      versions: { torch: "2.13.0", deno: "2.9.6", shim: "1" },
      tokens_per_s: 20_000 - 1500 * heads + noise(300),
    },
    evaluation: {
      split: "val",
      arms: [{
        id,
        curriculum,
        heads: Array.from({ length: heads }, (_, i) => ({
          head: i + 1,
          loss: bitsPerByte * Math.LN2 + 0.4 * i,
          accuracy: 0.6 - 0.1 * i,
          targets: 79_000 - i,
        })),
        bits_per_byte: bitsPerByte,
        bytes: 79_888,
        context: { tokens: 256, bytes: 255 },
        tokens: 80_087,
        expected_tokens_per_forward: 1 + sumOfProducts(shares),
      }],
    },
    decoding: decodingOf(id, curriculum, heads, shares, size.samples, noise),
  };
}

const clamp = (share: number): number => Math.min(0.98, Math.max(0, share));

/** Tokens that a forward gives beyond its own, where depth i is reached only if those before it were accepted. */
function sumOfProducts(shares: readonly number[]): number {
  let product = 1;
  return shares.reduce((sum, share) => sum + (product *= share), 0);
}

function phasesOf(curriculum: string, K: number, steps: number) {
  const upTo = (awake: number) => Array.from({ length: K }, (_, i) => i < awake ? 1 : 0);
  const ups = Array.from({ length: K }, (_, i) => upTo(i + 1));
  const weights: Readonly<Record<string, number[][]>> = {
    forward: ups,
    reverse: ups.toReversed(),
    "forward-reverse": [...ups, ...ups.toReversed().slice(1)],
    "reverse-refresh": [...ups.toReversed(), [0, ...upTo(K).slice(1)]],
  };
  const all = weights[curriculum] ?? [upTo(K)];
  const at = (i: number): number => Math.round(steps * i / all.length);
  return all.map((weights, i) => ({ from: at(i), to: at(i + 1), weights }));
}

function metricsOf(
  { steps, logEvery }: Study,
  phases: readonly { to: number; weights: number[] }[],
  heads: number,
  bits: number,
  shares: readonly number[],
  random: () => number,
): string {
  const lines: string[] = [];
  const ages = Array<number>(heads).fill(0);
  for (let step = logEvery; step <= steps; step += logEvery) {
    const { weights } = phases.find(({ to }) => step <= to)!;
    const losses = weights.map((weight, i) => {
      if (weight === 0) return null;
      const age = (ages[i]! += logEvery) / steps * 20;
      return Number(
        (bits * Math.LN2 + 0.35 * i + 3.8 * Math.exp(-2.2 * Math.sqrt(age)) + 0.16 * (random() - 0.5))
          .toFixed(5),
      );
    });
    lines.push(JSON.stringify({ kind: "step", step, tokens: step * 1024, heads: losses, weights, lr: 1e-3 }));
    if (step % (steps / 10) >= logEvery) continue;
    lines.push(JSON.stringify({
      kind: "validation",
      step,
      bits_per_byte: bits + 1.4 * Math.exp(-6 * step / steps) + 0.01 * random(),
      expected_tokens_per_forward: 1 +
        sumOfProducts(shares.map((share, i) => weights[i + 1] ? share : share * 0.4)),
    }));
  }
  return lines.map((line) => `${line}\n`).join("");
}

function decodingOf(
  id: string,
  curriculum: string,
  heads: number,
  shares: readonly number[],
  samples: number,
  noise: (scale: number) => number,
): unknown {
  const repetition = { rep_4: 0.1 + noise(0.02), distinct_2: 0.5 };
  const rate = 410 + noise(8);
  const measurements = Array.from({ length: heads }, (_, i) => {
    const used = shares.slice(0, i);
    const perForward = 1 + sumOfProducts(used);
    const speedup = i === 0 ? 1 : perForward / (1.12 + 0.04 * i) + noise(0.04);
    const forwards = Math.round(2560 / perForward);
    return {
      heads: i + 1,
      tokens: 2560,
      forwards,
      seconds: 2560 / rate / speedup,
      tokens_per_s: rate * speedup,
      tokens_per_forward: perForward,
      speedup,
      ideal: i === 0
        ? null
        : { forward_cost: 1.1, speedup: perForward / 1.1, reached: speedup / perForward * 1.1 },
      forward: {
        steps: forwards,
        milliseconds: { trunk: 1.9, heads: 0.2 * (i + 1), sampling: 0.02, bookkeeping: 0.05 },
      },
      acceptance: acceptanceOf(forwards, used),
      equal: { identical: 16, ties: 0, different: 0, first_differences: [] },
      repetition,
    };
  });
  return {
    mode: "strict",
    tolerance: 0,
    prompt_bytes: 64,
    new_tokens: 160,
    repeats: 3,
    sampling: { temperature: 0, top_k: 0, top_p: 1, min_p: 0, repetition_penalty: 1 },
    acceptance: "exact",
    lossless: true,
    tree: null,
    machine: { cpus: 2, threads: 2, device: "cpu", gpu: null },
    arms: [{
      id,
      curriculum,
      heads,
      kernels: "rows",
      domains: [{
        name: "books",
        prompts: 16,
        repetition: { plain: repetition, truth: { rep_4: 0.012, distinct_2: 0.79 } },
        teacher_forced: {
          tokens: 2560,
          bits_per_byte: 2.1,
          acceptance: acceptanceOf(2560, shares.map((share) => share * 0.85)),
        },
        batches: [{ batch: 1, other_plain: { kernels: "aten", tokens_per_s: rate * 0.8 }, measurements }],
        samples: Array.from({ length: samples }, (_, i) => sampleOf(i, shares[0] ?? 0)),
      }],
    }],
  };
}

function acceptanceOf(passes: number, shares: readonly number[]): unknown {
  let [proposed, cumulative] = [passes, 1];
  return shares.map((conditional, i) => {
    const accepted = Math.round(proposed * conditional);
    const depth = { depth: i + 2, proposed, accepted, conditional, cumulative: cumulative *= conditional };
    proposed = accepted;
    return depth;
  });
}

const STORY =
  " and the old man said to her, that there was nothing in the world which could have been so well with him as the \
house of his father; but she would not hear of it, and went out into the garden.";

function sampleOf(number: number, share: number): unknown {
  const drafted = Array.from({ length: 20 }, (_, i) => [i * 9 + 2, i * 9 + 2 + Math.round(10 * share)]);
  return {
    prompt: `Chapter ${number + 1}\n\nIt was in the year of the great frost that they came to the town`,
    text: STORY.slice(0, 185),
    drafted: drafted.filter(([start, end]) => end! > start! && end! <= 185),
  };
}

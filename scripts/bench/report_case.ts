/** A run folder with many arms for the benchmark `report`: made up, of the sizes that real stages leave behind. */
import { dirname, join } from "node:path";
import type { Need } from "../../src/stage/io.ts";

/** How much of everything. */
export interface ReportCase {
  readonly arms: number;
  /** Logged lines of each training. */
  readonly steps: number;
  /** Groups of BLiMP. */
  readonly groups: number;
  /** K: decoded with each number of heads up to it. */
  readonly heads: number;
  /** Prompts with their continuations, of decoding and of generation. */
  readonly samples: number;
}

const SEEDS = 3;
const CURRICULA = ["ntp", "mtp", "forward", "reverse", "forward-reverse", "reverse-refresh"];

/** Writes the stages' files below `folder`; what a report on them needs. */
export function writeRun(folder: string, size: ReportCase): Need[] {
  const needs: Need[] = [];
  const put = (path: string, value: unknown): void => {
    const file = join(folder, path);
    Deno.mkdirSync(dirname(file), { recursive: true });
    Deno.writeTextFileSync(file, typeof value === "string" ? value : JSON.stringify(value));
  };
  const stage = (id: string, run: string, config: object): void => {
    needs.push({ id, run, folder: join(folder, id) });
    const command = { file: "pipelines/made_up.yaml", set: [] };
    put(`${id}/stage.json`, { id, run, config: { id, run, ...config }, fingerprint: "f", command });
    put(`${id}/status.json`, {
      state: "done",
      fingerprint: "f",
      started: "2026-01-01T00:00:00Z",
      seconds: 100,
    });
  };
  for (let i = 0; i < size.arms; i++) {
    const [set, seed] = [Math.floor(i / SEEDS), i % SEEDS + 1];
    const curriculum = CURRICULA[set % CURRICULA.length]!;
    const heads = curriculum === "ntp" ? 1 : size.heads;
    const name = `w${Math.floor(set / CURRICULA.length)}-${curriculum}-s${seed}`;
    const noise = Math.sin(i * 12.9898);
    const model = {
      width: 128 + Math.floor(set / CURRICULA.length),
      heads: { kind: "linear", count: heads },
    };
    stage(`arm-${name}`, "train", {
      needs: ["text"],
      model,
      curriculum,
      seed,
      train: { steps: size.steps * 10 },
    });
    put(`arm-${name}/train.json`, training(curriculum, heads, size.steps));
    put(`arm-${name}/metrics.jsonl`, metrics(heads, size.steps, noise));
    const about = { id: `arm-${name}`, curriculum };
    stage(`eval-${name}`, "eval", { needs: ["text", `arm-${name}`], split: "val", seed: 1 });
    put(`eval-${name}/eval.json`, evaluation(about, heads, size, noise));
    stage(`decode-${name}`, "decode", { needs: ["text", `arm-${name}`], prompts: 48, seed: 1 });
    put(`decode-${name}/decode.json`, decoding(about, heads, size, noise));
  }
  const order: Record<string, number> = { train: 0, eval: 1, decode: 2 };
  return needs.sort((a, b) => order[a.run]! - order[b.run]!);
}

const weights = (heads: number): number[] => Array.from({ length: heads }, () => 1);

function training(name: string, heads: number, steps: number): object {
  return {
    steps: steps * 10,
    tokens: steps * 10_240,
    bytes: steps * 10_240,
    seconds: 150,
    tokens_per_s: 20_000,
    parameters: { heads: weights(heads).map(() => 40_960), total: 1_000_000 + heads * 40_960 },
    curriculum: { name, heads, phases: [{ from: 0, to: steps * 10, weights: weights(heads) }] },
    device: "cpu",
    threads: 2,
    versions: { torch: "2.13.0", deno: "2.9.6" },
    energy: null,
  };
}

/** With all the digits that a real line has. */
function metrics(heads: number, steps: number, noise: number): string {
  const lines: string[] = [];
  for (let i = 1; i <= steps; i++) {
    const wobble = (head: number) => 0.1 * Math.sin(i * 78.233 + head + noise);
    const losses = weights(heads).map((_, head) => 1.1 + head * 0.4 + 4 * Math.exp(-i / 300) + wobble(head));
    const [loss, tokens] = [losses[0]!, i * 10_240];
    lines.push(JSON.stringify({
      ...{ kind: "step", step: i * 10, tokens, bytes: tokens, loss, heads: losses, weights: weights(heads) },
      ...{ active_heads: heads, lr: 0.003 * Math.cos(i / steps), grad_norm: 1 + wobble(7), clipped: 0 },
      ...{
        tokens_per_s: 20_000 + 100 * wobble(9),
        mfu: 0.4 + wobble(11) / 10,
        rss_bytes: 4e8,
        memory_bytes: 4e8,
      },
    }));
    if (i % 100 !== 0) continue;
    const bits = 1.6 + 2 * Math.exp(-i / 300) + noise / 100;
    const validation = {
      kind: "validation",
      step: i * 10,
      bits_per_byte: bits,
      expected_tokens_per_forward: 1 + heads / 4,
    };
    lines.push(JSON.stringify(validation));
  }
  return lines.map((line) => `${line}\n`).join("");
}

interface About {
  readonly id: string;
  readonly curriculum: string;
}

function evaluation(about: About, heads: number, { groups, samples }: ReportCase, noise: number): object {
  const accuracy = (value: number) => ({
    accuracy: { value: value + noise / 50, standard_error: 0.0123456789 },
  });
  const figure = (value: number) => ({
    value: value + noise / 50,
    standard_error: 0.0123456789,
    items: 64,
    missing: 0,
  });
  const figures = {
    ...{ bleu: figure(1.5), rouge_l: figure(0.1) },
    ...Object.fromEntries([2, 3, 4].map((n) => [`rep_${n}`, figure(0.4)])),
    ...Object.fromEntries([1, 2, 3].map((n) => [`distinct_${n}`, figure(0.4)])),
  };
  const texts = Array.from({ length: samples }, (_, i) => `${text(i, 64)}`);
  return {
    split: "val",
    arms: [{
      ...about,
      heads: weights(heads).map((_, i) => ({
        head: i + 1,
        loss: 1.1 + i / 3,
        accuracy: 0.6 - i / 10,
        targets: 1e6,
      })),
      bits_per_byte: 1.6 + noise / 100,
      bits_per_byte_interval: [1.5, 1.7],
      perplexity: 3,
      documents: 900,
      bytes: 1e6,
      context: { tokens: 256, bytes: 256 },
      tokens: 1e6,
      expected_tokens_per_forward: 1 + heads / 4,
      seconds: 20,
      tasks: [{
        ...{ task: "blimp", form: "pair", items: groups * 100, cut: 0, metrics: accuracy(0.6) },
        groups: Array.from({ length: groups }, (_, i) => ({
          ...{ name: `paradigm_number_${i}`, items: 100, metrics: accuracy(0.4 + i / 200) },
        })),
      }, {
        ...{ task: "lambada", form: "cloze", items: 2000, cut: 0, groups: [] },
        metrics: { ...accuracy(0.1), bits_per_byte: { value: 3 + noise / 10, standard_error: 0.02 } },
      }],
    }],
    generation: {
      ...{
        prompts: 64,
        prompt_bytes: 64,
        new_bytes: 256,
        sampled: false,
        semscore: null,
        judge: null,
        comparisons: [],
      },
      ...{ signatures: { bleu: "nrefs:1", rouge_l: "rougeL" }, reference: {} },
      arms: [{ id: about.id, outputs: [{ kind: "greedy", empty: 0, figures }] }],
      samples: texts.slice(0, 4).map((prompt, i) => ({
        ...{
          prompt,
          reference: text(i + 99, 256),
          texts: [{ arm: about.id, kind: "greedy", text: text(i + 7, 256) }],
        },
      })),
    },
  };
}

function decoding(about: About, heads: number, { samples }: ReportCase, noise: number): object {
  const repetition = { rep_4: 0.4 + noise / 50, distinct_2: 0.3 };
  const acceptance = (k: number) =>
    Array.from({ length: k - 1 }, (_, i) => ({
      ...{
        depth: i + 2,
        proposed: 1000,
        accepted: 700,
        conditional: 0.7 + noise / 50,
        cumulative: 0.7 ** (i + 1),
      },
    }));
  const measurements = weights(heads).map((_, i) => ({
    ...{
      heads: i + 1,
      tokens: 7680,
      forwards: 7680 / (1 + i * 0.5),
      seconds: 9,
      tokens_per_s: 800 * (1 + i * 0.3),
    },
    ...{ tokens_per_forward: 1 + i * 0.5 + noise / 50, speedup: 1 + i * 0.3 + noise / 50, repetition },
    forwards: Math.round(7680 / (1 + i * 0.5)),
    ideal: i === 0 ? null : { forward_cost: 1.15, speedup: 1 + i * 0.4, reached: 0.8 },
    forward: { steps: 7000, milliseconds: { trunk: 1.1, heads: 0.2, sampling: 0.02, bookkeeping: 0.05 } },
    acceptance: acceptance(i + 1),
    equal: { identical: 48, ties: 0, different: 0, first_differences: [] },
  }));
  const drafted = heads === 1 ? [] : Array.from({ length: 40 }, (_, i) => [i * 4 + 1, i * 4 + 4]);
  return {
    ...{ mode: "strict", tolerance: 0, prompt_bytes: 64, new_tokens: 160, repeats: 3, acceptance: "exact" },
    ...{ lossless: true, tree: null, machine: { cpus: 2, threads: 2, device: "cpu", gpu: null } },
    sampling: { temperature: 0, top_k: 0, top_p: 1, min_p: 0, repetition_penalty: 1 },
    arms: [{
      ...about,
      ...{ heads, kernels: "rows" },
      domains: [{
        ...{
          name: "val",
          prompts: 48,
          repetition: { plain: repetition, truth: { rep_4: 0.01, distinct_2: 0.8 } },
        },
        teacher_forced: { tokens: 7680, bits_per_byte: 1.6, acceptance: acceptance(heads) },
        batches: [{ batch: 1, other_plain: { kernels: "aten", tokens_per_s: 500 }, measurements }],
        samples: Array.from(
          { length: samples },
          (_, i) => ({ prompt: text(i, 64), text: text(i + 7, 160), drafted }),
        ),
      }],
    }],
  };
}

/** So many characters of made-up words. */
function text(seed: number, length: number): string {
  let words = "";
  for (let i = seed; words.length < length; i++) {
    words += `${["the", "old <cat>", "sat", "& sang", "alone"][(i * 7) % 5]} `;
  }
  return words.slice(0, length);
}

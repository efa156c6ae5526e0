/**
 * What a report reads of other stages' files: the keys that the page shows. Further keys are let through, so that
 * a stage can write more without the report knowing.
 */

import * as z from "zod";
import { generationResults } from "./generation_inputs.ts";

const count = z.int().min(0);
const ratio = z.number().min(0);
const versions = z.record(z.string(), z.unknown());

/** stage.json of every stage. */
export const stageFile = z.object({
  config: z.record(z.string(), z.unknown()),
  fingerprint: z.string().optional(),
  command: z.object({ file: z.string(), set: z.array(z.string()) }).optional(),
});

/** status.json of a stage that was begun. `results`: hexadecimal SHA-256 by file, once it has ended. */
export const statusFile = z.object({
  state: z.enum(["running", "done", "failed", "interrupted"]),
  fingerprint: z.string().optional(),
  seconds: ratio,
  error: z.string().optional(),
  results: z.record(z.string(), z.string()).optional(),
});

/** pipeline.json of the run folder. */
export const pipelineFile = z.object({
  versions: versions.optional(),
  config: z.object({ stages: z.array(z.object({ id: z.string(), run: z.string() })) }).optional(),
});

const split = z.object({ documents: count, bytes: count, tokens: count, shards: z.array(z.unknown()) });

/** meta.json of a prepare stage. */
export const metaFile = z.object({
  tokenizer: z.object({ kind: z.string(), vocab: count }),
  sources: z.array(z.object({
    path: z.string(),
    documents: count,
    bytes: count,
    tokens: count,
    skipped: count,
  })),
  cleaning: z.record(z.string(), z.object({ documents: count, bytes: count })),
  splits: z.object({ train: split, val: split, test: split.optional() }),
});

const tokenCount = z.object({ label: z.string(), count });

/** statistics.json of a prepare stage. */
export const statisticsFile = z.object({
  lengths: z.object({
    documents: count,
    shortest: count,
    longest: count,
    mean: ratio,
    bins: z.array(z.object({ from: count, documents: count })),
  }),
  frequencies: z.object({
    counted: count,
    tokens: count,
    used: count,
    vocab: count,
    most: z.array(tokenCount),
    least: z.array(tokenCount),
  }),
  samples: z.array(z.object({ split: z.string(), document: count, tokens: count, text: z.string() })),
});

const phase = z.object({ from: count, to: count, weights: z.array(z.number()) });

/** train.json: there once the training has ended. */
export const trainFile = z.object({
  steps: count,
  tokens: count,
  bytes: count,
  seconds: ratio,
  parameters: z.object({ heads: z.array(count), total: count }),
  curriculum: z.object({ name: z.string(), heads: z.int().min(1), phases: z.array(phase) }),
  device: z.string(),
  threads: count,
  versions,
  tokens_per_s: ratio,
  cpu: z.string().optional(),
  energy: z.object({ joules: ratio, source: z.string(), steps: count.optional() }).nullable().optional(),
});

/**
 * A line of metrics.jsonl with `kind: "step"`; a sleeping head has null for its loss. What is not finite is null in JSON.
 */
export const stepLine = z.object({
  step: count,
  heads: z.array(z.number().nullable()),
  weights: z.array(z.number()),
  tokens: count.optional(),
  lr: z.number().optional(),
  grad_norm: z.number().nullish(),
  tokens_per_s: z.number().optional(),
  mfu: z.number().nullish(),
  memory_bytes: z.number().optional(),
});

/** A line of metrics.jsonl with `kind: "validation"`. */
export const validationLine = z.object({
  step: count,
  bits_per_byte: z.number(),
  expected_tokens_per_forward: z.number(),
});

/** A line of metrics.jsonl with `kind: "warning"`. */
export const warningLine = z.object({ step: count, name: z.string(), message: z.string() });

const estimate = z.object({ value: z.number().nullable(), standard_error: ratio.nullable() });
const metrics = z.record(z.string(), estimate);

/** One task of one arm: figures over all groups of items, and of each group. */
const taskScores = z.object({
  task: z.string(),
  form: z.string(),
  items: count,
  cut: count.default(0),
  metrics,
  groups: z.array(z.object({ name: z.string(), items: count, metrics })),
});

/** Null where it is not finite. */
const bounds = z.tuple([z.number().nullable(), z.number().nullable()]).nullable().transform((given) => {
  const [low, high] = given ?? [null, null];
  return low === null || high === null ? null : [low, high] as const;
});

/** eval.json; what is not finite is null. `split`: `files` where files were scored in place of a part of the text. */
export const evalFile = z.object({
  split: z.string(),
  files: z.array(z.string()).optional(),
  arms: z.array(z.object({
    id: z.string(),
    curriculum: z.string(),
    heads: z.array(z.object({
      head: z.int().min(1),
      loss: z.number().nullable(),
      accuracy: z.number().nullable(),
      targets: count,
    })),
    bits_per_byte: z.number().nullable(),
    bits_per_byte_interval: bounds.optional(),
    perplexity: z.number().nullish(),
    documents: count.optional(),
    tasks: z.array(taskScores).default([]),
    bytes: count,
    context: z.object({ tokens: count, bytes: count }).optional(),
    tokens: count,
    expected_tokens_per_forward: z.number().nullish(),
    seconds: ratio.optional(),
  })),
  generation: generationResults.optional(),
});

const equality = z.object({
  identical: count,
  ties: count,
  different: count,
  first_differences: z.array(z.object({
    prompt: count,
    at: count,
    gap: z.number().nullable(),
  })),
});

const sample = z.object({
  prompt: z.string(),
  text: z.string(),
  drafted: z.array(z.tuple([count, count])),
}).refine(({ text, drafted }) =>
  drafted.every(([start, end], i) => {
    return start <= end && end <= text.length && start >= (drafted[i - 1]?.[1] ?? 0);
  }), { error: "ranges in increasing order inside the text expected", path: ["drafted"] });

const acceptance = z.array(z.object({
  depth: count,
  proposed: count,
  accepted: count,
  conditional: ratio.nullable(),
  cumulative: ratio.nullable(),
}));

const repetition = z.object({ rep_4: ratio, distinct_2: ratio });

const measurement = z.object({
  heads: z.union([count, z.literal("auto")]),
  tokens: count,
  forwards: count,
  seconds: ratio,
  tokens_per_s: ratio,
  tokens_per_forward: ratio,
  speedup: ratio,
  ideal: z.object({ forward_cost: ratio, speedup: ratio, reached: ratio }).nullable(),
  forward: z.object({
    steps: count,
    milliseconds: z.object({ trunk: ratio, heads: ratio, sampling: ratio, bookkeeping: ratio }),
  }).nullable(),
  acceptance,
  equal: equality.nullable(),
  repetition,
});

const batch = z.object({
  batch: count,
  other_plain: z.object({ kernels: z.string(), tokens_per_s: ratio }).nullable(),
  measurements: z.array(measurement).min(1),
});

const domain = z.object({
  name: z.string(),
  prompts: count,
  repetition: z.object({ plain: repetition, truth: repetition.nullable() }),
  teacher_forced: z.object({
    tokens: count,
    bits_per_byte: ratio,
    acceptance,
    expected_tokens_per_forward: ratio.optional(),
  }).nullable(),
  batches: z.array(batch).min(1),
  samples: z.array(sample),
});

/** decode.json. */
export const decodeFile = z.object({
  mode: z.string(),
  tolerance: z.number(),
  prompt_bytes: count,
  new_tokens: count,
  repeats: count,
  sampling: z.object({
    temperature: ratio,
    top_k: count,
    top_p: ratio,
    min_p: ratio,
    repetition_penalty: ratio,
  }),
  acceptance: z.string(),
  lossless: z.boolean(),
  tree: z.object({ candidates: count, nodes: count }).nullable(),
  machine: z.object({
    cpus: count,
    threads: count,
    device: z.string(),
    gpu: z.string().nullable(),
    cpu: z.string().optional(),
  }),
  arms: z.array(z.object({
    id: z.string(),
    curriculum: z.string(),
    heads: z.int().min(1),
    kernels: z.string(),
    domains: z.array(domain).min(1),
  })),
});

/** The settings that a stage was run with: a pipeline file, and what followed each `--set`. */
export type Command = NonNullable<z.output<typeof stageFile>["command"]>;
/** What {@link statusFile} reads. */
export type Status = z.output<typeof statusFile>;
/** What {@link metaFile} reads. */
export type Meta = z.output<typeof metaFile>;
/** What {@link statisticsFile} reads. */
export type Statistics = z.output<typeof statisticsFile>;
/** What {@link trainFile} reads. */
export type Training = z.output<typeof trainFile>;
/** A stretch of steps with fixed weights, `from` included, `to` not. */
export type Phase = z.output<typeof phase>;
/** What {@link stepLine} reads. */
export type Step = z.output<typeof stepLine>;
/** What {@link validationLine} reads. */
export type Validation = z.output<typeof validationLine>;
/** What {@link warningLine} reads. */
export type Warning = z.output<typeof warningLine>;
/** What {@link evalFile} reads. */
export type Evaluation = z.output<typeof evalFile>;
/** One arm of {@link evalFile}. */
export type EvaluatedArm = Evaluation["arms"][number];
/** A figure and its standard error; null where it is not finite, or of one item only. */
export type Estimate = z.output<typeof estimate>;
/** One task of one arm. */
export type TaskScores = z.output<typeof taskScores>;
/** What {@link decodeFile} reads. */
export type Decoding = z.output<typeof decodeFile>;
/** One arm of {@link decodeFile}. */
export type DecodedArm = Decoding["arms"][number];
/** One kind of text of {@link DecodedArm}. */
export type DecodedDomain = DecodedArm["domains"][number];
/** All numbers of heads with one batch; plain decoding first. */
export type DecodedBatch = DecodedDomain["batches"][number];
/** One number of heads with one batch. */
export type Measurement = DecodedBatch["measurements"][number];
/** A prompt with its continuation; `drafted` are UTF-16 ranges of `text` that came from accepted drafts. */
export type Sample = z.output<typeof sample>;

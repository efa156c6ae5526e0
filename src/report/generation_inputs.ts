/** What a report reads of `generation` in eval.json. */

import * as z from "zod";

const count = z.int().min(0);

const figure = z.object({
  value: z.number().nullable(),
  standard_error: z.number().nullable(),
  items: count,
  missing: count,
});
const figures = z.record(z.string(), figure);
const kind = z.enum(["greedy", "sampled"]);

/** Measures of the text that the arms of an eval stage wrote. */
export const generationResults = z.object({
  prompts: count,
  prompt_bytes: count,
  new_bytes: count,
  sampled: z.union([z.literal(false), z.record(z.string(), z.number())]),
  signatures: z.object({ bleu: z.string(), rouge_l: z.string() }),
  semscore: z.object({ model: z.string(), host: z.string() }).nullable(),
  judge: z.object({
    model: z.string(),
    host: z.string(),
    scoring: z.enum(["logprobs", "samples"]),
    samples: count.nullable(),
  }).nullable(),
  reference: figures,
  arms: z.array(z.object({
    id: z.string(),
    outputs: z.array(z.object({ kind, empty: count, figures })),
  })),
  comparisons: z.array(z.object({
    arm: z.string(),
    against: z.string(),
    kind,
    wins: count,
    losses: count,
    ties: count,
    inconsistent: count,
    missing: count,
    win_rate: z.number().nullable(),
    interval: z.tuple([z.number(), z.number()]).nullable(),
  })),
  samples: z.array(z.object({
    prompt: z.string(),
    reference: z.string(),
    texts: z.array(z.object({ arm: z.string(), kind, text: z.string() })),
  })),
});

/** What {@link generationResults} reads. */
export type GenerationResults = z.output<typeof generationResults>;
/** A measure over prompts; `missing`: prompts that it is not over. */
export type Figure = z.output<typeof figure>;

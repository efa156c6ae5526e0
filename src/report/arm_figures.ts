/** The numbers of one arm: what the headline says, the summary prints and report.json holds. */

import type { Arm } from "./collect.ts";
import type { Validation } from "./inputs.ts";
import { type Placed, spokenOf } from "./measurements.ts";

/** One row of the summary. */
export interface ArmFigures {
  readonly id: string;
  readonly curriculum: string;
  /** K. */
  readonly heads: number;
  readonly parameters: number | null;
  /** Of head 1. */
  readonly bits_per_byte: number | null;
  readonly bits_per_byte_from: BitsFrom | null;
  /** Measured while decoding: the first domain, one prompt at a time, with the fastest number of heads. */
  readonly tokens_per_forward: number | null;
  /** What the drafts of all K heads would give where the text goes on as it truly does: loops flatter no one there. */
  readonly tokens_per_forward_true_text: number | null;
  /** Against the same model's best plain decoding. */
  readonly speedup: number | null;
  readonly draft_heads: number | "auto" | null;
  /** Prompts by how that output compares with plain output. */
  readonly outputs: Outputs | null;
  /** Of plain output. */
  readonly repetition: { readonly rep_4: number; readonly distinct_2: number } | null;
  readonly training: TrainingFigures | null;
  readonly validations: readonly Validation[];
}

/**
 * Where bits per byte come from: an eval stage on held-out text, an eval stage on the training text, or the last
 * validation during training.
 */
export type BitsFrom = "held_out" | "training_text" | "last_validation";

/** Counts of prompts. */
export interface Outputs {
  readonly prompts: number;
  readonly identical: number;
  readonly ties: number;
  readonly different: number;
}

/** What the training took. */
export interface TrainingFigures {
  readonly steps: number;
  readonly tokens: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly tokens_per_s: number;
}

/** The numbers of one arm. */
export function armFigures(arm: Arm): ArmFigures {
  const { training, evaluation, decoding } = arm;
  const drafted = decoding && spokenOf(decoding);
  const validation = arm.validations.at(-1) ?? null;
  return {
    id: arm.id,
    curriculum: arm.curriculum,
    heads: arm.heads,
    parameters: training?.parameters.total ?? null,
    bits_per_byte: evaluation ? evaluation.bits_per_byte : validation?.bits_per_byte ?? null,
    bits_per_byte_from: bitsFrom(arm),
    tokens_per_forward: drafted?.measurement.tokens_per_forward ?? null,
    tokens_per_forward_true_text:
      (decoding && decoding.domains[0]!.teacher_forced)?.expected_tokens_per_forward ?? null,
    speedup: drafted?.measurement.speedup ?? null,
    draft_heads: drafted?.measurement.heads ?? null,
    outputs: drafted && outputsOf(drafted),
    repetition: decoding && decoding.domains[0]!.repetition.plain,
    training: training && {
      steps: training.steps,
      tokens: training.tokens,
      bytes: training.bytes,
      seconds: training.seconds,
      tokens_per_s: training.tokens_per_s,
    },
    validations: arm.validations,
  };
}

function bitsFrom({ evaluation, validations }: Arm): BitsFrom | null {
  if (evaluation && evaluation.bits_per_byte === null) return null;
  if (evaluation) return evaluation.split === "train" ? "training_text" : "held_out";
  return validations.length > 0 ? "last_validation" : null;
}

/** Null where nothing was compared. */
export function outputsOf({ domain: { prompts }, measurement: { equal } }: Placed): Outputs | null {
  if (equal === null) return null;
  const { identical, ties, different } = equal;
  return { prompts, identical, ties, different };
}

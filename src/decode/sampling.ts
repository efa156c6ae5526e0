/** How the next token follows from logits: greedily, or drawn from what temperature, truncation and penalty leave. */
import { choices, Distributions, penalize, type Tensor, type Truncation } from "../torch/mod.ts";

/** Temperature 0 is greedy decoding; then truncation says nothing. */
export interface Sampling extends Truncation {
  /** Of tokens that stand in the prompt or the output already: see `penalize`; 1: none. */
  readonly repetition_penalty: number;
}

export const GREEDY: Sampling = { temperature: 0, top_k: 0, top_p: 1, min_p: 0, repetition_penalty: 1 };

export const isGreedy = ({ temperature }: Sampling): boolean => temperature === 0;

/**
 * Applies the penalty to rows of logits, in place.
 *
 * @param seen What stands before each row's next token; asked only where there is a penalty.
 */
export function penalizeRows(
  logits: Tensor,
  seen: () => readonly ReadonlySet<number>[],
  { repetition_penalty }: Sampling,
): void {
  if (repetition_penalty === 1) return;
  seen().forEach((tokens, row) => penalize(logits, row, tokens, repetition_penalty));
}

/** A distribution per row; for greedy decoding, which has none, that of temperature 1. */
export function distributionsOf(logits: Tensor, sampling: Sampling): Distributions {
  return Distributions.of(logits, isGreedy(sampling) ? { ...sampling, temperature: 1 } : sampling);
}

/** The likeliest token of every row. */
export const greedyChoices = (logits: Tensor): number[] => choices(logits);

/** Logits for greedy choices: where the penalty has to change them, on the CPU. */
export const forChoices = (logits: Tensor, { repetition_penalty }: Sampling): Tensor =>
  repetition_penalty === 1 ? logits : onCpu(logits);

/** Logits for distributions, which are made on the CPU. */
export const onCpu = (logits: Tensor): Tensor => logits.to("float32", "cpu");

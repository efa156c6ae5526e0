/** Whether two decoders gave the same text, and how close the call was where they did not. */

/** The first place at which speculative output leaves the plain one. */
export interface Difference {
  /** Index of the prompt. */
  readonly prompt: number;
  /** Index of the token. */
  readonly at: number;
  /** The plain decoder's best logit there, less its second best. */
  readonly gap: number;
}

/** Verdicts over all prompts. A tie is a difference where the gap is below the tolerance: rounding decides there. */
export interface Equality {
  readonly identical: number;
  readonly ties: number;
  readonly different: number;
  readonly first_differences: Difference[];
}

/** Index of the first token in which two outputs differ; null when they are equal. */
export function firstDifference(a: readonly number[], b: readonly number[]): number | null {
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i;
  return null;
}

/**
 * Compares pairs of outputs. `gapAt` is asked only about the prompts that differ, since it decodes again.
 *
 * @param tolerance Difference of logits below which a call counts as a tie; 0: none does.
 */
export function compareOutputs(
  pairs: readonly { readonly plain: readonly number[]; readonly speculative: readonly number[] }[],
  tolerance: number,
  gapAt: (prompt: number, at: number) => number,
): Equality {
  const differences = pairs.flatMap(({ plain, speculative }, prompt): Difference[] => {
    const at = firstDifference(plain, speculative);
    return at === null ? [] : [{ prompt, at, gap: gapAt(prompt, at) }];
  });
  const ties = differences.filter(({ gap }) => gap < tolerance).length;
  return {
    identical: pairs.length - differences.length,
    ties,
    different: differences.length - ties,
    first_differences: differences,
  };
}

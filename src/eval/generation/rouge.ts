/**
 * ROUGE-L (Lin 2004) as the package rouge-score computes it without its stemmer: the F-measure of the longest common
 * subsequence of words. Words are runs of a to z and 0 to 9 in small letters; everything else parts them.
 */

/** How these scores are made. */
export const ROUGE_SIGNATURE = "rougeL|fmeasure|stemmer:no|sentences:one";

/** ROUGE-L of one text against its reference, 0 to 1; 0 where either has no words. */
export function rougeL(text: string, reference: string): number {
  const [own, other] = [words(text), words(reference)];
  const common = commonLength(own, other);
  if (common === 0) return 0;
  const [precision, recall] = [common / own.length, common / other.length];
  return 2 * precision * recall / (precision + recall);
}

function words(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

/** Length of the longest common subsequence; keeps one row of the table. */
function commonLength(a: readonly string[], b: readonly string[]): number {
  const row = new Uint32Array(b.length + 1);
  for (const word of a) {
    let diagonal = 0;
    for (let j = 1; j <= b.length; j++) {
      const above = row[j]!;
      row[j] = word === b[j - 1] ? diagonal + 1 : Math.max(above, row[j - 1]!);
      diagonal = above;
    }
  }
  return row[b.length]!;
}

/** How much a text repeats itself: loops inflate acceptance, so this stands beside every speed-up. */

/** Over n-grams of whitespace-separated words. */
export interface Repetition {
  /** Share of 4-grams that occurred before (Welleck et al. 2020: 1 - unique / all); 0 without any. */
  readonly rep_4: number;
  /** Unique bigrams over all bigrams (Li et al. 2016); 1 without any. */
  readonly distinct_2: number;
}

/** Counts within each text and sums over texts, so that texts which share phrases are not called repetitive. */
export function repetition(texts: readonly string[]): Repetition {
  return { rep_4: repeated(texts, 4) ?? 0, distinct_2: uniqueShare(texts, 2) ?? 1 };
}

/**
 * rep-n: share of n-grams that occurred before in the same text (Welleck et al. 2020: 1 - unique / all), summed over
 * texts; null where there are none.
 */
export function repeated(texts: readonly string[], n: number): number | null {
  const share = uniqueShare(texts, n);
  return share === null ? null : 1 - share;
}

/** n-grams that are the first of their kind in their text over all n-grams; null where there are none. */
function uniqueShare(texts: readonly string[], n: number): number | null {
  let [unique, all] = [0, 0];
  for (const text of texts) {
    const grams = ngrams(wordsOf(text), n);
    unique += new Set(grams).size;
    all += grams.length;
  }
  return all === 0 ? null : unique / all;
}

/**
 * distinct-n: different n-grams of all texts together over the number of their words (Li et al. 2016): texts that are
 * alike count as one. Null where there are no words.
 */
export function distinct(texts: readonly string[], n: number): number | null {
  const unique = new Set<string>();
  let words = 0;
  for (const text of texts) {
    const own = wordsOf(text);
    for (const gram of ngrams(own, n)) unique.add(gram);
    words += own.length;
  }
  return words === 0 ? null : unique.size / words;
}

const wordsOf = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");

function ngrams(words: readonly string[], n: number): string[] {
  return Array.from({ length: Math.max(0, words.length - n + 1) }, (_, i) => words.slice(i, i + n).join(" "));
}

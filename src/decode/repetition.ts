/** How much a text repeats itself: loops inflate acceptance, so this stands beside every speed-up. */

/** Over n-grams of whitespace-separated words. */
export interface Repetition {
  /** Share of 4-grams that occurred before (Welleck et al. 2020: 1 - unique / all); 0 without any. */
  readonly rep_4: number;
  /** Unique bigrams over all bigrams (Li et al. 2016); 1 without any. */
  readonly distinct_2: number;
}

function distinct(words: readonly string[], n: number): { unique: number; all: number } {
  const all = Math.max(0, words.length - n + 1);
  const grams = new Set(Array.from({ length: all }, (_, i) => words.slice(i, i + n).join(" ")));
  return { unique: grams.size, all };
}

/** Counts within each text and sums over texts, so that texts which share phrases are not called repetitive. */
export function repetition(texts: readonly string[]): Repetition {
  const sums = (n: number) =>
    texts.map((text) => distinct(text.split(/\s+/).filter((word) => word !== ""), n))
      .reduce((sum, { unique, all }) => ({ unique: sum.unique + unique, all: sum.all + all }));
  const [four, two] = [sums(4), sums(2)];
  return {
    rep_4: four.all === 0 ? 0 : 1 - four.unique / four.all,
    distinct_2: two.all === 0 ? 1 : two.unique / two.all,
  };
}

/**
 * BLEU of a corpus (Papineni et al. 2002) as sacrebleu computes it by default (Post 2018): tokenizer 13a, case kept,
 * n-grams up to 4, exponential smoothing. One reference a text.
 */

/** How these scores are made, in sacrebleu's words. */
export const BLEU_SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp";

const ORDERS = 4;

/** What of a text goes into the corpus's score: sums over texts are the corpus's. */
export interface BleuCounts {
  /** Tokens of the text and of its reference. */
  readonly length: number;
  readonly reference: number;
  /** By order from 1: n-grams of the text, and those of them that the reference has too, each as often as there. */
  readonly all: readonly number[];
  readonly matched: readonly number[];
}

/** Counts of one text against its reference. */
export function bleuCounts(text: string, reference: string): BleuCounts {
  const [own, other] = [tokenize13a(text), tokenize13a(reference)];
  const orders = Array.from({ length: ORDERS }, (_, i) => i + 1);
  return {
    length: own.length,
    reference: other.length,
    all: orders.map((n) => Math.max(0, own.length - n + 1)),
    matched: orders.map((n) => {
      const there = ngramCounts(other, n);
      let sum = 0;
      for (const [gram, count] of ngramCounts(own, n)) sum += Math.min(count, there.get(gram) ?? 0);
      return sum;
    }),
  };
}

/**
 * The corpus's BLEU, 0 to 100.
 *
 * @param effectiveOrder Leaves out orders of which the text has no n-gram: for single sentences.
 */
export function bleu(texts: readonly BleuCounts[], { effectiveOrder = false } = {}): number {
  const sum = (of: (counts: BleuCounts) => number) => texts.reduce((total, counts) => total + of(counts), 0);
  const [length, reference] = [sum((counts) => counts.length), sum((counts) => counts.reference)];
  let logs = 0;
  let halved = 1; // the k-th order without a match counts as if it had 1 / 2^k of one
  let orders = 0;
  let matches = 0;
  for (let i = 0; i < ORDERS; i++) {
    const [all, matched] = [sum((counts) => counts.all[i]!), sum((counts) => counts.matched[i]!)];
    if (all === 0) break;
    if (matched === 0) halved *= 2;
    logs += Math.log(matched > 0 ? 100 * matched / all : 100 / (halved * all));
    matches += matched;
    orders++;
  }
  if (matches === 0 || (!effectiveOrder && orders < ORDERS)) return 0;
  const brevity = length < reference ? Math.exp(1 - reference / length) : 1;
  return brevity * Math.exp(logs / orders);
}

function ngramCounts(tokens: readonly string[], n: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + n <= tokens.length; i++) {
    const gram = tokens.slice(i, i + n).join(" "); // no token has a space in it
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

/** What Python calls white space, which is not quite what JavaScript does: U+001C to U+001F and U+0085, not U+FEFF. */
const SPACE = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
const SPACES = new RegExp(SPACE, "u");
const SPACES_AT_END = new RegExp(`${SPACE}$`, "u");

/** The tokens of mteval-v13a, made for Western languages: punctuation by itself, but within numbers. */
export function tokenize13a(text: string): string[] {
  const line = text.replace(SPACES_AT_END, "")
    .replaceAll("<skipped>", "").replaceAll("-\n", "").replaceAll("\n", " ")
    .replaceAll("&quot;", '"').replaceAll("&amp;", "&").replaceAll("&lt;", "<").replaceAll("&gt;", ">");
  return ` ${line} `
    .replace(/[{-~[-` -&(-+:-@/]/gu, " $& ")
    .replace(/([^0-9])([.,])/gu, "$1 $2 ")
    .replace(/([.,])([^0-9])/gu, " $1 $2")
    .replace(/([0-9])(-)/gu, "$1 $2 ")
    .split(SPACES).filter((token) => token !== "");
}

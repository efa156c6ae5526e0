/** What is measured on the items of a task: from the likelihoods of an item's alternatives to figures with their errors. */
import type { MetricName } from "../../config/task/schema.ts";
import { type Estimate, exponential, mean, type Part, ratio } from "../estimate.ts";
import type { Item } from "./items.ts";
import type { Likelihood } from "./likelihood.ts";

/** An alternative of an item with what the model makes of it. */
export interface Judged extends Likelihood {
  /** Bytes of the text that counts. */
  readonly bytes: number;
}

/** Figures by metric. */
export type Figures = Partial<Record<MetricName, Estimate>>;

/** One item's part in each metric; the alternatives stand in the order of {@link alternativesOf}. */
const PARTS: Record<MetricName, (item: Item, judged: readonly Judged[]) => Part> = {
  accuracy: (item, judged) => [Number(isRight(item, judged)), 1],
  /** Log-likelihood for each byte of the choice, so that long ones are not at a disadvantage. */
  accuracy_norm: (item, judged) => [Number(likeliest(judged.map(perByte)) === answerOf(item)), 1],
  bits_per_byte: (_, [target]) => [target!.nats / Math.LN2, target!.bytes],
  /** The mean NLL of a target, whose exponential is the perplexity: of a word, whatever its tokens. */
  perplexity: (_, [target]) => [target!.nats, 1],
};

const perByte = ({ nats, bytes }: Judged): number => nats / Math.max(1, bytes);

/** The figures of one group of items. */
export function measure(
  metrics: readonly MetricName[],
  items: readonly Item[],
  judged: readonly (readonly Judged[])[],
): Figures {
  return Object.fromEntries(metrics.map((metric) => {
    const estimate = ratio(items.map((item, i) => PARTS[metric](item, judged[i]!)));
    return [metric, metric === "perplexity" ? exponential(estimate) : estimate];
  }));
}

/** Of several groups, each counting the same, as BLiMP's paradigms do. */
export function overall(metrics: readonly MetricName[], groups: readonly Figures[]): Figures {
  return Object.fromEntries(metrics.map((metric) => [metric, mean(groups.map((group) => group[metric]!))]));
}

function isRight(item: Item, judged: readonly Judged[]): boolean {
  if (item.form === "cloze") return judged[0]!.isGreedy;
  return likeliest(judged.map(({ nats }) => nats)) === answerOf(item);
}

/** The good sentence comes first. */
const answerOf = (item: Item): number => item.form === "choice" ? item.answer : 0;

/** The index of the lowest; of equals none: then nothing was preferred. */
function likeliest(nats: readonly number[]): number {
  const least = Math.min(...nats);
  const at = nats.indexOf(least);
  return nats.indexOf(least, at + 1) < 0 ? at : -1;
}

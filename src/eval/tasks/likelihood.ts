/**
 * How likely head 1 finds sequences. They are put into trees, so that what they have in common at their beginnings is
 * computed once and no product waits for a short sentence: the two sentences of a minimal pair, the choices behind one
 * question, and all sentences of a set that begin alike.
 */
import { compareSequences, type MtpModel, TreeBuilder } from "../../model/mod.ts";
import { type Device, Scope } from "../../torch/mod.ts";
import type { Sequence } from "./sequences.ts";

/** What is known of a sequence's last tokens. */
export interface Likelihood {
  /** Their negative log-likelihood, nats. */
  readonly nats: number;
  /** Whether each of them was the most likely one behind the true tokens before it. */
  readonly isGreedy: boolean;
}

/** Inputs of a tree: enough for the products to be fast, few enough for the caches. On a GPU more are needed. */
const inputsOn = (device: Device): number => device === "cpu" ? 2048 : 4096;

/**
 * The likelihood of each sequence.
 *
 * @param inputs Most inputs of one tree, but for a sequence that is longer by itself.
 * @param step Called after each tree with the number of sequences that are done.
 */
export async function likelihoods(
  model: MtpModel,
  sequences: readonly Sequence[],
  step: (done: number) => Promise<void> = async () => {},
  inputs = inputsOn(model.device),
): Promise<Likelihood[]> {
  const order = sequences.map((_, i) => i);
  order.sort((a, b) => compareSequences(sequences[a]!.ids, sequences[b]!.ids));
  const found = new Array<Likelihood>(sequences.length);
  for (let next = 0; next < order.length;) {
    const tree = new TreeBuilder();
    const wanted = new Map<number, Int32Array>();
    for (; next < order.length; next++) {
      const { ids, scored } = sequences[order[next]!]!;
      if (wanted.size > 0 && tree.ids.length + tree.cost(ids) > inputs) break;
      wanted.set(order[next]!, tree.add(ids, scored));
    }
    for (const [i, likelihood] of scoreTree(model, tree, wanted)) found[i] = likelihood;
    await step(next);
  }
  return found;
}

function* scoreTree(
  model: MtpModel,
  tree: TreeBuilder,
  wanted: ReadonlyMap<number, Int32Array>,
): Generator<[number, Likelihood]> {
  const { nll, isBest } = scored(model, tree);
  for (const [i, targets] of wanted) {
    let nats = 0, isGreedy = true;
    for (const target of targets) {
      nats += nll[target]!;
      isGreedy &&= isBest(target);
    }
    yield [i, { nats, isGreedy }];
  }
}

function scored(
  model: MtpModel,
  tree: TreeBuilder,
): { nll: Float32Array; isBest: (target: number) => boolean } {
  using _scope = new Scope();
  const { nll, best } = model.scoreTree(tree);
  const tokens = new BigInt64Array(best.toBytes().buffer);
  return {
    nll: new Float32Array(nll.toBytes().buffer),
    isBest: (target) => Number(tokens[target]) === tree.targets[target],
  };
}

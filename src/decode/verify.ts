/**
 * Which drafts stay. Head 1 has looked at the sure token and at every draft behind it; row 0 of its logits follows the
 * sure token, row n + 1 follows node n.
 *
 * - greedy: a draft stays where it is head 1's first choice (Stern et al. 2018), so the output is plain decoding's.
 * - sampled: a draft drawn from q stays with probability min(1, p / q), and what takes its place is drawn from
 *   max(0, p - q) (Leviathan et al. 2023; Chen et al. 2023), so each token is distributed as if drawn from p. A draft that
 *   was chosen and not drawn, as in a tree, has q = 1: the same as to draw from p and to see whether it is among the drafts.
 * - typical: a draft stays where p(draft) > min(0.09, 0.3 e^-H(p)) (Medusa, Cai et al. 2024). Not lossless: the
 *   output is neither plain greedy decoding's nor distributed as p.
 */
import type { Random } from "../data/random.ts";
import type { Distributions } from "../torch/mod.ts";
import { childrenOf, childWith, type Draft } from "./draft.ts";

/** What stays of a draft, and what head 1 says behind it. */
export interface Verdict {
  /** Nodes from the root's child on. */
  readonly path: readonly number[];
  /** The token behind the last of them: it is sure. */
  readonly next: number;
}

/** @param chosen Head 1's first choice, by row. */
export function verifyGreedy(draft: Draft, chosen: readonly number[]): Verdict {
  return follow(draft, (node) => chosen[node + 1]!);
}

/** Down the tree as long as the token that comes is among the drafts. */
function follow(draft: Draft, tokenBehind: (node: number) => number): Verdict {
  const path: number[] = [];
  for (let last = -1;;) {
    const next = tokenBehind(last);
    last = childWith(draft, last, next);
    if (last === -1) return { path, next };
    path.push(last);
  }
}

/** @param p Head 1's distributions, by row. */
export function verifySampled(draft: Draft, p: Distributions, random: Random): Verdict {
  if (draft.drawnFrom === null) return follow(draft, (node) => p.draw(node + 1, random.unit()));
  for (const [node, token] of draft.tokens.entries()) {
    const { distributions: q, row } = draft.drawnFrom[node]!;
    const ratio = p.probability(node, token) / q.probability(row, token);
    if (random.unit() < ratio) continue;
    return { path: range(node), next: p.drawResidual(node, q, row, random.unit()) };
  }
  return { path: range(draft.tokens.length), next: p.draw(draft.tokens.length, random.unit()) };
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Medusa's threshold and its factor. */
const TYPICAL = { threshold: 0.09, factor: 0.3 } as const;

/**
 * The longest path of typical drafts; of equally long ones the first.
 *
 * @param choose The token behind a node, where no typical draft follows.
 */
export function verifyTypical(draft: Draft, p: Distributions, choose: (node: number) => number): Verdict {
  const isTypical = (parent: number, node: number) => {
    const least = Math.min(TYPICAL.threshold, TYPICAL.factor * Math.exp(-p.entropy(parent + 1)));
    return p.probability(parent + 1, draft.tokens[node]!) > least;
  };
  const longest = (node: number): number[] =>
    childrenOf(draft, node).filter((child) => isTypical(node, child))
      .map((child) => [child, ...longest(child)])
      .reduce((best, path) => path.length > best.length ? path : best, []);
  const path = longest(-1);
  return { path, next: choose(path.at(-1) ?? -1) };
}

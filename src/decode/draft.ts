/**
 * Drafts: what may come after the sure token, as a tree whose nodes come in the order of their rows, each behind its
 * parent. Usually a chain, one node for each head from 2 on.
 *
 *     tokens    e _ a b        parents   -1 0 0 -1        e follows the sure token, _ and a follow e, b is e's sibling
 */
import type { Distributions } from "../torch/mod.ts";

/** Most nodes of a tree: a row's branch is a 32-bit mask. */
export const MAX_NODES = 32;

export interface Draft {
  readonly tokens: readonly number[];
  /** Index of each node's parent; -1: the sure token. */
  readonly parents: readonly number[];
  /** What each token of a chain was drawn from; null where they were chosen, not drawn. */
  readonly drawnFrom: readonly { readonly distributions: Distributions; readonly row: number }[] | null;
}

export const NO_DRAFT: Draft = { tokens: [], parents: [], drawnFrom: null };

/** A draft without branches. */
export function chain(tokens: readonly number[], drawnFrom: Draft["drawnFrom"] = null): Draft {
  return { tokens, parents: tokens.map((_, i) => i - 1), drawnFrom };
}

export const isChain = ({ parents }: Draft): boolean => parents.every((parent, i) => parent === i - 1);

/** The first node with a token among those that follow one; -1: there is none. `node` -1: the sure token. */
export function childWith({ tokens, parents }: Draft, node: number, token: number): number {
  return tokens.findIndex((drafted, i) => drafted === token && parents[i] === node);
}

/** The nodes that follow one; `node` -1: the sure token. */
export function childrenOf({ parents }: Draft, node: number): number[] {
  return parents.flatMap((parent, i) => parent === node ? [i] : []);
}

/** The nodes from the root's child down to one. */
export function pathTo({ parents }: Draft, node: number): number[] {
  const path: number[] = [];
  for (let at = node; at !== -1; at = parents[at]!) path.unshift(at);
  return path;
}

/** A token that a head proposes. */
export interface Candidate {
  readonly token: number;
  /** The head's own probability of it. */
  readonly probability: number;
}

/**
 * The `nodes` likeliest paths through the heads' candidates. The heads are independent, so a path has the product of
 * its tokens' probabilities, and a parent is never less likely than its children.
 *
 * @param candidates Of each head from 2 on, the likeliest first.
 */
export function likeliestTree(candidates: readonly (readonly Candidate[])[], nodes: number): Draft {
  interface Open {
    readonly parent: number;
    readonly depth: number;
    readonly rank: number;
    readonly before: number;
  }
  const probabilityOf = ({ depth, rank, before }: Open) => before * candidates[depth]![rank]!.probability;
  const [tokens, parents]: [number[], number[]] = [[], []];
  // One open place for each parent: its likeliest child that is not in the tree.
  const open: Open[] = candidates.length === 0 ? [] : [{ parent: -1, depth: 0, rank: 0, before: 1 }];
  while (tokens.length < nodes && open.length > 0) {
    const at = open.reduce(
      (best, place, i) => probabilityOf(place) > probabilityOf(open[best]!) ? i : best,
      0,
    );
    const [place] = open.splice(at, 1) as [Open];
    const node = tokens.push(candidates[place.depth]![place.rank]!.token) - 1;
    parents.push(place.parent);
    if (place.rank + 1 < candidates[place.depth]!.length) open.push({ ...place, rank: place.rank + 1 });
    if (place.depth + 1 < candidates.length) {
      open.push({ parent: node, depth: place.depth + 1, rank: 0, before: probabilityOf(place) });
    }
  }
  return { tokens, parents, drawnFrom: null };
}

/** A draft up to and with the first of some tokens on each path, and no deeper than `depth` nodes. */
export function prune(draft: Draft, depth: number, stop: ReadonlySet<number>): Draft {
  return isChain(draft) ? pruneChain(draft, depth, stop) : pruneTree(draft, depth, stop);
}

function pruneChain(draft: Draft, depth: number, stop: ReadonlySet<number>): Draft {
  const { tokens, parents, drawnFrom } = draft;
  const stopped = tokens.findIndex((token) => stop.has(token));
  const kept = Math.min(depth, stopped === -1 ? tokens.length : stopped + 1);
  if (kept === tokens.length) return draft;
  return {
    tokens: tokens.slice(0, kept),
    parents: parents.slice(0, kept),
    drawnFrom: drawnFrom === null ? null : drawnFrom.slice(0, kept),
  };
}

function pruneTree(draft: Draft, depth: number, stop: ReadonlySet<number>): Draft {
  const kept: number[] = [];
  const renamed = new Map([[-1, -1]]);
  const depths = new Map([[-1, 0]]);
  draft.tokens.forEach((_, node) => {
    const parent = draft.parents[node]!;
    const place = renamed.get(parent);
    const isBehindStop = parent !== -1 && stop.has(draft.tokens[parent]!);
    if (place === undefined || isBehindStop || depths.get(parent)! >= depth) return;
    depths.set(node, depths.get(parent)! + 1);
    renamed.set(node, kept.push(node) - 1);
  });
  if (kept.length === draft.tokens.length) return draft;
  return {
    tokens: kept.map((node) => draft.tokens[node]!),
    parents: kept.map((node) => renamed.get(draft.parents[node]!)!),
    drawnFrom: draft.drawnFrom === null ? null : kept.map((node) => draft.drawnFrom![node]!),
  };
}

/** How requests are decoded. */
import type { Decoder } from "../model/mod.ts";
import { MAX_NODES } from "./draft.ts";
import type { DraftSettings } from "./drafting.ts";
import { GREEDY } from "./sampling.ts";
import type { Request } from "./sequence.ts";

export interface Settings extends DraftSettings {
  /** Heads that are used, from head 1 on; 1: plain decoding; `auto`: as many as pay (see `DraftLength`). */
  readonly heads: number | "auto";
  /** Sequences that share a forward pass. */
  readonly batch: number;
  readonly seed: number;
}

/** Greedily, one token a forward pass and one sequence at a time. */
export const PLAIN: Settings = {
  heads: 1,
  sampling: GREEDY,
  acceptance: "exact",
  tree: 1,
  treeNodes: 1,
  batch: 1,
  seed: 0,
};

/** @throws {RangeError} naming what does not fit. */
export function checkRequests(
  { shape, headCount }: Decoder,
  requests: readonly Request[],
  settings: Settings,
): void {
  for (const { prompt, newTokens } of requests) {
    if (prompt.length === 0) throw new RangeError("A prompt needs at least one token");
    if (prompt.length + newTokens > shape.context) {
      throw new RangeError(`${prompt.length} + ${newTokens} tokens do not fit a context of ${shape.context}`);
    }
  }
  const { heads, tree, treeNodes, sampling, batch } = settings;
  if (heads !== "auto" && (heads < 1 || heads > headCount)) {
    throw new RangeError(`${heads} heads are asked for, and the model has ${headCount}`);
  }
  if (sampling.temperature < 0) throw new RangeError(`A temperature of ${sampling.temperature} is below 0`);
  if (batch < 1) throw new RangeError(`A batch of ${batch} sequences`);
  if (tree < 1 || treeNodes < 1 || treeNodes > MAX_NODES) {
    throw new RangeError(
      `A tree of ${tree} candidates a head and ${treeNodes} nodes; at most ${MAX_NODES} nodes`,
    );
  }
  if (tree > 1 && heads === "auto") throw new RangeError("The number of heads of a tree is fixed, not auto");
  if (tree > 1 && shape.heads.kind === "sequential") {
    throw new RangeError("sequential heads read each other's drafts: they draft chains, no trees");
  }
}

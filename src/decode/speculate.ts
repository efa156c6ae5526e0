/**
 * Greedy self-speculative decoding (Stern et al. 2018; Gloeckle et al. 2024, section 2.3): the heads beyond the first
 * draft, the same forward pass that verifies a draft makes the next, and the output is what plain greedy decoding gives.
 *
 * With K = 4, after ... "t": the sure token "h" and three drafts go in together, and come out with head 1's choices.
 *
 *     row        0     1     2     3
 *     in         h     e     _     d        h is sure; e, _ and d are drafts of heads 2, 3, 4
 *     head 1     e     _     c     o        e and _ are right; head 1 has c where the draft was d
 *     kept       h     e     _              3 positions stay in the cache
 *     out        e     _     c              3 tokens in one forward pass; c is sure, and heads 2, 3, 4 of row 2 draft
 */
import type { MtpModel } from "../model/mod.ts";
import { choices, Scope, Tensor } from "../torch/mod.ts";
import { checkRoom, type Decoded, type GreedyRequest } from "./greedy.ts";

/** Drafts of one depth: head `depth` made them; a draft counts as proposed when all before it were accepted. */
export interface DraftCount {
  proposed: number;
  accepted: number;
}

export interface Speculated extends Decoded {
  /** Which tokens came from accepted drafts. */
  readonly drafted: boolean[];
  /** By depth, from head 2 on. */
  readonly drafts: DraftCount[];
}

/** How many drafts, from the first, are what head 1 chose before them. */
export function acceptedDrafts(drafts: readonly number[], chosen: readonly number[]): number {
  const wrong = drafts.findIndex((draft, i) => draft !== chosen[i]);
  return wrong === -1 ? drafts.length : wrong;
}

/** Decodes with all K heads, or the first `heads`. */
export function speculate(model: MtpModel, request: GreedyRequest, heads = model.headCount): Speculated {
  checkRoom(model, request);
  const { prompt, newTokens, stop, kernels } = request;
  using cache = model.newCache(prompt.length + newTokens);
  using drafter = model.newDrafter(prompt.length + newTokens);
  const drafts: DraftCount[] = Array.from({ length: heads - 1 }, () => ({ proposed: 0, accepted: 0 }));
  const tokens: number[] = [];
  const drafted: boolean[] = [];
  let forwards = -1; // the prompt's
  let sure: readonly number[] = prompt;
  let draft: readonly number[] = [];
  while (tokens.length < newTokens && tokens.at(-1) !== stop) {
    using _scope = new Scope();
    const known = cache.length + sure.length; // positions that stay whatever the verdict
    const ids = [...sure, ...draft];
    const { trunk, first } = model.extendRows(Tensor.ids(ids), cache, kernels);
    forwards++;
    const chosen = choices(model.logits(1, first.slice(0, sure.length - 1, ids.length), kernels));
    const accepted = acceptedDrafts(draft, chosen);
    countDrafts(drafts, draft.length, accepted);
    cache.truncate(known + accepted);
    const fresh = upTo(stop, chosen.slice(0, accepted + 1));
    tokens.push(...fresh);
    drafted.push(...fresh.map((_, i) => i < accepted));
    // No deeper than the tokens that are still wanted: the last of them needs no draft behind it.
    const depth = Math.min(heads, newTokens - tokens.length);
    const kept = sure.length + accepted; // the rows that stay; head 1's choice behind the last one is sure
    const next = chosen[accepted]!;
    const rows = { trunk: trunk.slice(0, 0, kept), first: first.slice(0, 0, kept) };
    // Nor behind a stop: if that is right, decoding ends with it.
    draft = depth < 2 ? [] : upTo(stop, drafter.draft(ids.slice(0, kept), rows, next, depth, kernels));
    sure = [next];
  }
  return { tokens, forwards, drafted, drafts };
}

/** A list up to and with its first `stop`. */
function upTo(stop: number, list: number[]): number[] {
  const at = list.indexOf(stop);
  return at === -1 ? list : list.slice(0, at + 1);
}

function countDrafts(counts: DraftCount[], made: number, accepted: number): void {
  for (let i = 0; i < made && i <= accepted; i++) {
    counts[i]!.proposed++;
    if (i < accepted) counts[i]!.accepted++;
  }
}

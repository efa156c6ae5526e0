/** How often drafts are accepted, by their depth: head d drafts at depth d. */
import type { DraftCount } from "./sequence.ts";

export interface Acceptance {
  readonly depth: number;
  readonly proposed: number;
  readonly accepted: number;
  /** Of the drafts proposed there: those whose predecessors were all accepted. Null where none was. */
  readonly conditional: number | null;
  /** The product of the conditional ones down to this depth. */
  readonly cumulative: number | null;
}

/** @param counts From head 2 on. */
export function acceptanceOf(counts: readonly DraftCount[]): Acceptance[] {
  let cumulative: number | null = 1;
  return counts.map(({ proposed, accepted }, i) => {
    const conditional = proposed === 0 ? null : accepted / proposed;
    cumulative = cumulative === null || conditional === null ? null : cumulative * conditional;
    return { depth: i + 2, proposed, accepted, conditional, cumulative };
  });
}

/** Counts of several outputs, depth by depth. */
export function sumOfDrafts(outputs: readonly { readonly drafts: readonly DraftCount[] }[]): DraftCount[] {
  const depths = Math.max(0, ...outputs.map(({ drafts }) => drafts.length));
  return Array.from({ length: depths }, (_, i) => {
    const sum = (key: keyof DraftCount) =>
      outputs.reduce((total, { drafts }) => total + (drafts[i]?.[key] ?? 0), 0);
    return { proposed: sum("proposed"), accepted: sum("accepted") };
  });
}

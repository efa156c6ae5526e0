/** The table of accepted drafts by depth, while decoding and on the true text. */

import type { DecodedArm, DecodedDomain, Measurement } from "./inputs.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { mostHeads } from "./measurements.ts";
import { count, percent } from "./numbers.ts";
import { placeOf } from "./speed_table.ts";
import { NONE } from "./summary.ts";
import { type Column, table } from "./table.ts";

/** A row of the table of acceptance. */
export interface AcceptanceRow {
  readonly arm: DecodedArm;
  readonly domain: DecodedDomain;
  readonly free: Measurement["acceptance"][number];
  readonly forced: Measurement["acceptance"][number] | undefined;
}

/** One for each depth. */
export function acceptanceRows(arm: DecodedArm): AcceptanceRow[] {
  return arm.domains.flatMap((domain) =>
    (mostHeads(domain.batches[0]!)?.acceptance ?? []).map((free) => ({
      arm,
      domain,
      free,
      forced: domain.teacher_forced?.acceptance.find(({ depth }) => depth === free.depth),
    }))
  );
}

const ACCEPTANCE: readonly Column<AcceptanceRow>[] = [
  {
    heading: "arm, depth",
    cell: ({ arm, domain, free }) => `${placeOf(arm, domain)}, depth\u00a0${count(free.depth)}`,
  },
  { heading: "accepted", cell: ({ free }) => `${count(free.accepted)} of ${count(free.proposed)}` },
  { heading: "conditional", cell: ({ free }) => metered(free.conditional) },
  { heading: "cumulative", cell: ({ free }) => metered(free.cumulative) },
  { heading: "conditional, true text", cell: ({ forced }) => metered(forced?.conditional ?? null) },
  { heading: "cumulative, true text", cell: ({ forced }) => metered(forced?.cumulative ?? null) },
];

const ACCEPTANCE_CAPTION =
  `Acceptance by depth with the most heads: the draft of head d is the d-th token of a forward. \
Conditional: among the drafts whose predecessors were all accepted; cumulative: the product of these down to the depth. While \
decoding (free-running), and on what the text goes on with (teacher-forced).`;

/** The table of acceptance by depth; arms without drafts have no rows. */
export function acceptanceTable(arms: readonly DecodedArm[]): Markup {
  return table(ACCEPTANCE_CAPTION, ACCEPTANCE, arms.flatMap(acceptanceRows), { cards: true });
}

/** A share with a small bar below it. */
function metered(share: number | null): Content {
  if (share === null) return NONE;
  const width = Math.min(100, share * 100).toFixed(1);
  return markup`${
    percent(share)
  }<svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect width="${width}" height="6"/></svg>`;
}

/** One measurement among all of an arm's: the one that is spoken of, and how it is named. */

import type { DecodedArm, DecodedBatch, DecodedDomain, Measurement } from "./inputs.ts";
import { plural } from "./numbers.ts";

/** A measurement and what it was made on. */
export interface Placed {
  readonly domain: DecodedDomain;
  readonly batch: DecodedBatch;
  readonly measurement: Measurement;
}

/** Plain decoding is the first measurement. */
export const plainOf = ({ measurements }: DecodedBatch): Measurement => measurements[0]!;

/** Measurements with drafts. */
export const draftingOf = ({ measurements }: DecodedBatch): readonly Measurement[] => measurements.slice(1);

/** What headline and summary speak of: the first domain, one prompt at a time, and the fastest number of heads. */
export function spokenOf({ domains }: DecodedArm): Placed | null {
  const domain = domains[0]!;
  const batch = domain.batches.find(({ batch }) => batch === 1) ?? domain.batches[0]!;
  const [first, ...others] = draftingOf(batch);
  if (first === undefined) return null;
  const measurement = others.reduce((best, other) => other.speedup > best.speedup ? other : best, first);
  return { domain, batch, measurement };
}

/** The measurement with the most heads, of those that use a fixed number. */
export const mostHeads = (batch: DecodedBatch): Measurement | undefined =>
  draftingOf(batch).findLast(({ heads }) => heads !== "auto");

/** `plain`, `2 heads`, `auto`. */
export function headsName({ heads }: Measurement): string {
  if (heads === "auto") return "auto";
  return heads === 1 ? "plain" : plural(heads, "head");
}

/** Milliseconds of a forward. */
export function millisecondsOf({ forward }: Measurement): number | null {
  if (forward === null) return null;
  const { trunk, heads, sampling, bookkeeping } = forward.milliseconds;
  return trunk + heads + sampling + bookkeeping;
}

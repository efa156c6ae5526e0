/** Tests whose items are made up rather than read: what small models can be good or bad at. */

import type { Group } from "../tasks/items.ts";
import { grammar } from "./grammar.ts";
import { induction } from "./induction.ts";
import { polynomials } from "./polynomials.ts";

/**
 * Makes `items` items of each group. The same seed gives the same ones; no seed gives any that stands in the made-up
 * training text of this or another seed (src/data/held_out.ts).
 */
export type Probe = (options: { seed: number; items: number }) => Group[];

export const PROBES: Record<string, Probe> = { induction, polynomials, grammar };

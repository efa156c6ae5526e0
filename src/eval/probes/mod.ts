/** Probes: items that are made up in place of read, by the name that a task's file gives with `made_up`. */
import type { Group } from "../tasks/items.ts";
import { grammar } from "./grammar.ts";
import { induction } from "./induction.ts";
import { polynomials } from "./polynomials.ts";

/**
 * Makes items that depend on the seed alone; `items` of each group. No seed gives any that stands in the made-up training
 * text of this or another seed (src/data/held_out.ts).
 */
export type Probe = (options: { readonly seed: number; readonly items: number }) => Group[];

export const PROBES: Readonly<Record<string, Probe>> = { induction, polynomials, grammar };

/** What makes items up. */
import type { Group } from "../tasks/items.ts";

/**
 * Makes items that depend on the seed alone; `items` of each group. No seed gives any that stands in the made-up training
 * text of this or another seed (src/data/held_out.ts).
 */
export type Probe = (options: { readonly seed: number; readonly items: number }) => Group[];

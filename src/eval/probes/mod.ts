/** Probes: items that are made up in place of read, by the name that a task's file gives with `made_up`. */
import type { Group } from "../tasks/items.ts";

/** Makes items that depend on the seed alone; `items` of each group. */
export type Probe = (options: { readonly seed: number; readonly items: number }) => Group[];

export const PROBES: Readonly<Record<string, Probe>> = {};

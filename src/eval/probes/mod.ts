/** Probes: items that are made up in place of read, by the name that a task's file gives with `made_up`. */
import { grammar } from "./grammar.ts";
import { induction } from "./induction.ts";
import { polynomials } from "./polynomials.ts";
import type { Probe } from "./probe.ts";

export const PROBES: Readonly<Record<string, Probe>> = { induction, polynomials, grammar };

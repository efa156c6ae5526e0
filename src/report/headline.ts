/** The result in one sentence, made of the numbers: it claims what was measured and says what was not. */

import { armFigures, type BitsFrom, type Outputs } from "./arm_figures.ts";
import type { Arm, Results } from "./collect.ts";
import { spokenOf } from "./measurements.ts";
import { decimal, plural } from "./numbers.ts";
import { type Replicates, replicatesOf } from "./replicates.ts";
import { type Spread, spreadOf } from "./spread.ts";

/** `forward (K=4)`: how an arm is called in sentences and legends. */
export function armName(arm: { readonly id: string; readonly heads: number }): string {
  return `${arm.id} (K=${arm.heads})`;
}

/** One sentence with its full stop. */
export function headline(results: Results): string {
  const sets = replicatesOf(results);
  const drafting = sets.filter((set) => meanOf(set, "tokens_per_forward") !== null);
  const best = drafting.reduce<Replicates | null>(
    (best, set) => best && speedup(best) >= speedup(set) ? best : set,
    null,
  );
  const clauses = best ? [decodingClause(best, drafting.length), bitsClause(best, sets)] : [
    bitsOfAll(sets),
    results.arms.some((arm) => arm.decoding) ? "no arm decoded with drafts" : "decoding was not measured",
  ];
  return `${clauses.join("; ")}.`;
}

/** `forward (K=4)`: how a set of replicates is called in sentences and legends. */
export function setName({ label, heads }: Replicates): string {
  return `${label} (K=${heads})`;
}

/** Over those seeds that have it; null where none has. */
function meanOf({ arms }: Replicates, key: "tokens_per_forward" | "speedup"): number | null {
  return spreadOf(arms.map(({ arm }) => armFigures(arm)[key]))?.mean ?? null;
}

function speedup(set: Replicates): number {
  return meanOf(set, "speedup") ?? 0;
}

function decodingClause(set: Replicates, rivals: number): string {
  const drafting = set.arms.map(({ arm }) => arm).filter((arm) => armFigures(arm).speedup !== null);
  const tokens = `${decimal(meanOf(set, "tokens_per_forward")!, 2)} tokens per forward`;
  const name = rivals > 1
    ? `Of ${rivals} arms that draft, ${setName(set)} has the highest speed-up: it`
    : setName(set);
  const seeds = drafting.length === 1 ? "" : ` (means of ${drafting.length} seeds)`;
  return `${name} produced ${tokens}${circumstances(drafting)} and decoded ${pace(speedup(set))}${seeds}, ${
    equalityClause(sumOf(drafting.map((arm) => armFigures(arm).outputs)))
  }`;
}

/** All together; null where nothing was compared. */
export function sumOf(outputs: readonly (Outputs | null)[]): Outputs | null {
  const all = outputs.filter((one) => one !== null);
  const sum = (key: keyof Outputs) => all.reduce((total, outputs) => total + outputs[key], 0);
  if (all.length === 0) return null;
  return {
    prompts: sum("prompts"),
    identical: sum("identical"),
    ties: sum("ties"),
    different: sum("different"),
  };
}

function circumstances(arms: readonly Arm[]): string {
  const { decoding, heads } = arms[0]!;
  const { domain } = spokenOf(decoding!)!;
  const counts = [...new Set(arms.map(({ decoding }) => spokenOf(decoding!)!.measurement.heads))];
  const used = counts.length > 1
    ? ` with ${counts.join(" or ")} heads`
    : counts[0] === heads
    ? ""
    : counts[0] === "auto"
    ? " with as many heads as paid"
    : ` with ${counts[0]} heads`;
  return decoding!.domains.length === 1 ? used : `${used} on ${domain.name}`;
}

function pace(ratio: number): string {
  const times = decimal(ratio, 2);
  if (Number(times) < 1) return `slower than its own plain decoding (${times} times its speed)`;
  return `${times} times as fast as its own plain decoding`;
}

/** How drafted and plain outputs compare, in words: only prompts that were compared count. */
export function equalityClause(outputs: Outputs | null): string {
  if (outputs === null) return "outputs not compared";
  const { prompts, identical, ties, different } = outputs;
  const same = `outputs identical for ${identical} of ${plural(prompts, "prompt")}`;
  const others = [
    ties > 0 ? `${ties} part${ties === 1 ? "s" : ""} at a near tie of the two best tokens` : "",
    different > 0 ? `${different} differ${different === 1 ? "s" : ""} otherwise` : "",
  ].filter((part) => part !== "");
  return others.length === 0 ? same : `${same} (${others.join(", ")})`;
}

/** A set's bits per byte over its seeds, and where they come from. */
function bitsOf({ arms }: Replicates): { from: BitsFrom | null; spread: Spread | null } {
  const figures = arms.map(({ arm }) => armFigures(arm));
  const from = figures.find(({ bits_per_byte_from: from }) => from !== null)?.bits_per_byte_from ?? null;
  const alike = figures.filter((figure) => figure.bits_per_byte_from === from);
  return { from, spread: spreadOf(alike.map(({ bits_per_byte }) => bits_per_byte)) };
}

/** `1.613`, and of several seeds `1.613 ± 0.004`. */
function bitsText({ mean, sd }: Spread): string {
  return decimal(mean, 3) + (sd === null ? "" : ` ± ${decimal(sd, 3)}`);
}

/** The set's bits per byte beside those of its reference, or of the first next-token arm, that was measured in the same way. */
function bitsClause(set: Replicates, sets: readonly Replicates[]): string {
  const { from, spread } = bitsOf(set);
  if (from === null || spread === null) return "bits per byte were not measured";
  const said = `${BITS_NAME[from]} ${bitsText(spread)}`;
  const alike = sets.filter((other) => other !== set && bitsOf(other).from === from);
  const baseline = alike.find(({ label }) => label === set.reference) ??
    alike.find(({ heads, arms }) => heads === 1 && arms[0]!.arm.text === set.arms[0]!.arm.text);
  if (baseline === undefined) return said;
  return `${said} against ${bitsText(bitsOf(baseline).spread!)} for ${setName(baseline)}`;
}

/** Sets that the headline names one by one. */
const NAMED = 8;

function bitsOfAll(sets: readonly Replicates[]): string {
  const clauses = (["held_out", "training_text", "last_validation", null] as const).map((from) => {
    const alike = sets.filter((set) => bitsOf(set).from === from);
    if (alike.length === 0) return "";
    if (from === null) return `no bits per byte yet: ${listed(alike.map(setName))}`;
    const said = alike.map((set) => `${setName(set)} ${bitsText(bitsOf(set).spread!)}`);
    return `${BITS_NAME[from]}: ${listed(said)}`;
  }).filter((clause) => clause !== "").join("; ");
  return capitalized(clauses);
}

/** `a, b, c`, and of very many the first ones and how many more. */
export function listed(names: readonly string[]): string {
  const more = names.length - NAMED;
  return more > 1 ? `${names.slice(0, NAMED).join(", ")} and ${more} more` : names.join(", ");
}

/** With a capital at the beginning. */
export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Bits per byte by where they come from, in words. */
export const BITS_NAME: Readonly<Record<BitsFrom, string>> = {
  held_out: "held-out bits per byte",
  training_text: "bits per byte on the training text",
  last_validation: "bits per byte at the last validation",
};

/** The result in one sentence, made of the numbers: it claims what was measured and says what was not. */

import { armFigures, type BitsFrom, type Outputs } from "./arm_figures.ts";
import type { Arm, Results } from "./collect.ts";
import { spokenOf } from "./measurements.ts";
import { decimal, plural } from "./numbers.ts";

/** `forward (K=4)`: how an arm is called in sentences and legends. */
export function armName(arm: { readonly id: string; readonly heads: number }): string {
  return `${arm.id} (K=${arm.heads})`;
}

/** One sentence with its full stop. */
export function headline(results: Results): string {
  const drafting = results.arms.filter((arm) => armFigures(arm).tokens_per_forward !== null);
  const best = drafting.reduce<Arm | null>(
    (best, arm) => best && speedup(best) >= speedup(arm) ? best : arm,
    null,
  );
  const clauses = best ? [decodingClause(best, drafting.length), bitsClause(best, results.arms)] : [
    bitsOfAll(results.arms),
    results.arms.some((arm) => arm.decoding) ? "no arm decoded with drafts" : "decoding was not measured",
  ];
  return `${clauses.join("; ")}.`;
}

function speedup(arm: Arm): number {
  return armFigures(arm).speedup ?? 0;
}

function decodingClause(arm: Arm, rivals: number): string {
  const { tokens_per_forward, outputs } = armFigures(arm);
  const tokens = `${decimal(tokens_per_forward!, 2)} tokens per forward`;
  const name = rivals > 1
    ? `Of ${rivals} arms that draft, ${armName(arm)} has the highest speed-up: it`
    : armName(arm);
  return `${name} produced ${tokens}${circumstances(arm)} and decoded ${pace(speedup(arm))}, ${
    equalityClause(outputs)
  }`;
}

/** Of how many heads, and on what text, where that does not go without saying. */
function circumstances({ decoding, heads }: Arm): string {
  const { domain, measurement } = spokenOf(decoding!)!;
  const used = measurement.heads === heads
    ? ""
    : measurement.heads === "auto"
    ? " with as many heads as paid"
    : ` with ${measurement.heads} heads`;
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

/** The arm's bits per byte beside those of the first next-token arm that was measured in the same way. */
function bitsClause(arm: Arm, arms: readonly Arm[]): string {
  const own = armFigures(arm);
  if (own.bits_per_byte === null) return "bits per byte were not measured";
  const said = `${BITS_NAME[own.bits_per_byte_from!]} ${decimal(own.bits_per_byte, 3)}`;
  const baseline = arms.find((other) => {
    return other !== arm && other.heads === 1 &&
      armFigures(other).bits_per_byte_from === own.bits_per_byte_from;
  });
  if (baseline === undefined) return said;
  return `${said} against ${decimal(armFigures(baseline).bits_per_byte!, 3)} for ${armName(baseline)}`;
}

function bitsOfAll(arms: readonly Arm[]): string {
  const clauses = (["held_out", "training_text", "last_validation", null] as const).map((from) => {
    const alike = arms.filter((arm) => armFigures(arm).bits_per_byte_from === from);
    if (alike.length === 0) return "";
    if (from === null) return `no bits per byte yet: ${alike.map(armName).join(", ")}`;
    const said = alike.map((arm) => `${armName(arm)} ${decimal(armFigures(arm).bits_per_byte!, 3)}`);
    return `${BITS_NAME[from]}: ${said.join(", ")}`;
  }).filter((clause) => clause !== "").join("; ");
  return capitalized(clauses);
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

/** One row an arm, and how its figures are written. */

import { type ArmFigures, armFigures, type Outputs } from "./arm_figures.ts";
import type { Results } from "./collect.ts";
import type { Content, Markup } from "./markup.ts";
import { count, decimal, duration, percent } from "./numbers.ts";
import { type Column, table } from "./table.ts";

/** What stands where nothing was measured. */
export const NONE = "–";

const COLUMNS: readonly Column<ArmFigures>[] = [
  { heading: "arm", cell: (arm) => arm.id },
  { heading: "curriculum", words: true, cell: (arm) => arm.curriculum },
  { heading: "heads K", cell: (arm) => count(arm.heads) },
  { heading: "parameters", cell: (arm) => known(arm.parameters, count) },
  { heading: "bits per byte\u00a0↓", cell: bitsPerByte },
  {
    heading: "tokens per forward\u00a0↑",
    cell: (arm) => known(arm.tokens_per_forward, (n) => decimal(n, 2)),
  },
  { heading: "speed\u2011up\u00a0↑", cell: (arm) => known(arm.speedup, times) },
  {
    heading: "outputs equal",
    words: true,
    cell: (arm) => arm.speedup === null ? NONE : outputsCell(arm.outputs),
  },
  { heading: "rep\u20114\u00a0↓", cell: (arm) => known(arm.repetition, ({ rep_4 }) => percent(rep_4)) },
  { heading: "training time", cell: (arm) => known(arm.training, ({ seconds }) => duration(seconds)) },
  {
    heading: "training tokens/s\u00a0↑",
    cell: (arm) => known(arm.training, (training) => count(training.tokens_per_s)),
  },
];

/** One row an arm. */
export function armsTable(results: Results): Markup {
  const rows = results.arms.map(armFigures);
  const sources = new Set(rows.map((row) => row.bits_per_byte_from));
  const caption = `One row an arm. Bits per byte are head 1's${
    sources.has("held_out") ? ", on held-out text" : ""
  }.${sources.has("training_text") ? " (t) on the training text." : ""}${
    sources.has("last_validation")
      ? " (v) at the last validation during training, on a smaller part of the held-out text."
      : ""
  } rep-4 is that of plain decoding.`;
  return table(caption, COLUMNS, rows, { cards: true });
}

/** `1.80×` */
export function times(ratio: number): string {
  return `${decimal(ratio, 2)}×`;
}

/** The text of a value, or a dash. */
export function known<T>(value: T | null, text: (value: T) => string): string {
  return value === null ? NONE : text(value);
}

function bitsPerByte(arm: ArmFigures): Content {
  const marks = { held_out: "", training_text: " (t)", last_validation: " (v)" };
  if (arm.bits_per_byte === null || arm.bits_per_byte_from === null) return NONE;
  return decimal(arm.bits_per_byte, 3) + marks[arm.bits_per_byte_from];
}

/** `16 of 16`, and what the others are. */
export function outputsCell(outputs: Outputs | null): string {
  if (outputs === null) return "not compared";
  const others = [
    outputs.ties > 0 ? `${outputs.ties} near tie${outputs.ties === 1 ? "" : "s"}` : "",
    outputs.different > 0 ? `${outputs.different} different` : "",
  ].filter((part) => part !== "");
  return [`${outputs.identical} of ${outputs.prompts}`, ...others].join(", ");
}

/** report.csv: a line for each arm with every figure, for a spreadsheet or a data frame (RFC 4180). */

import { armFigures } from "./arm_figures.ts";
import type { Results } from "./collect.ts";
import { costOf } from "./cost.ts";
import { measuresOf } from "./measures.ts";
import { replicatesOf } from "./replicates.ts";

type Cell = string | number | null;

/** Headings, then the arms set by set. Shares are not scaled; empty: not measured. */
export function csv(results: Results): string {
  const measures = measuresOf(results);
  const rows = replicatesOf(results).flatMap(({ label, kind, reference, arms }) =>
    arms.map(({ arm, seed }): Readonly<Record<string, Cell>> => {
      const { energy_joules: joules, ...cost } = costOf(arm, results.stages);
      const { outputs, draft_heads } = armFigures(arm);
      return {
        id: arm.id,
        label,
        curriculum: arm.curriculum,
        seed,
        heads: arm.heads,
        kind,
        run: arm.run,
        reference,
        ...Object.fromEntries(measures.map((measure) => [measure.key, measure.of(arm)])),
        draft_heads,
        prompts: outputs?.prompts ?? null,
        outputs_identical: outputs?.identical ?? null,
        outputs_near_tie: outputs?.ties ?? null,
        outputs_different: outputs?.different ?? null,
        ...cost,
        energy_joules: typeof joules === "number" ? joules : null,
      };
    })
  );
  const keys = Object.keys(rows[0] ?? {});
  return [keys, ...rows.map((row) => keys.map((key) => row[key] ?? null))].map(line).join("");
}

function line(cells: readonly Cell[]): string {
  return `${cells.map(field).join(",")}\r\n`;
}

function field(cell: Cell): string {
  if (cell === null) return "";
  const text = String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

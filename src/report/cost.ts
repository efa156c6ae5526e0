/** What it took: time, tokens a second, energy, a row for each set of replicates. */

import type { Arm, Results, StageTime } from "./collect.ts";
import type { Training } from "./inputs.ts";
import { type Content, markup } from "./markup.ts";
import { count, decimal, duration, percent } from "./numbers.ts";
import { type Replicates, replicatesOf } from "./replicates.ts";
import { spreadOf } from "./spread.ts";
import { NONE } from "./summary.ts";
import { type Column, table } from "./table.ts";

/** What one arm took; null where nothing says. */
export interface ArmCost {
  readonly parameters: number | null;
  readonly steps: number | null;
  readonly tokens: number | null;
  /** Of training, less validation and saving. */
  readonly training_seconds: number | null;
  readonly tokens_per_s: number | null;
  /** Median over the logged steps: share of the machine's peak; null where it exceeds 1, for then that was no peak. */
  readonly mfu: number | null;
  /** Of the training, scaled up where only some of its steps were measured; `unreadable` where the machine does not tell. */
  readonly energy_joules: number | "unreadable" | null;
  /** Wall clock of the eval stages; a stage over several arms counts for each with its share. */
  readonly evaluation_seconds: number | null;
  /** The same of the decode stages. */
  readonly decoding_seconds: number | null;
}

/** What an arm took. */
export function costOf({ id, training, steps }: Arm, stages: readonly StageTime[]): ArmCost {
  return {
    parameters: training?.parameters.total ?? null,
    steps: training?.steps ?? steps.at(-1)?.step ?? null,
    tokens: training?.tokens ?? steps.at(-1)?.tokens ?? null,
    training_seconds: training?.seconds ?? null,
    tokens_per_s: training?.tokens_per_s ?? null,
    mfu: mfuOf(steps),
    energy_joules: training === null ? null : energyOf(training),
    evaluation_seconds: secondsOf("eval", id, stages),
    decoding_seconds: secondsOf("decode", id, stages),
  };
}

function mfuOf(steps: Arm["steps"]): number | null {
  const found = median(steps.flatMap(({ mfu }) => mfu ?? []));
  return found === null || found > 1 ? null : found;
}

function energyOf({ energy, steps }: Training): ArmCost["energy_joules"] {
  if (energy === undefined) return null;
  if (energy === null) return "unreadable";
  return energy.steps === undefined || energy.steps === 0
    ? energy.joules
    : energy.joules * steps / energy.steps;
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

function secondsOf(run: string, arm: string, stages: readonly StageTime[]): number | null {
  const known = stages.flatMap((stage) =>
    stage.run === run && stage.seconds !== null && stage.arms.includes(arm)
      ? [stage.seconds / stage.arms.length]
      : []
  );
  return known.length === 0 ? null : known.reduce((sum, seconds) => sum + seconds, 0);
}

/** A set of replicates and what each of its arms took. */
export interface SetCost {
  readonly set: Replicates;
  readonly arms: readonly ArmCost[];
}

/** Of all sets. */
export function costsOf(results: Results): SetCost[] {
  return replicatesOf(results).map((set) => ({
    set,
    arms: set.arms.map(({ arm }) => costOf(arm, results.stages)),
  }));
}

/** The columns; the same for a page and for Markdown. */
export const COST_COLUMNS: readonly Column<SetCost>[] = [
  { heading: "arm", cell: ({ set }) => set.label },
  { heading: "parameters", cell: (row) => mean(row, "parameters", count) },
  { heading: "steps", cell: (row) => mean(row, "steps", count) },
  { heading: "tokens", cell: (row) => mean(row, "tokens", count) },
  { heading: "training time", cell: (row) => mean(row, "training_seconds", duration) },
  { heading: "training tokens/s\u00a0↑", cell: (row) => mean(row, "tokens_per_s", count) },
  { heading: "MFU", cell: (row) => mean(row, "mfu", percent) },
  { heading: "energy of training", cell: energyCell },
  { heading: "evaluation time", cell: (row) => mean(row, "evaluation_seconds", duration) },
  { heading: "decoding time", cell: (row) => mean(row, "decoding_seconds", duration) },
];

function mean({ arms }: SetCost, key: keyof ArmCost, text: (value: number) => string): string {
  const spread = spreadOf(arms.map((arm) => typeof arm[key] === "number" ? arm[key] : null));
  return spread === null ? NONE : text(spread.mean);
}

function energyCell({ arms }: SetCost): string {
  const spread = spreadOf(
    arms.map(({ energy_joules: joules }) => typeof joules === "number" ? joules : null),
  );
  if (spread !== null) return energyText(spread.mean);
  return arms.some(({ energy_joules }) => energy_joules === "unreadable") ? "not readable here" : NONE;
}

/** `0.42 Wh (1,512 J)` */
function energyText(joules: number): string {
  return `${decimal(joules / 3600, joules < 36_000 ? 2 : 0)}\u00a0Wh (${count(joules)}\u00a0J)`;
}

/** Columns in which some row has something. */
export function costColumns(rows: readonly SetCost[]): Column<SetCost>[] {
  return COST_COLUMNS.filter(({ cell }) => rows.some((row) => cell(row) !== NONE));
}

/** Nothing where no arm says what it took. */
export function costSection(results: Results): Content {
  const rows = costsOf(results);
  const columns = costColumns(rows);
  if (columns.length < 2) return null;
  return markup`<section aria-labelledby="cost"><h2 id="cost">Cost</h2>
${table("What one arm took, on average over its seeds.", columns, rows, { cards: true })}
${costNotes(results).map((note) => markup`<p class="note soft">${note}</p>`)}
</section>
`;
}

const PARTS = [["train", "training"], ["eval", "evaluation"], ["decode", "decoding"]] as const;

/** What the columns mean, and sums over all arms. */
export function costNotes({ arms, stages }: Results): string[] {
  const sources = new Set(arms.flatMap(({ training }) => training?.energy?.source ?? []));
  const joules = arms.reduce((sum, { training }) => {
    const own = training && energyOf(training);
    return sum + (typeof own === "number" ? own : 0);
  }, 0);
  const isScaled = arms.some(({ training }) =>
    (training?.energy?.steps ?? Infinity) < (training?.steps ?? 0)
  );
  const total = (run: string | null) =>
    stages.reduce((sum, stage) => sum + (run === null || stage.run === run ? stage.seconds ?? 0 : 0), 0);
  const meanings = [
    arms.some(({ training }) => training !== null)
      ? "Training time is without validation and saving, which the stage's own time has in it."
      : "",
    arms.some(({ steps }) => steps.some(({ mfu }) => typeof mfu === "number"))
      ? "MFU: arithmetic of the model over the machine's peak; median over the logged steps. Above 100\u00a0% it is not given: then the peak \
was measured on a busy machine."
      : "",
    sources.size > 0
      ? `Energy as ${[...sources].join(", ")} tells it, all arms together ${energyText(joules)}${
        isScaled ? "; scaled up from the steps that were measured, where a training was resumed" : ""
      }.`
      : "",
    total(null) === 0
      ? ""
      : `All stages together took ${duration(total(null))}: ${
        PARTS.filter(([run]) => total(run) > 0).map(([run, name]) => `${name} ${duration(total(run))}`).join(
          ", ",
        )
      }. A stage over several arms counts for each with an equal share.`,
  ].filter((sentence) => sentence !== "");
  return meanings.length === 0 ? [] : [meanings.join(" ")];
}

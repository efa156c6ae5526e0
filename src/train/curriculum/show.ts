/** `foretoken curriculum show`: a curriculum before it is trained, as a table, a chart and sums, for a terminal. Pure. */
import type { TrainConfig } from "../../config/schema.ts";
import { aligned } from "../../formats/columns.ts";
import { curriculumName, type Phase, phasesOf, rateAt, weightsAt } from "../curriculum.ts";

/** Columns of the chart. */
const WIDTH = 64;

/** What is drawn for one step. */
interface Moment {
  readonly weights: readonly number[];
  readonly frozen: readonly string[];
  readonly lr: number;
}

export function showCurriculum({ id, curriculum, model, train }: TrainConfig): string[] {
  const K = model.heads.count;
  const phases = phasesOf(curriculum, K, train.steps);
  const moments = phases.flatMap((phase) =>
    Array.from({ length: phase.to - phase.from }, (_, n): Moment => ({
      weights: weightsAt(phases, phase.from + n),
      frozen: phase.freeze ?? [],
      lr: rateAt(phases, train, phase.from + n),
    }))
  );
  const name = curriculumName(curriculum);
  const heads = K === 1 ? "1 head" : `${K} heads`;
  return [
    `${id}: ${name}, ${heads}, ${train.steps} steps, ${train.loss} of the losses, schedule ${train.schedule}`,
    ...(name === "adaptive"
      ? [
        "Its phases begin at the latest where they are shown: earlier, where the newest head's loss has flattened.",
      ]
      : []),
    "",
    ...phaseTable(phases, moments),
    "",
    ...chart(moments, K),
    "",
    ...headTable(moments, K, train.lr_scale.heads),
    computeInWords(moments, K),
  ];
}

function phaseTable(phases: readonly Phase[], moments: readonly Moment[]): string[] {
  const rows = phases.map((phase, i) => {
    const rates = moments.slice(phase.from, phase.to).map(({ lr }) => lr);
    const turns = new Set([rates[0]!, largest(rates), rates.at(-1)!].map(shortRate)); // start, peak, end
    return [
      `${i + 1}`,
      `${phase.from + 1} to ${phase.to}`,
      phase.weights.map((weight, head) => travel(weight, phase.end?.[head] ?? weight)).join(" "),
      phase.freeze?.join(" ") ?? "-",
      [...turns].join(" > ") + (phase.lr ? " (own)" : ""),
    ];
  });
  return aligned([["phase", "steps", "weight of each head", "frozen", "learning rate"], ...rows]);
}

const shortRate = (lr: number): string => lr.toExponential(1);
const short = (weight: number): string => String(Number(weight.toPrecision(3)));
const travel = (from: number, to: number): string =>
  from === to ? short(from) : `${short(from)}>${short(to)}`;

/** Of any number of values, more than a call takes arguments. */
const largest = (values: readonly number[]): number =>
  values.reduce((most, value) => Math.max(most, value), 0);

const SHADES = [" ", "░", "▒", "▓", "█"];
const BARS = "▁▂▃▄▅▆▇█";

/** A row a head, darker for more weight, and the learning rate below: each column is the mean of its steps. */
function chart(moments: readonly Moment[], K: number): string[] {
  const columns = Array.from(
    { length: Math.min(WIDTH, moments.length) },
    (_, c, width = Math.min(WIDTH, moments.length)) =>
      moments.slice(Math.floor(c * moments.length / width), Math.floor((c + 1) * moments.length / width)),
  );
  const meanOf = (steps: readonly Moment[], value: (moment: Moment) => number) =>
    steps.reduce((sum, moment) => sum + value(moment), 0) / steps.length;
  const heaviest = largest(moments.map(({ weights }) => largest(weights)));
  const fastest = largest(moments.map(({ lr }) => lr));
  const rows = Array.from({ length: K }, (_, i) => {
    const cells = columns.map((steps) => {
      const level = meanOf(steps, ({ weights }) => weights[i]!) / heaviest;
      return SHADES[level === 0 ? 0 : Math.max(1, Math.round(level * (SHADES.length - 1)))];
    });
    return `head ${i + 1}`.padEnd(8) + "|" + cells.join("") + "|";
  });
  const rates = columns.map((steps) =>
    BARS[Math.round(meanOf(steps, ({ lr }) => lr) / fastest * (BARS.length - 1))]
  );
  return [
    ...rows,
    "lr".padEnd(8) + "|" + rates.join("") + "|",
    " ".repeat(9) + "1" + `${moments.length}`.padStart(columns.length - 1),
    `░▒▓█ a quarter to all of the largest weight, ${short(heaviest)}; blank: asleep`,
  ];
}

/** What each head gets: steps in which it is run, those of them in which it learns, and the sum of their rates. */
function headTable(moments: readonly Moment[], K: number, scale: number): string[] {
  const rows = Array.from({ length: K }, (_, i) => {
    const awake = moments.filter(({ weights }) => weights[i]! > 0);
    const learning = awake.filter(({ frozen }) => !frozen.includes(`head${i + 1}`));
    const integral = learning.reduce((sum, { lr }) => sum + lr * scale, 0);
    return [`${i + 1}`, `${awake.length}`, `${learning.length}`, integral.toPrecision(3)];
  });
  return aligned([["head", "steps awake", "steps learning", "sum of learning rates"], ...rows]);
}

function computeInWords(moments: readonly Moment[], K: number): string {
  const awake = moments.reduce((sum, { weights }) => sum + weights.filter((w) => w > 0).length, 0);
  const mean = awake / moments.length;
  return `On average ${mean.toFixed(2)} of ${K} heads are awake: ${
    (100 * mean / K).toFixed(1)
  }% of the heads' compute if all were.`;
}

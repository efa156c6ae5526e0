/** The training's charts: loss per head with the curriculum's phases, bits per byte and drafting over the steps. */

import { type Band, lineChart } from "./chart.ts";
import { extent, type Series } from "./series.ts";
import type { Arm, Results } from "./collect.ts";
import { armName } from "./headline.ts";
import type { Phase, Validation, Warning } from "./inputs.ts";
import { type Markup, markup } from "./markup.ts";

/** The charts, as far as there are curves. */
export function trainingSection({ arms }: Pick<Results, "arms">, extra?: Markup): Markup {
  return markup`<section aria-labelledby="training"><h2 id="training">Training</h2>
${warnings(arms)}
${lossCharts(arms.filter((arm) => arm.steps.length > 0))}
${validationCharts(arms)}
${extra}</section>
`;
}

/** What the training itself has warned of. */
function warnings(arms: readonly Arm[]): Markup | null {
  const said = arms.flatMap((arm) => {
    const byName = Map.groupBy(arm.warnings, ({ name }) => name);
    return [...byName.values()].map((alike) => ({ arm, alike }));
  });
  if (said.length === 0) return null;
  return markup`<h3>Warnings</h3>
<ul class="warnings">${
    said.map(({ arm, alike }) =>
      markup`<li><strong>${armName(arm)}, ${whenSaid(alike)}:</strong> ${alike.at(-1)!.message}</li>
`
    )
  }</ul>`;
}

/** `step 40`, or of several alike, of which the last one is shown, `step 340 (15 times from step 60 on)`. */
function whenSaid(alike: readonly Warning[]): string {
  const last = `step ${alike.at(-1)!.step}`;
  return alike.length === 1 ? last : `${last} (${alike.length} times from step ${alike[0]!.step} on)`;
}

function lossCharts(arms: readonly Arm[]): Markup {
  if (arms.length === 0) return markup`<p>No training curves are there: no losses are drawn.</p>`;
  const series = arms.map(headSeries);
  const range = extent(series.flat()) ?? [0, 1];
  const charts = arms.map((arm, i) =>
    markup`<figure>${
      lineChart({
        id: `loss-${i}`,
        title: `Loss per head: ${armName(arm)}`,
        description: `Training loss of each head of ${arm.id} over optimizer steps. Phases: ${
          phasesInWords(arm)
        }.`,
        x: { label: "optimizer step", range: [0, lastStep([arm])] },
        y: { label: "training loss, nats per token", range },
        series: series[i]!,
        bands: arm.phases.map(band),
      })
    }</figure>
`
  );
  return markup`<h3>Loss per head</h3>
<p class="note soft">Each line is one head's own loss on the training batches (head 1 predicts the next token, head i the token
i places ahead). Shaded: the curriculum's phases with the heads that are trained; a head that sleeps has a gap.
All panels have the same vertical axis. Of long runs
the line is the mean of neighbouring points, with every point faint behind it.</p>
<div class="charts">${charts}</div>`;
}

function headSeries(arm: Arm): Series[] {
  return Array.from({ length: arm.heads }, (_, head) => ({
    name: `head ${head + 1}`,
    points: arm.steps.map(({ step, heads }) => [step, heads[head] ?? null] as const),
  }));
}

/** Metrics count steps from 1 and phases from 0: a phase's steps are those after `from` up to `to`. */
function band({ from, to, weights }: Phase): Band {
  const heads = weights.flatMap((weight, i) => weight > 0 ? [i + 1] : []);
  if (heads.length === 0) return { from, to, labels: ["no head", "none"] };
  const short = rangesOf(heads);
  const long = `${heads.length === 1 ? "head" : "heads"} ${short}`;
  const trained = heads.map((head) => Number(weights[head - 1]!.toPrecision(3)));
  const labels = trained.every((weight) => weight === 1) ? [] : [`${long}, weights ${trained.join(", ")}`];
  return { from, to, labels: [...labels, long, short] };
}

/** `[1, 2, 3, 5]` is `1–3, 5`. */
function rangesOf(heads: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const head of heads) {
    const open = ranges.at(-1);
    if (open !== undefined && open[1] === head - 1) open[1] = head;
    else ranges.push([head, head]);
  }
  return ranges.map(([from, to]) => from === to ? `${from}` : `${from}–${to}`).join(", ");
}

function phasesInWords(arm: Arm): string {
  return arm.phases.map((phase) => `${band(phase).labels[0]} for steps ${phase.from + 1} to ${phase.to}`)
    .join("; ");
}

function validationCharts(arms: readonly Arm[]): Markup {
  if (arms.every((arm) => arm.validations.length === 0)) {
    return markup`<p>No validation was made during training: no curves of bits per byte are drawn.</p>`;
  }
  const last = lastStep(arms);
  // An arm without curves keeps its place in the styles: the same line everywhere.
  const series = (value: (validation: Validation) => number): Series[] =>
    arms.flatMap((arm, style) => {
      if (arm.validations.length === 0) return [];
      return [{ name: armName(arm), style, points: arm.validations.map((v) => [v.step, value(v)] as const) }];
    });
  return markup`<h3>Validation during training</h3>
<div class="charts">
<figure>${
    lineChart({
      id: "bits",
      title: "Bits per byte (head 1), lower is better",
      description: "Validation bits per byte of each arm over optimizer steps.",
      x: { label: "optimizer step", range: [0, last] },
      y: { label: "bits per byte of held-out text" },
      series: series((validation) => validation.bits_per_byte),
    })
  }<figcaption>On the validation batches of held-out text.</figcaption></figure>
<figure>${
    lineChart({
      id: "drafting",
      title: "Estimated tokens per forward, higher is better",
      description: "Teacher-forced estimate of tokens per forward of each arm over optimizer steps.",
      x: { label: "optimizer step", range: [0, last] },
      y: { label: "tokens per forward (1: no draft accepted)", range: [1, 1.2] },
      series: series((validation) => validation.expected_tokens_per_forward),
    })
  }<figcaption>An estimate on held-out text (teacher-forced): a head's draft counts where it and all before it agree with
head 1's choice. What decoding measured stands below, where it was measured.</figcaption></figure>
</div>`;
}

/** The last step that any of the arms has come to; at least 1. */
export function lastStep(arms: readonly Arm[]): number {
  return Math.max(
    1,
    ...arms.flatMap((arm) => [
      arm.training?.steps ?? 0,
      arm.steps.at(-1)?.step ?? 0,
      arm.validations.at(-1)?.step ?? 0,
    ]),
  );
}

/** Curves of each head's loss: a panel for each set of replicates, and head 1 of all of them in one. */

import { lineChart } from "./charts/chart.ts";
import type { Arm, Results } from "./collect.ts";
import { courseOf } from "./course.ts";
import { byHeads, curriculaOf, type Facet, inFacet, stylesIn } from "./facets.ts";
import { armName } from "./headline.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { plural } from "./numbers.ts";
import { band, phasesInWords } from "./phases.ts";
import type { Replicates } from "./replicates.ts";
import { extent, type Series } from "./charts/series.ts";
import { lastStep, lateRange } from "./steps.ts";
import type { Point } from "./charts/thinning.ts";

/** Panels that stand open; further ones unfold. */
const OPEN = 12;
/** Of so many arms at most, every point of a single one is drawn: of more, the page would be too large. */
const DETAILED = 8;
/** Columns of lines that lie close together: each is a mean over many steps, or their noise would hide which is lower. */
const SMOOTH = 40;

/** The panels, or a sentence. */
export function lossCharts(all: readonly Replicates[], data: Results["data"]): Content {
  const sets = all.filter((set) => armsOf(set).length > 0);
  if (sets.length === 0) return markup`<p>No training curves are there: no losses are drawn.</p>`;
  const isDetailed = all.flatMap(({ arms }) => arms).length <= DETAILED;
  const series = sets.map((set) => headSeries(set, isDetailed));
  const range = extent(series.flat()) ?? [0, 1];
  const panels = sets.map((set, i) => panel(set, series[i]!, range, i));
  const folded = panels.slice(OPEN);
  const several = sets.some((set) => armsOf(set).length > 1);
  return markup`<h3>Loss per head</h3>
<p class="note soft">Each line is one head's own loss on the training batches (head 1 predicts the next token, head i the token
i places ahead). Shaded: the curriculum's phases with the heads that are trained; a head that sleeps has a gap.
All panels have the same vertical axis. ${
    several
      ? "Where a panel is of several seeds, lines are means over them, and the shades around the lines reach from the lowest seed to the highest."
      : ""
  } Of long runs
the line is the mean of neighbouring points${isDetailed && ", with every point faint behind it"}.</p>
<div class="charts">${panels.slice(0, OPEN)}</div>
${
    folded.length > 0 &&
    markup`<details><summary>${
      plural(folded.length, "more panel")
    }</summary><div class="charts">${folded}</div></details>
`
  }${overlays(all, data)}`;
}

/** The arms of a set that have curves. */
const armsOf = ({ arms }: Replicates): Arm[] =>
  arms.map(({ arm }) => arm).filter(({ steps }) => steps.length > 0);

function curveOf({ steps }: Arm, head: number): Point[] {
  return steps.map(({ step, heads }) => [step, heads[head] ?? null] as const);
}

function headSeries(set: Replicates, isDetailed: boolean): Series[] {
  return Array.from({ length: set.heads }, (_, head) => {
    const name = `head ${head + 1}`;
    const curves = armsOf(set).map((arm) => curveOf(arm, head));
    return curves.length === 1 && isDetailed ? { name, points: curves[0]! } : { name, ...courseOf(curves) };
  });
}

function panel(
  set: Replicates,
  series: readonly Series[],
  range: readonly [number, number],
  index: number,
): Markup {
  const arms = armsOf(set);
  const [first] = arms;
  const name = arms.length === 1
    ? armName(first!)
    : `${set.label} (K=${set.heads}), ${plural(arms.length, "seed")}`;
  // Seeds of an adaptive curriculum may change phase at different steps.
  const isCommon = arms.every(({ phases }) => JSON.stringify(phases) === JSON.stringify(first!.phases));
  return markup`<figure>${
    lineChart({
      id: `loss-${index}`,
      title: `Loss per head: ${name}`,
      description: `Training loss of each head of ${
        arms.length === 1 ? first!.id : set.label
      } over optimizer steps. ${
        isCommon ? `Phases: ${phasesInWords(first!)}.` : "Its phases differ from seed to seed."
      }`,
      x: { label: "optimizer step", range: [0, lastStep(arms)] },
      y: { label: "training loss, nats per token", range },
      series,
      bands: isCommon ? first!.phases.map(band) : [],
    })
  }${
    !isCommon && markup`<figcaption>The phases differ from seed to seed: none are shaded.</figcaption>`
  }</figure>
`;
}

/** Head 1 of all sets in one chart, where there is more to compare than two arms in two panels. */
function overlays(sets: readonly Replicates[], data: Results["data"]): Content {
  const curricula = curriculaOf(sets);
  const facets = byHeads(sets, data)
    .filter(({ sets }) => sets.filter((set) => armsOf(set).length > 0).length > 1)
    .filter(({ sets }) => sets.length > 2 || sets.some(({ arms }) => arms.length > 1));
  if (facets.length === 0) return null;
  return markup`<div class="charts">${facets.map((facet, i) => overlay(facet, curricula, i))}</div>
`;
}

function overlay(facet: Facet, curricula: readonly string[], index: number): Markup {
  const styles = stylesIn(facet, curricula);
  const series = facet.sets.flatMap((set, i): Series[] => {
    const curves = armsOf(set).map((arm) => curveOf(arm, 0));
    return curves.length === 0 ? [] : [{
      name: set.label,
      style: styles[i]!,
      points: courseOf(curves, SMOOTH).points,
    }];
  });
  const last = lastStep(facet.sets.flatMap(armsOf));
  const range = lateRange(series, last);
  return markup`<figure>${
    lineChart({
      id: `first-head-${index}`,
      title: `Loss of head 1${inFacet(facet)}`,
      description: "Training loss of head 1 of each set of arms over optimizer steps.",
      x: { label: "optimizer step", range: [0, last] },
      y: { label: "training loss of head 1, nats per token", ...(range && { range, cut: true }) },
      series,
    })
  }<figcaption>Head 1 of all in one, smoothed further. The axis is that of the later steps: what is above it is cut off.</figcaption></figure>
`;
}

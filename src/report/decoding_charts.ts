/** Charts of one arm's decoding: speed by number of heads, acceptance by depth, where the time of a forward goes. */

import { outputsOf } from "./arm_figures.ts";
import { type BarChart, barChart } from "./charts/bars.ts";
import { armName, equalityClause } from "./headline.ts";
import type { DecodedArm, DecodedBatch, DecodedDomain } from "./inputs.ts";
import { type Markup, markup } from "./markup.ts";
import { draftingOf, headsName, millisecondsOf, mostHeads, spokenOf } from "./measurements.ts";
import { decimal, percent } from "./numbers.ts";
import { type StackChart, stackChart } from "./charts/stack.ts";
import { NONE, times } from "./summary.ts";

/** Charts of the first batch of each domain; those of further batches unfold. */
export function armCharts(arm: DecodedArm, id: string): Markup {
  const of = (batches: (domain: DecodedDomain) => readonly DecodedBatch[]) =>
    arm.domains.flatMap((domain, d) =>
      batches(domain).map((batch) => charts(arm, domain, batch, `${id}-${d}-${batch.batch}`))
    );
  const further = of(({ batches }) => batches.slice(1));
  const spoken = spokenOf(arm)!;
  return markup`<h3>Drafts of ${armName(arm)}</h3>
<p>Fastest${arm.domains.length > 1 && ` on ${spoken.domain.name}`}: ${headsName(spoken.measurement)}; ${
    equalityClause(outputsOf(spoken))
  }.</p>
<div class="charts">${of(({ batches }) => batches.slice(0, 1))}</div>
${
    further.length > 0 &&
    markup`<details><summary>Charts of larger batches</summary><div class="charts">${further}</div></details>`
  }
`;
}

function charts(arm: DecodedArm, domain: DecodedDomain, batch: DecodedBatch, id: string): Markup[] {
  const place = `${arm.domains.length > 1 ? `${domain.name}, ` : ""}batch ${batch.batch}`;
  const all = [
    barChart(speedBars(batch, place, `speed-${id}`)),
    stackChart(partStacks(batch, place, `parts-${id}`)),
  ];
  const acceptance = acceptanceBars(domain, batch, place, `acceptance-${id}`);
  if (acceptance !== null && batch === domain.batches[0]) all.splice(1, 0, barChart(acceptance));
  return all.map((chart) => markup`<figure>${chart}</figure>`);
}

function speedBars(batch: DecodedBatch, place: string, id: string): BarChart {
  return {
    id,
    title: `Speed-up by heads: ${place}`,
    description:
      "Measured tokens per forward, ideal and wall-clock speed-up. The dashed line is plain decoding.",
    axis: "times plain decoding of the same model (dashed: 1)",
    measures: ["tokens per forward", "ideal speed-up", "wall-clock speed-up"],
    reference: 1,
    groups: draftingOf(batch).map((measurement) => ({
      name: headsName(measurement),
      bars: [
        { value: measurement.tokens_per_forward, label: decimal(measurement.tokens_per_forward, 2) },
        measurement.ideal === null
          ? { value: null, label: NONE }
          : { value: measurement.ideal.speedup, label: times(measurement.ideal.speedup) },
        { value: measurement.speedup, label: times(measurement.speedup) },
      ],
    })),
  };
}

function acceptanceBars(
  { teacher_forced }: DecodedDomain,
  batch: DecodedBatch,
  place: string,
  id: string,
): BarChart | null {
  const free = mostHeads(batch);
  if (free === undefined) return null;
  const bar = (share: number | null | undefined) =>
    share === null || share === undefined
      ? { value: null, label: NONE }
      : { value: share, label: percent(share) };
  return {
    id,
    title: `Acceptance by depth: ${place}`,
    description:
      "Share of drafts that are accepted, of those whose predecessors were, while decoding and on the true text.",
    axis: "share of drafts accepted, once those before them were",
    measures: ["free-running", "teacher-forced, on the true text"],
    groups: free.acceptance.map(({ depth, conditional }) => ({
      name: `depth ${depth}`,
      bars: [
        bar(conditional),
        bar(teacher_forced?.acceptance.find((forced) => forced.depth === depth)?.conditional),
      ],
    })),
  };
}

function partStacks({ measurements }: DecodedBatch, place: string, id: string): StackChart {
  return {
    id,
    title: `Time of a forward by part: ${place}`,
    description: "Mean milliseconds of a forward behind the prompt.",
    axis: "milliseconds a forward",
    parts: ["trunk", "heads", "sampling", "bookkeeping"],
    stacks: measurements.flatMap((measurement) => {
      if (measurement.forward === null) return [];
      const { trunk, heads, sampling, bookkeeping } = measurement.forward.milliseconds;
      return [{
        name: headsName(measurement),
        lengths: [trunk, heads, sampling, bookkeeping],
        label: `${decimal(millisecondsOf(measurement)!, 2)} ms`,
      }];
    }),
  };
}

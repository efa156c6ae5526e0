/** Curves of validations during training: bits per byte, and the estimate of tokens per forward. */

import { lineChart } from "./charts/chart.ts";
import type { Arm, Results } from "./collect.ts";
import { courseOf } from "./course.ts";
import { byHeads, curriculaOf, type Facet, inFacet, stylesIn } from "./facets.ts";
import { armName } from "./headline.ts";
import type { Validation } from "./inputs.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import type { Replicates } from "./replicates.ts";
import type { Series } from "./charts/series.ts";
import { lastStep, lateRange } from "./steps.ts";

/** Two charts for each facet, or a sentence. */
export function validationCharts(sets: readonly Replicates[], data: Results["data"]): Content {
  if (sets.every((set) => armsOf(set).length === 0)) {
    return markup`<p>No validation was made during training: no curves of bits per byte are drawn.</p>`;
  }
  const curricula = curriculaOf(sets);
  const facets = byHeads(sets, data).filter(({ sets }) => sets.some((set) => armsOf(set).length > 0));
  const several = sets.some((set) => armsOf(set).length > 1);
  return markup`<h3>Validation during training</h3>
<div class="charts">
${facets.map((facet, i) => charts(facet, curricula, facets.length > 1 ? `-${i}` : ""))}</div>
${
    several &&
    markup`<p class="note soft">Lines are means over seeds, the shades reach from the lowest seed to the highest.</p>`
  }`;
}

const armsOf = ({ arms }: Replicates): Arm[] =>
  arms.map(({ arm }) => arm).filter(({ validations }) => validations.length > 0);

function charts(facet: Facet, curricula: readonly string[], suffix: string): Markup {
  const styles = stylesIn(facet, curricula);
  const last = lastStep(facet.sets.flatMap(({ arms }) => arms.map(({ arm }) => arm)));
  // A set without curves keeps its place in the styles: the same line everywhere.
  const series = (value: (validation: Validation) => number): Series[] =>
    facet.sets.flatMap((set, i) => {
      const arms = armsOf(set);
      if (arms.length === 0) return [];
      const curves = arms.map(({ validations }) => validations.map((v) => [v.step, value(v)] as const));
      return [{ name: nameOf(set), style: styles[i]!, ...courseOf(curves) }];
    });
  const bits = series((validation) => validation.bits_per_byte);
  const range = bits.length > 2 ? lateRange(bits, last) : null;
  return markup`<figure>${
    lineChart({
      id: `bits${suffix}`,
      title: `Bits per byte (head 1), lower is better${inFacet(facet)}`,
      description: "Validation bits per byte of each arm over optimizer steps.",
      x: { label: "optimizer step", range: [0, last] },
      y: { label: "bits per byte of held-out text", ...(range && { range, cut: true }) },
      series: bits,
    })
  }<figcaption>On the validation batches of held-out text.${
    range && " The axis is that of the later steps: what is above it is cut off."
  }</figcaption></figure>
<figure>${
    lineChart({
      id: `drafting${suffix}`,
      title: `Estimated tokens per forward, higher is better${inFacet(facet)}`,
      description: "Teacher-forced estimate of tokens per forward of each arm over optimizer steps.",
      x: { label: "optimizer step", range: [0, last] },
      y: { label: "tokens per forward (1: no draft accepted)", range: [1, 1.2] },
      series: series((validation) => validation.expected_tokens_per_forward),
    })
  }<figcaption>An estimate on held-out text (teacher-forced): a head's draft counts where it and all before it agree with
head 1's choice. What decoding measured stands below, where it was measured.</figcaption></figure>
`;
}

/** `ntp (K=1)` of a single arm, `forward` of several. */
function nameOf({ arms, label }: Replicates): string {
  return arms.length === 1 ? armName(arms[0]!.arm) : label;
}

/** The picture that tells the story: quality against speed-up, one mark a set of replicates, with the Pareto front. */

import { armFigures, type BitsFrom } from "./arm_figures.ts";
import type { Results } from "./collect.ts";
import { byText, curriculaOf, type Facet } from "./facets.ts";
import { BITS_NAME } from "./headline.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { plural } from "./numbers.ts";
import { type Replicates, replicatesOf } from "./replicates.ts";
import { frontOf, type Group, scatterPlot } from "./charts/scatter.ts";
import { spreadOf } from "./spread.ts";
import { STYLES } from "./charts/svg.ts";

/** What more is better of. */
interface Measure {
  readonly id: string;
  readonly name: string;
  readonly axis: string;
  readonly key: "tokens_per_forward_true_text" | "tokens_per_forward" | "speedup";
}

const MEASURES: readonly Measure[] = [
  {
    id: "true-text",
    name: "Tokens per forward on the true text",
    axis: "tokens per forward pass (higher is better ↑)",
    key: "tokens_per_forward_true_text",
  },
  {
    id: "tokens",
    name: "Tokens per forward while decoding",
    axis: "tokens per forward pass (higher is better ↑)",
    key: "tokens_per_forward",
  },
  {
    id: "speed",
    name: "Speed-up",
    axis: "times plain decoding, wall clock (higher is better ↑)",
    key: "speedup",
  },
];

/** So many names have room in a plot; of more sets, only those on the front and the references are named. */
const NAMED = 12;

/** Plots for each text, of each measure that at least two sets have; nothing where there is none. */
export function paretoSection(results: Results): Content {
  const sets = replicatesOf(results);
  const source = commonSource(sets);
  if (source === null) return null;
  const curricula = curriculaOf(sets);
  const facets = byText(sets, results.data)
    .map((facet) => ({
      facet,
      plots: MEASURES.map((measure) => ({ measure, groups: groupsOf(facet, measure, source, curricula) }))
        .filter(({ groups }) => groups.some(({ mean }) => mean.y !== 1) && groups.length > 1),
    }))
    .filter(({ plots }) => plots.length > 0);
  if (facets.length === 0) return null;
  const shown = new Set(
    facets.flatMap(({ plots }) => plots.flatMap(({ groups }) => groups.map(({ name }) => name))),
  );
  const left = sets.filter(({ label }) => !shown.has(label)).map(({ label }) => label);
  return markup`<section aria-labelledby="pareto"><h2 id="pareto">Quality against speed-up</h2>
${
    facets.map(({ facet, plots }, i) =>
      markup`${
        facet.name !== "" && markup`<h3>${facet.name}</h3>
`
      }<div class="charts">${
        plots.map(({ measure, groups }) => figure(facet, measure, groups, source, `pareto-${i}`))
      }</div>
`
    )
  }<p class="note soft">${explained(sets, facets.length)}${
    left.length > 0 && ` Not drawn, since a figure is missing: ${left.join(", ")}.`
  }</p>
</section>
`;
}

/** Bits per byte compare only where they come from the same place: the best one that two sets have. */
function commonSource(sets: readonly Replicates[]): BitsFrom | null {
  const order: BitsFrom[] = ["held_out", "training_text", "last_validation"];
  return order.find((from) =>
    sets.filter(({ arms }) => arms.some(({ arm }) => armFigures(arm).bits_per_byte_from === from)).length > 1
  ) ?? null;
}

function groupsOf(facet: Facet, measure: Measure, source: BitsFrom, curricula: readonly string[]): Group[] {
  const groups = facet.sets.flatMap((set): Group[] => {
    const points = pointsOf(set, measure, source);
    const [x, y] = [spreadOf(points.map(({ x }) => x)), spreadOf(points.map(({ y }) => y))];
    if (x === null || y === null) return [];
    return [{
      name: set.label,
      style: curricula.indexOf(set.curriculum) % STYLES,
      points,
      mean: { x: x.mean, y: y.mean, sd: x.sd === null || y.sd === null ? null : { x: x.sd, y: y.sd } },
      labelled: true,
    }];
  });
  if (groups.length <= NAMED) return groups;
  const named = new Set(frontOf(groups));
  const references = new Set(facet.sets.filter(({ isReference }) => isReference).map(({ label }) => label));
  return groups.map((group) => ({ ...group, labelled: named.has(group) || references.has(group.name) }));
}

/** One point an arm that has both figures. An arm of one head cannot draft: a token per forward, at plain decoding's speed. */
function pointsOf({ arms }: Replicates, { key }: Measure, source: BitsFrom): Group["points"] {
  return arms.flatMap(({ arm }) => {
    const figures = armFigures(arm);
    const x = figures.bits_per_byte_from === source ? figures.bits_per_byte : null;
    const y = figures[key] ?? (arm.heads === 1 ? 1 : null);
    return x === null || y === null ? [] : [{ name: arm.id, x, y }];
  });
}

function figure(
  { name }: Facet,
  { id, name: measure, axis }: Measure,
  groups: readonly Group[],
  source: BitsFrom,
  prefix: string,
): Markup {
  const numbers = groups.map(({ points }) => points.length);
  const seeds = Math.max(...numbers);
  const upTo = numbers.every((n) => n === seeds) ? "" : "up to ";
  return markup`<figure>${
    scatterPlot({
      id: `${prefix}-${id}`,
      title: name === "" ? measure : `${measure}: ${name}`,
      description: `x is ${BITS_NAME[source]}, lower is better; y is ${axis}.`,
      x: { label: `${BITS_NAME[source]} (← lower is better)` },
      y: { label: axis, range: [0.95, 1.2] },
      reference: 1,
      groups,
      words: {
        point: "one training run",
        mean: `mean ± standard deviation, ${upTo}${plural(seeds, "seed")}`,
      },
    })
  }</figure>
`;
}

function explained(sets: readonly Replicates[], texts: number): string {
  const several = sets.some(({ arms }) => arms.length > 1);
  return `The best place is the upper left: few bits per byte, many tokens. The Pareto front joins the sets ${
    several ? "(by their means over seeds) " : ""
  }that no other beats in both. On the true text all K heads draft, and loops, which are easy to draft, flatter no one; while \
decoding, tokens per forward and speed-up are those of the fastest number of heads. An arm with one head drafts nothing and stands \
at 1 (dashed), as plain decoding does.${
    texts > 1 ? " Bits per byte of different texts do not compare: each text has plots of its own." : ""
  }`;
}

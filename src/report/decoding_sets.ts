/** Charts of the decoding of many arms: what each set of replicates gains by heads, and how its drafts fare by depth. */

import { lineChart } from "./charts/chart.ts";
import type { Results } from "./collect.ts";
import { byHeads, curriculaOf, type Facet, inFacet, stylesIn } from "./facets.ts";
import type { DecodedArm, DecodedDomain } from "./inputs.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { draftingOf, mostHeads } from "./measurements.ts";
import type { Replicates } from "./replicates.ts";
import type { Series } from "./charts/series.ts";
import { spreadOf } from "./spread.ts";

/** A figure of one arm's domain at a whole number: of heads, or of depth. */
interface ByNumber {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly x: string;
  readonly y: string;
  /** The axis reaches over this at least; `cut`: at most. */
  readonly range: readonly [number, number];
  readonly cut?: boolean;
  readonly of: (domain: DecodedDomain) => ReadonlyMap<number, number>;
}

const CHARTS: readonly ByNumber[] = [
  {
    id: "forward",
    title: "Tokens per forward by heads",
    description: "Measured tokens per forward of each set by the number of heads that draft.",
    x: "heads used (1: plain decoding)",
    y: "tokens per forward pass (higher is better ↑)",
    range: [0.95, 1.2],
    of: byHeadsUsed((measurement) => measurement.tokens_per_forward),
  },
  {
    id: "speedup",
    title: "Speed-up by heads",
    description: "Measured wall-clock speed-up of each set by the number of heads that draft.",
    x: "heads used (1: plain decoding)",
    y: "times plain decoding, wall clock (higher is better ↑)",
    range: [0.95, 1.2],
    of: byHeadsUsed((measurement) => measurement.speedup),
  },
  {
    id: "free",
    title: "Acceptance by depth, while decoding",
    description: "Share of drafts that are accepted, of those whose predecessors were, while decoding.",
    x: "depth: place of the token in its forward",
    y: "share of drafts accepted, once those before them were",
    range: [0, 1],
    cut: true,
    of: ({ batches }) => byDepth(mostHeads(batches[0]!)?.acceptance),
  },
  {
    id: "forced",
    title: "Acceptance by depth, on the true text",
    description:
      "Share of drafts that are accepted, of those whose predecessors were, teacher-forced on the true text.",
    x: "depth: place of the token in its forward",
    y: "share of drafts accepted, once those before them were",
    range: [0, 1],
    cut: true,
    of: ({ teacher_forced }) => byDepth(teacher_forced?.acceptance),
  },
];

function byHeadsUsed(
  value: (measurement: DecodedDomain["batches"][number]["measurements"][number]) => number,
) {
  return ({ batches }: DecodedDomain): ReadonlyMap<number, number> => {
    const drafting = draftingOf(batches[0]!).flatMap((one): [number, number][] =>
      one.heads === "auto" ? [] : [[one.heads, value(one)]]
    );
    return new Map(drafting.length === 0 ? [] : [[1, 1], ...drafting]);
  };
}

function byDepth(
  acceptance: readonly { depth: number; conditional: number | null }[] = [],
): Map<number, number> {
  return new Map(
    acceptance.flatMap(({ depth, conditional }) => conditional === null ? [] : [[depth, conditional]]),
  );
}

/** Four charts for each domain and facet of these sets; `arms` are those of one decoding. */
export function setCharts(
  sets: readonly Replicates[],
  arms: readonly DecodedArm[],
  data: Results["data"],
  id: string,
): Content {
  const decoded = new Map(arms.map((arm) => [arm.id, arm]));
  const own = sets.filter((set) => set.arms.some(({ arm }) => decoded.has(arm.id)));
  const curricula = curriculaOf(sets);
  const domains = [...new Set(arms.flatMap((arm) => arm.domains.map(({ name }) => name)))];
  const figures = byHeads(own, data).flatMap((facet, f) =>
    domains.flatMap((domain, d) => {
      const domainOf = (armId: string) => decoded.get(armId)?.domains.find(({ name }) => name === domain);
      const place = `${inFacet(facet)}${domains.length > 1 ? `, ${domain}` : ""}`;
      return CHARTS.map((chart) =>
        figure(chart, facet, curricula, domainOf, place, `${chart.id}-${id}-${f}-${d}`)
      );
    })
  );
  return markup`<div class="charts">${figures}</div>
<p class="note soft">Points are means over seeds, bars reach one standard deviation up and down; sets stand a little apart, so that
their bars do not cover each other. With one prompt at a time, or the smallest batch.</p>
`;
}

function figure(
  { title, description, x, y, range, cut = false, of }: ByNumber,
  facet: Facet,
  curricula: readonly string[],
  domainOf: (armId: string) => DecodedDomain | undefined,
  place: string,
  id: string,
): Markup | null {
  const styles = stylesIn(facet, curricula);
  const measured = facet.sets.map((set, i) => ({
    name: set.label,
    style: styles[i]!,
    values: set.arms.flatMap(({ arm }) => {
      const domain = domainOf(arm.id);
      return domain === undefined ? [] : [of(domain)];
    }).filter((values) => values.size > 0),
  })).filter(({ values }) => values.length > 0);
  const numbers = [...new Set(measured.flatMap(({ values }) => values.flatMap((one) => [...one.keys()])))]
    .sort((a, b) => a - b);
  if (numbers.length === 0) return null;
  const series = measured.map(({ name, style, values }, i): Series => {
    const shift = (i - (measured.length - 1) / 2) * 0.05;
    const spreads = numbers.map((number) => spreadOf(values.map((one) => one.get(number) ?? null)));
    return {
      name,
      style,
      points: numbers.map((number, n) => [number + shift, spreads[n]?.mean ?? null]),
      spread: spreads.map((spread) =>
        spread === null || spread.sd === null ? null : [spread.mean - spread.sd, spread.mean + spread.sd]
      ),
    };
  });
  return markup`<figure>${
    lineChart({
      id,
      title: title + place,
      description,
      x: { label: x, range: [numbers[0]! - 0.4, numbers.at(-1)! + 0.4], ticks: numbers },
      y: { label: y, range, cut },
      series,
    })
  }</figure>
`;
}

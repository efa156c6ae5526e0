/** What the decode stages measured: speed by number of heads, acceptance by depth, where the time goes, equality. */

import { outputsOf } from "./arm_figures.ts";
import { type BarChart, barChart } from "./bars.ts";
import type { Results, Staged } from "./collect.ts";
import { armName, capitalized, equalityClause } from "./headline.ts";
import type { DecodedArm, DecodedBatch, DecodedDomain, Decoding, Measurement } from "./inputs.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import {
  draftingOf,
  headsName,
  millisecondsOf,
  mostHeads,
  type Placed,
  plainOf,
  spokenOf,
} from "./measurements.ts";
import { count, decimal, percent, plural } from "./numbers.ts";
import { type StackChart, stackChart } from "./stack.ts";
import { known, NONE, outputsCell, times } from "./summary.ts";
import { type Column, table } from "./table.ts";

/** One part for each decode stage, or a sentence. */
export function decodingSection({ decodings }: Results): Markup {
  return markup`<section aria-labelledby="decoding"><h2 id="decoding">Decoding</h2>
${
    decodings.length === 0
      ? markup`<p>No decoding was among this report's inputs: nothing is said of tokens per forward or speed.</p>`
      : decodings.map((decoding, i) => part(decoding, i, decodings.length > 1))
  }
</section>
`;
}

function part({ id, value }: Staged<Decoding>, index: number, several: boolean): Markup {
  const { arms } = value;
  const drafting = arms.filter((arm) => spokenOf(arm) !== null);
  return markup`${several && markup`<h3>Stage ${id}</h3>`}
<p>${capitalized(choiceInWords(value))} of up to ${
    count(value.new_tokens)
  } new tokens after prompts of at most ${
    count(value.prompt_bytes)
  } bytes, plainly (head 1, one token a forward) and with the model's own drafts. ${lossInWords(value)} ${
    machineInWords(value)
  }</p>
${
    drafting.length === 0
      ? markup`<p>No arm decoded with drafts.</p>`
      : drafting.map((arm, i) => armCharts(arm, `${index}-${i}`))
  }
${table(SPEED_CAPTION, SPEED, arms.flatMap(rowsOf), { cards: true })}
${differences(arms)}
${
    drafting.length > 0 &&
    table(ACCEPTANCE_CAPTION, ACCEPTANCE, drafting.flatMap(acceptanceRows), { cards: true })
  }
${table(TEXT_CAPTION, TEXT, arms.flatMap(textRows), { cards: true })}
`;
}

function choiceInWords({ sampling }: Decoding): string {
  const { temperature, top_k, top_p, min_p, repetition_penalty: penalty } = sampling;
  const penalized = penalty === 1 ? "" : `, repetition penalty ${penalty}`;
  if (temperature === 0) return `greedy decoding${penalized}`;
  const cuts = [
    top_k > 0 && `top-k ${top_k}`,
    top_p < 1 && `top-p ${top_p}`,
    min_p > 0 && `min-p ${min_p}`,
  ];
  return [`sampling at temperature ${temperature}`, ...cuts.filter((cut) => cut !== false)].join(", ") +
    penalized;
}

function lossInWords({ mode, tolerance, sampling, lossless, tree }: Decoding): string {
  const drafts = tree === null
    ? ""
    : ` Drafts branch: ${tree.candidates} candidates a head, ${tree.nodes} tokens a forward.`;
  if (!lossless) {
    return `Drafts are accepted where they are typical (Medusa's rule), which is not lossless: the text differs from plain \
decoding's.${drafts}`;
  }
  if (sampling.temperature > 0) {
    return `Drafts leave the distribution as it is; outputs are drawn at random and not compared.${drafts}`;
  }
  if (mode === "strict") {
    return `Mode strict: all ways compute each row alike, so equal outputs are expected without exception.${drafts}`;
  }
  return `Mode ${mode}: outputs may part where the two best logits of the plain decoder lie within ${tolerance}; such near ties \
are counted.${drafts}`;
}

function machineInWords({ machine, repeats }: Decoding): string {
  const gpu = machine.gpu === null ? "" : ` (${machine.gpu})`;
  const rounds = repeats === 1 ? "one round" : `the median of ${repeats} rounds, all ways in turn`;
  return `Device ${machine.device}${gpu}, ${plural(machine.threads, "thread")} on ${
    plural(machine.cpus, "CPU")
  }: wall-clock figures hold for this machine, ${rounds}.`;
}

/** Charts of the first batch of each domain; those of further batches unfold. */
function armCharts(arm: DecodedArm, id: string): Markup {
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

/** A row of the table of speeds; `measurement`: null for plain decoding with the other kernels. */
interface SpeedRow {
  readonly arm: DecodedArm;
  readonly placed: Placed;
  readonly other: { readonly kernels: string; readonly tokens_per_s: number } | null;
}

function rowsOf(arm: DecodedArm): SpeedRow[] {
  return arm.domains.flatMap((domain) =>
    domain.batches.flatMap((batch) => {
      const row = (measurement: Measurement, other: SpeedRow["other"] = null) => ({
        arm,
        placed: { domain, batch, measurement },
        other,
      });
      const own = batch.measurements.map((measurement) => row(measurement));
      return batch.other_plain === null ? own : [row(plainOf(batch), batch.other_plain), ...own];
    })
  );
}

/** A column that says nothing of plain decoding with the other kernels. */
const own = (heading: string, text: (measurement: Measurement) => string): Column<SpeedRow> => ({
  heading,
  cell: ({ placed, other }) => other === null ? text(placed.measurement) : NONE,
});

const SPEED: readonly Column<SpeedRow>[] = [
  { heading: "arm, batch, heads", cell: speedRowName },
  {
    heading: "tokens/s\u00a0↑",
    cell: ({ placed, other }) => decimal((other ?? placed.measurement).tokens_per_s, 0),
  },
  own("tokens per forward\u00a0↑", ({ tokens_per_forward }) => decimal(tokens_per_forward, 2)),
  {
    heading: "speed\u2011up\u00a0↑",
    cell: ({ placed: { measurement }, other }) =>
      times(
        other === null
          ? measurement.speedup
          : other.tokens_per_s * measurement.speedup / measurement.tokens_per_s,
      ),
  },
  own("cost of a forward\u00a0↓", ({ ideal }) => known(ideal, ({ forward_cost }) => times(forward_cost))),
  own(
    "ideal (reached)\u00a0↑",
    ({ ideal }) => known(ideal, ({ speedup, reached }) => `${times(speedup)}\u00a0(${percent(reached)})`),
  ),
  own("ms a forward (bookkeeping)\u00a0↓", forwardCell),
  {
    heading: "outputs equal",
    words: true,
    cell: ({ placed, other }) => other === null ? outputsCell(outputsOf(placed)) : NONE,
  },
];

/** `mtp, batch 8, 4 heads`: on narrow screens, where a row is a card, all that tells it from the others. */
function speedRowName({ arm, placed: { domain, batch, measurement }, other }: SpeedRow): string {
  const heads = other === null ? headsName(measurement) : `plain, ${other.kernels}`;
  return `${placeOf(arm, domain)}, batch\u00a0${count(batch.batch)}, ${heads.replaceAll(" ", "\u00a0")}`;
}

/** `mtp`, or `mtp, code` where there are several domains. */
function placeOf({ id, domains }: DecodedArm, { name }: DecodedDomain): string {
  return domains.length > 1 ? `${id}, ${name}` : id;
}

function forwardCell(measurement: Measurement): string {
  const all = millisecondsOf(measurement);
  if (all === null) return NONE;
  return `${decimal(all, 2)} (${percent(measurement.forward!.milliseconds.bookkeeping / all)})`;
}

const SPEED_CAPTION =
  `Speed. Tokens a second of wall clock, prompts included; speed-up over the fastest plain decoder with the \
same batch, of either kind of kernels. "plain, aten" is plain decoding with libtorch's own kernels, whose rounding may change with the \
rows beside a row; "plain, rows" with kernels that compute each row alike; "plain" with the same kernels as the drafts below it. The \
forward over a prompt, and the token that it gives, count in no tokens per forward. Cost of a forward: over a draft and its sure \
token, in forwards of one token a prompt, trunk and head 1 alone; ideal: tokens per forward over that cost; reached: the measured \
share of it, against plain decoding with the same kernels. The cost is timed apart from the decoding, over full batches: above \
100\u00a0%, the rounds were cheaper than that, because batches run partly empty once some texts have ended, or because the machine \
was quieter. Bookkeeping: the share of a forward that is spent outside trunk, heads and sampling. Outputs are compared with plain \
decoding of one prompt at a time.`;

interface AcceptanceRow {
  readonly arm: DecodedArm;
  readonly domain: DecodedDomain;
  readonly free: Measurement["acceptance"][number];
  readonly forced: Measurement["acceptance"][number] | undefined;
}

function acceptanceRows(arm: DecodedArm): AcceptanceRow[] {
  return arm.domains.flatMap((domain) =>
    (mostHeads(domain.batches[0]!)?.acceptance ?? []).map((free) => ({
      arm,
      domain,
      free,
      forced: domain.teacher_forced?.acceptance.find(({ depth }) => depth === free.depth),
    }))
  );
}

const ACCEPTANCE: readonly Column<AcceptanceRow>[] = [
  {
    heading: "arm, depth",
    cell: ({ arm, domain, free }) => `${placeOf(arm, domain)}, depth\u00a0${count(free.depth)}`,
  },
  { heading: "accepted", cell: ({ free }) => `${count(free.accepted)} of ${count(free.proposed)}` },
  { heading: "conditional", cell: ({ free }) => metered(free.conditional) },
  { heading: "cumulative", cell: ({ free }) => metered(free.cumulative) },
  { heading: "conditional, true text", cell: ({ forced }) => metered(forced?.conditional ?? null) },
  { heading: "cumulative, true text", cell: ({ forced }) => metered(forced?.cumulative ?? null) },
];

const ACCEPTANCE_CAPTION =
  `Acceptance by depth with the most heads: the draft of head d is the d-th token of a forward. \
Conditional: among the drafts whose predecessors were all accepted; cumulative: the product of these down to the depth. While \
decoding (free-running), and on what the text goes on with (teacher-forced).`;

interface TextRow {
  readonly arm: DecodedArm;
  readonly domain: DecodedDomain;
}

const textRows = (arm: DecodedArm): TextRow[] => arm.domains.map((domain) => ({ arm, domain }));

const TEXT: readonly Column<TextRow>[] = [
  { heading: "arm", cell: ({ arm }) => arm.id },
  { heading: "domain", words: true, cell: ({ domain }) => domain.name },
  { heading: "prompts", cell: ({ domain }) => count(domain.prompts) },
  { heading: "rep\u20114", cell: ({ domain }) => percent(domain.repetition.plain.rep_4) },
  {
    heading: "rep\u20114, true text",
    cell: ({ domain }) => known(domain.repetition.truth, ({ rep_4 }) => percent(rep_4)),
  },
  { heading: "new bigrams", cell: ({ domain }) => percent(domain.repetition.plain.distinct_2) },
  {
    heading: "new bigrams, true text",
    cell: ({ domain }) => known(domain.repetition.truth, ({ distinct_2 }) => percent(distinct_2)),
  },
  {
    heading: "bits per byte of the true text\u00a0↓",
    cell: ({ domain }) => known(domain.teacher_forced, ({ bits_per_byte }) => decimal(bits_per_byte, 3)),
  },
];

const TEXT_CAPTION =
  `What was written: repetition of plain output beside that of what the text goes on with. Loops are easy to \
draft: where output repeats itself more than the true text, free-running acceptance is flattered. rep-4: the share of four-word \
sequences that occurred before in the same continuation. New bigrams: the share of pairs of words that occur for the first time \
in their continuation; "distinct-2" of generated text is another measure, over all continuations together.`;

/** Where outputs first part, of the measurement that headline and summary speak of and of all others. */
function differences(arms: readonly DecodedArm[]): Content {
  const all = arms.flatMap(rowsOf).filter(({ other }) => other === null).flatMap(({ arm, placed }) =>
    (placed.measurement.equal?.first_differences ?? []).map((difference) => ({ arm, placed, ...difference }))
  );
  if (all.length === 0) return null;
  return markup`<p>First differences:</p><ul>${
    all.slice(0, 10).map(({ arm, placed: { domain, batch, measurement }, prompt, at, gap }) =>
      markup`<li>${arm.id}, ${domain.name}, batch ${batch.batch}, ${headsName(measurement)}: prompt ${
        count(prompt + 1)
      } at new token ${count(at + 1)}${
        gap !== null && markup`, gap of the two best logits ${gap.toPrecision(2)}`
      }</li>`
    )
  }${all.length > 10 && markup`<li>and ${count(all.length - 10)} more</li>`}</ul>
`;
}

/** A share with a small bar below it. */
function metered(share: number | null): Content {
  if (share === null) return NONE;
  const width = Math.min(100, share * 100).toFixed(1);
  return markup`${
    percent(share)
  }<svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect width="${width}" height="6"/></svg>`;
}

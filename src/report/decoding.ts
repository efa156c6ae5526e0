/** What the decode stages measured: speed, acceptance per depth, equality of outputs. */

import { type BarChart, barChart } from "./bars.ts";
import type { Results, Staged } from "./collect.ts";
import { armName, capitalized, equalityClause } from "./headline.ts";
import type { DecodedArm, Decoding } from "./inputs.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { count, decimal, percent, plural } from "./numbers.ts";
import { NONE, times } from "./summary.ts";
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
  const { machine } = value;
  const drafting = value.arms.filter((arm) => arm.speculative !== null);
  return markup`${several && markup`<h3>Stage ${id}</h3>`}
<p>Greedy decoding of up to ${count(value.new_tokens)} new tokens after prompts of at most ${
    count(value.prompt_bytes)
  } bytes${
    value.batch === 1 && ", one prompt at a time"
  }, plainly (head 1, one token a forward) and with the model's own drafts (all heads). ${
    modeInWords(value)
  } Device ${machine.device}, ${plural(machine.threads, "thread")} on ${
    plural(machine.cpus, "CPU")
  }: wall-clock figures hold for this machine.</p>
<div class="charts"><figure>${barChart(speedBars(value.arms, index))}</figure></div>
${table(SPEED_CAPTION, SPEED, value.arms, { cards: true })}
${drafting.length === 0 ? markup`<p>No arm decoded with drafts.</p>` : drafting.map(draftingPart)}`;
}

function modeInWords({ mode, tolerance }: Decoding): string {
  if (mode === "strict") {
    return "Mode strict: both ways compute each row alike, so equal outputs are expected without exception.";
  }
  return `Mode ${mode}: outputs may part where the two best logits of the plain decoder lie within ${tolerance}; such near ties \
are counted.`;
}

function speedBars(arms: readonly DecodedArm[], index: number): BarChart {
  return {
    id: `speed-${index}`,
    title: "Tokens per forward and wall-clock speed-up",
    description:
      "Measured tokens per forward and wall-clock speed-up of each arm. The dashed line is plain decoding.",
    axis: "times plain greedy decoding of the same model (dashed: 1)",
    measures: ["tokens per forward", "wall-clock speed-up"],
    reference: 1,
    groups: arms.map((arm) => ({
      name: armName(arm),
      bars: arm.speculative === null ? [{ value: null, label: "no drafts" }] : [
        { value: arm.speculative.tokens_per_forward, label: tokensPerForward(arm.speculative) },
        { value: arm.speculative.speedup, label: times(arm.speculative.speedup) },
      ],
    })),
  };
}

const SPEED: readonly Column<DecodedArm>[] = [
  { heading: "arm", cell: (arm) => arm.id },
  { heading: "plain tokens/s", cell: (arm) => decimal(arm.plain.tokens_per_s, 1) },
  { heading: "plain forwards", cell: (arm) => count(arm.plain.forwards) },
  { heading: "drafted tokens/s", cell: (arm) => of(arm, (drafted) => decimal(drafted.tokens_per_s, 1)) },
  { heading: "drafted forwards", cell: (arm) => of(arm, (drafted) => count(drafted.forwards)) },
  {
    heading: "tokens per forward\u00a0↑",
    cell: (arm) => of(arm, tokensPerForward),
  },
  { heading: "speed\u2011up\u00a0↑", cell: (arm) => of(arm, (drafted) => times(drafted.speedup)) },
  { heading: "rep\u20114\u00a0↓", cell: (arm) => percent(arm.repetition.rep_4) },
  { heading: "distinct\u20112\u00a0↑", cell: (arm) => percent(arm.repetition.distinct_2) },
];

const SPEED_CAPTION =
  `Speed. Seconds are wall clock, prompts included (of several rounds, the median); the forward over \
a prompt, and the token that it gives, count in no tokens per forward.`;

type Drafted = NonNullable<DecodedArm["speculative"]>;

function of(arm: DecodedArm, text: (drafted: Drafted) => string): string {
  return arm.speculative === null ? NONE : text(arm.speculative);
}

function tokensPerForward({ tokens_per_forward }: Drafted): string {
  return tokens_per_forward === null ? NONE : decimal(tokens_per_forward, 2);
}

const ACCEPTANCE: readonly Column<Drafted["acceptance"][number]>[] = [
  { heading: "depth", cell: ({ depth }) => count(depth) },
  { heading: "accepted", cell: ({ accepted, proposed }) => `${count(accepted)} of ${count(proposed)}` },
  { heading: "conditional", cell: ({ conditional }) => metered(conditional) },
  { heading: "cumulative", cell: ({ cumulative }) => metered(cumulative) },
];

const BY_HEADS: readonly Column<Drafted["by_heads"][number]>[] = [
  { heading: "heads", cell: ({ heads }) => count(heads) },
  { heading: "tokens/s", cell: ({ tokens_per_s }) => decimal(tokens_per_s, 1) },
  {
    heading: "tokens per forward\u00a0↑",
    cell: ({ tokens_per_forward }) => decimal(tokens_per_forward, 2),
  },
  { heading: "speed\u2011up\u00a0↑", cell: ({ speedup }) => times(speedup) },
];

const BY_HEADS_CAPTION =
  "Fewer heads draft fewer tokens, which are cheaper to verify: which number is fastest " +
  "depends on the machine.";

function draftingPart(arm: DecodedArm): Markup {
  const caption =
    `Acceptance per depth: the draft of head d is the d-th token of a forward. Conditional: among the drafts
whose predecessors were all accepted; cumulative: the product of these down to the depth.`;
  return markup`<h3>Drafts of ${armName(arm)}</h3>
<p>${capitalized(equalityClause(arm.equal && { prompts: arm.prompts, ...arm.equal }))}.</p>
${differences(arm)}
${table(caption, ACCEPTANCE, arm.speculative!.acceptance)}
${arm.speculative!.by_heads.length > 1 && table(BY_HEADS_CAPTION, BY_HEADS, arm.speculative!.by_heads)}
`;
}

function differences(arm: DecodedArm): Content {
  const all = arm.equal?.first_differences ?? [];
  if (all.length === 0) return null;
  return markup`<p>First differences:</p><ul>${
    all.slice(0, 10).map(({ prompt, at, gap }) =>
      markup`<li>prompt ${count(prompt + 1)}: at new token ${count(at + 1)}${
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

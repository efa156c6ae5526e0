/** The table of decoding speeds: a row for each arm, batch and number of heads. */

import { outputsOf } from "./arm_figures.ts";
import type { DecodedArm, DecodedDomain, Measurement } from "./inputs.ts";
import type { Markup } from "./markup.ts";
import { headsName, millisecondsOf, type Placed, plainOf } from "./measurements.ts";
import { count, decimal, percent } from "./numbers.ts";
import { known, NONE, outputsCell, times } from "./summary.ts";
import { type Column, table } from "./table.ts";

/** A row of the table of speeds; `measurement`: null for plain decoding with the other kernels. */
export interface SpeedRow {
  readonly arm: DecodedArm;
  readonly placed: Placed;
  readonly other: { readonly kernels: string; readonly tokens_per_s: number } | null;
}

/** One for each batch and number of heads. */
export function speedRows(arm: DecodedArm): SpeedRow[] {
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
export function placeOf({ id, domains }: DecodedArm, { name }: DecodedDomain): string {
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

/** The table of the speeds of all arms, numbers of heads and batches. */
export function speedTable(arms: readonly DecodedArm[]): Markup {
  return table(SPEED_CAPTION, SPEED, arms.flatMap(speedRows), { cards: true });
}

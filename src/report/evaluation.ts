/** What the eval stages measured: loss and accuracy of every head. */

import type { Results, Staged } from "./collect.ts";
import type { EvaluatedArm, Evaluation } from "./inputs.ts";
import { type Markup, markup } from "./markup.ts";
import { count, decimal, percent } from "./numbers.ts";
import { replicatesOf } from "./replicates.ts";
import { shown } from "./shown.ts";
import { known, NONE } from "./summary.ts";
import { tasksPart } from "./tasks.ts";
import { type Column, foldedRows, table } from "./table.ts";

/** One table for each eval stage, or a sentence. */
export function evaluationSection(results: Results): Markup {
  const { evaluations } = results;
  const replicates = replicatesOf(results);
  return markup`<section aria-labelledby="evaluation"><h2 id="evaluation">Evaluation</h2>
${
    evaluations.length === 0
      ? markup`<p>No evaluation was among this report's inputs. Bits per byte, where given, are those of the last validation
during training.</p>`
      : evaluations.map((evaluation) => [
        foldedRows(evaluationTable(evaluation), evaluation.value.arms.length, `Stage ${evaluation.id}`),
        tasksPart(evaluation, replicates),
      ])
  }
</section>
`;
}

function evaluationTable({ id, value: { split, files, arms } }: Staged<Evaluation>): Markup {
  const text = files !== undefined
    ? files.map(shown).join(", ")
    : split === "train"
    ? "training text"
    : `held-out text (${split})`;
  const depth = Math.max(0, ...arms.map((arm) => arm.heads.length));
  const columns: Column<EvaluatedArm>[] = [
    { heading: "arm", cell: (arm) => arm.id },
    { heading: "bytes", cell: (arm) => count(arm.bytes) },
    { heading: "context, bytes", cell: ({ context }) => context === undefined ? NONE : count(context.bytes) },
    { heading: "bits per byte\u00a0↓", cell: (arm) => known(arm.bits_per_byte, (bits) => decimal(bits, 4)) },
    {
      heading: "documents",
      cell: ({ documents }) => documents === undefined ? NONE : count(documents),
    },
    { heading: "95% interval", cell: between },
    {
      heading: "perplexity per token\u00a0↓",
      cell: ({ perplexity }) => known(perplexity ?? null, (value) => decimal(value, 2)),
    },
    { heading: "tokens per forward, estimated\u00a0↑", cell: estimate },
    ...Array.from({ length: depth }, (_, i): Column<EvaluatedArm> => ({
      heading: `head ${i + 1}`,
      cell: (arm) => headCell(arm, i + 1),
    })),
  ];
  const caption =
    `Stage ${id}, on ${text}. Context: how much text a prediction can look back on, at most and on average. The interval is over documents (ratio estimate, delta method): of a single one nothing tells how much another would differ, and \
a dash stands in its place. For each head: accuracy (share of tokens whose most likely guess is right, given the
true text before them) and, in brackets, loss in nats per token.`;
  return table(caption, columns, arms, { cards: true });
}

function between({ bits_per_byte_interval }: EvaluatedArm): string {
  if (!bits_per_byte_interval) return NONE;
  return bits_per_byte_interval.map((bound) => decimal(bound, 4)).join("–");
}

/** What drafting would give on the true text: nothing is decoded. */
function estimate({ expected_tokens_per_forward }: EvaluatedArm): string {
  return known(expected_tokens_per_forward ?? null, (tokens) => decimal(tokens, 2));
}

function headCell(arm: EvaluatedArm, number: number): string {
  const head = arm.heads.find(({ head }) => head === number);
  if (head === undefined || head.accuracy === null || head.loss === null) return NONE;
  return `${percent(head.accuracy)} (${decimal(head.loss, 3)})`;
}

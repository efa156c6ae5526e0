/** What the arms make of tasks: a row for each metric of each task, and each task's groups, such as BLiMP's paradigms. */

import type { Staged } from "./collect.ts";
import type { Estimate, EvaluatedArm, Evaluation, TaskScores } from "./inputs.ts";
import { type Content, markup } from "./markup.ts";
import { count, decimal, plural } from "./numbers.ts";
import { NONE } from "./summary.ts";
import { type Column, table } from "./table.ts";

/** How each metric is called, whether it is a share, and which way is better. */
const METRICS: Readonly<Record<string, { readonly name: string; readonly isShare: boolean }>> = {
  accuracy: { name: "accuracy\u00a0↑", isShare: true },
  accuracy_norm: { name: "accuracy, for each byte of a choice\u00a0↑", isShare: true },
  perplexity: { name: "perplexity of a target\u00a0↓", isShare: false },
  bits_per_byte: { name: "bits per byte of the targets\u00a0↓", isShare: false },
};

/** A metric of a task, or of a group of its items; `of` finds it for an arm. */
interface Row {
  readonly name: string;
  readonly metric: string;
  readonly items: number;
  of(arm: EvaluatedArm): Estimate | undefined;
}

/** One table of tasks and one, folded, of the groups of each task that has some; nothing where there is no task. */
export function tasksPart({ id, value: { arms } }: Staged<Evaluation>): Content {
  const tasks = arms[0]?.tasks ?? [];
  if (tasks.length === 0) return null;
  const rows = tasks.flatMap((task) => rowsOf(task, task.task, (other) => other));
  const caption =
    `Stage ${id}, tasks: figures with their standard errors over the items. Of a task with groups, the mean
over them.`;
  return [table(caption, columnsFor(arms), rows, { cards: true }), tasks.map((task) => groupsOf(task, arms))];
}

type Measured = Pick<TaskScores, "items" | "metrics">;

function rowsOf(
  { task, items, metrics }: Measured & { readonly task: string },
  name: string,
  part: (scores: TaskScores) => Measured | undefined,
): Row[] {
  return Object.keys(metrics).map((metric) => ({
    name,
    metric,
    items,
    of: (arm) => {
      const scores = arm.tasks.find((other) => other.task === task);
      return scores && part(scores)?.metrics[metric];
    },
  }));
}

function groupsOf({ task, groups }: TaskScores, arms: readonly EvaluatedArm[]): Content {
  if (groups.length < 2) return null;
  const rows = groups.flatMap((group) =>
    rowsOf({ ...group, task }, group.name, (scores) => scores.groups.find(({ name }) => name === group.name))
  );
  return markup`<details><summary>${task}: ${plural(groups.length, "group")}</summary>
${table(`${task} by group.`, columnsFor(arms), rows)}</details>
`;
}

function columnsFor(arms: readonly EvaluatedArm[]): Column<Row>[] {
  return [
    { heading: "task", cell: ({ name }) => name },
    { heading: "metric", words: true, cell: ({ metric }) => METRICS[metric]?.name ?? metric },
    { heading: "items", cell: ({ items }) => count(items) },
    ...arms.map((arm): Column<Row> => ({ heading: arm.id, cell: (row) => inWords(row.metric, row.of(arm)) })),
  ];
}

/** `71.8 % ± 0.5`. */
function inWords(metric: string, estimate: Estimate | undefined): string {
  if (estimate === undefined || estimate.value === null) return NONE;
  const isShare = METRICS[metric]?.isShare ?? false;
  const shown = (x: number) => isShare ? decimal(100 * x, 1) : decimal(x, x < 100 ? 3 : 0);
  const error = estimate.standard_error === null ? "" : `\u00a0±\u00a0${shown(estimate.standard_error)}`;
  return `${shown(estimate.value)}${isShare ? "\u00a0%" : ""}${error}`;
}

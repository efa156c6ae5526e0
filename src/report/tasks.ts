/** What the arms make of tasks: a row for each metric of each task, and each task's groups, such as BLiMP's paradigms. */

import type { Staged } from "./collect.ts";
import type { Estimate, EvaluatedArm, Evaluation, TaskScores } from "./inputs.ts";
import { listed } from "./headline.ts";
import { type Content, markup } from "./markup.ts";
import { count, decimal, plural } from "./numbers.ts";
import type { Replicates } from "./replicates.ts";
import { spreadOf } from "./spread.ts";
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
export function tasksPart(
  { id, value: { arms } }: Staged<Evaluation>,
  replicates: readonly Replicates[],
): Content {
  const tasks = arms[0]?.tasks ?? [];
  if (tasks.length === 0) return null;
  const names = namesOf(tasks);
  const rows = tasks.flatMap((task, i) => rowsOf(task, i, names[i]!, (scores) => scores));
  const sets = replicates.flatMap(({ label, arms: own }): MeasuredSet[] => {
    const measured = arms.filter(({ id }) => own.some(({ arm }) => arm.id === id));
    return measured.length === 0
      ? []
      : [{ name: own.length === 1 ? measured[0]!.id : label, arms: measured }];
  });
  const errors = sets.some(({ arms }) => arms.length > 1)
    ? "of several seeds the mean and its standard deviation over them, of one the standard error over the items"
    : "figures with their standard errors over the items";
  const caption = `Stage ${id}, tasks: ${errors}. Of a task with groups, the mean over them.`;
  return [
    table(caption, columnsFor(sets), rows, { cards: true }),
    note(chanceOf(tasks, names), cutOf(arms, names)),
    tasks.map((task, i) => groupsOf(task, i, names[i]!, sets)),
  ];
}

/** A task may be asked more than once, of other data: `blimp (1)`, `blimp (2)`. */
function namesOf(tasks: readonly TaskScores[]): string[] {
  const all = tasks.map(({ task }) => task);
  return all.map((name, i) => {
    if (all.indexOf(name) === all.lastIndexOf(name)) return name;
    return `${name} (${all.slice(0, i + 1).filter((other) => other === name).length})`;
  });
}

function note(...sentences: readonly string[]): Content {
  const said = sentences.filter((sentence) => sentence !== "").join(" ");
  return said !== "" && markup`<p class="note">${said}</p>
`;
}

/** Of pairs, one text is the right one: what a coin gets. Other forms have no such level, or one that the items decide. */
function chanceOf(tasks: readonly TaskScores[], names: readonly string[]): string {
  const pairs = names.filter((_, i) => tasks[i]!.form === "pair");
  return pairs.length === 0 ? "" : `Guessing gets 50\u00a0% of the pairs of ${pairs.join(", ")}.`;
}

/** Which figures are of items that an arm did not see whole. */
function cutOf(arms: readonly EvaluatedArm[], names: readonly string[]): string {
  const said = names.flatMap((name, i) => {
    const long = arms.filter(({ tasks }) => (tasks[i]?.cut ?? 0) > 0);
    const alike = Map.groupBy(
      long,
      ({ tasks }) => `${count(tasks[i]!.cut)} of ${plural(tasks[i]!.items, "item")}`,
    );
    const cut = [...alike].map(([items, some]) =>
      `${items} for ${
        some.length === arms.length && some.length > 1 ? "all arms" : listed(some.map(({ id }) => id))
      }`
    );
    return cut.length === 0 ? [] : [`${name} (${cut.join(", ")})`];
  });
  return said.length === 0
    ? ""
    : `Items that are longer than an arm's context lost their beginning, and may lack what the answer \
needs: ${said.join("; ")}.`;
}

type Measured = Pick<TaskScores, "items" | "metrics">;

/** @param index Of the task among an arm's: every arm has the same tasks in the same order. */
function rowsOf(
  { items, metrics }: Measured,
  index: number,
  name: string,
  part: (scores: TaskScores) => Measured | undefined,
): Row[] {
  return Object.keys(metrics).map((metric) => ({
    name,
    metric,
    items,
    of: (arm) => {
      const scores = arm.tasks[index];
      return scores && part(scores)?.metrics[metric];
    },
  }));
}

function groupsOf(
  { groups }: TaskScores,
  index: number,
  task: string,
  sets: readonly MeasuredSet[],
): Content {
  if (groups.length < 2) return null;
  const rows = groups.flatMap((group) =>
    rowsOf(group, index, group.name, (scores) => scores.groups.find(({ name }) => name === group.name))
  );
  return markup`<details><summary>${task}: ${plural(groups.length, "group")}</summary>
${table(`${task} by group.`, columnsFor(sets), rows)}</details>
`;
}

/** Replicates, as far as they were measured. */
interface MeasuredSet {
  readonly name: string;
  readonly arms: readonly EvaluatedArm[];
}

function columnsFor(sets: readonly MeasuredSet[]): Column<Row>[] {
  return [
    { heading: "task", cell: ({ name }) => name },
    { heading: "metric", words: true, cell: ({ metric }) => METRICS[metric]?.name ?? metric },
    { heading: "items", cell: ({ items }) => count(items) },
    ...sets.map(({ name, arms }): Column<Row> => ({
      heading: name,
      cell: (row) => inWords(row.metric, overSeeds(arms.map(row.of))),
    })),
  ];
}

/** One arm's own estimate; of several their mean and, in place of an error, their standard deviation. */
function overSeeds(estimates: readonly (Estimate | undefined)[]): Estimate | undefined {
  if (estimates.length === 1) return estimates[0];
  const spread = spreadOf(estimates.map((estimate) => estimate?.value ?? null));
  return spread === null ? undefined : { value: spread.mean, standard_error: spread.sd };
}

/** `71.8 % ± 0.5`, `1.03e7 ± 3.82e6`. */
function inWords(metric: string, estimate: Estimate | undefined): string {
  if (estimate === undefined || estimate.value === null) return NONE;
  const isShare = METRICS[metric]?.isShare ?? false;
  const isLarge = estimate.value >= 1e6;
  const shown = (x: number) => isShare ? decimal(100 * x, 1) : isLarge ? scientific(x) : significant(x);
  const error = estimate.standard_error === null ? "" : `\u00a0±\u00a0${shown(estimate.standard_error)}`;
  return `${shown(estimate.value)}${isShare ? "\u00a0%" : ""}${error}`;
}

/** Of a perplexity in the millions, and of its error, the first digits and how many follow are all that there is to say. */
const scientific = (x: number): string => x.toExponential(2).replace("e+", "e");

const significant = (x: number): string => decimal(x, x < 100 ? 3 : 0);

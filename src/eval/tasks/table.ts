/** The figures of all tasks and arms as rows of a table, for a terminal. */
import type { MetricName } from "../../config/task/schema.ts";
import type { Estimate } from "../estimate.ts";
import type { TaskScores } from "./evaluate.ts";

/** A header, and a row for each metric of each task; none where there is no task. */
export function tableOf(
  arms: readonly { readonly id: string; readonly tasks: readonly TaskScores[] }[],
): string[][] {
  const [first] = arms;
  if (first === undefined || first.tasks.length === 0) return [];
  const rows = first.tasks.flatMap(({ task, items, metrics }, i) =>
    (Object.keys(metrics) as MetricName[]).map((metric) => [
      `${task} ${metric}`,
      String(items),
      ...arms.map(({ tasks }) => inWords(metric, tasks[i]!.metrics[metric]!)),
    ])
  );
  return [["task", "items", ...arms.map(({ id }) => id)], ...rows];
}

/** `71.8% ± 0.5`: the figure and its standard error; shares in percent. */
function inWords(metric: MetricName, { value, standard_error }: Estimate): string {
  const isShare = metric === "accuracy" || metric === "accuracy_norm";
  const shown = (x: number) => isShare ? (100 * x).toFixed(1) : x.toPrecision(4);
  const error = standard_error === null
    ? ""
    : ` ± ${isShare ? shown(standard_error) : standard_error.toPrecision(2)}`;
  return `${shown(value)}${isShare ? "%" : ""}${error}`;
}

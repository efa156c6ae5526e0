/** Proves that each column of the table of tasks shows its own arm's figures. */
import assert from "node:assert/strict";
import type { TaskScores } from "../../../src/eval/tasks/evaluate.ts";
import { tableOf } from "../../../src/eval/tasks/table.ts";

const task = (name: string, metrics: TaskScores["metrics"]): TaskScores => ({
  task: name,
  form: "cloze",
  items: 4,
  cut: 0,
  metrics,
  groups: [],
  seconds: 1,
});
const arm = (id: string, accuracy: number, perplexity: number, other: number) => ({
  id,
  tasks: [
    task("lambada", {
      accuracy: { value: accuracy, standard_error: 0.005 },
      perplexity: { value: perplexity, standard_error: 0.125 },
    }),
    task("blimp", { accuracy: { value: other, standard_error: null } }),
  ],
});

Deno.test("every column shows its own arm's figures, a row for each metric of each task", () => {
  assert.deepEqual(tableOf([arm("ntp", 0.25, 12.5, 0.5), arm("mtp", 0.75, 8.25, 0.625)]), [
    ["task", "items", "ntp", "mtp"],
    ["lambada accuracy", "4", "25.0% ± 0.5", "75.0% ± 0.5"],
    ["lambada perplexity", "4", "12.50 ± 0.13", "8.250 ± 0.13"],
    ["blimp accuracy", "4", "50.0%", "62.5%"],
  ]);
  assert.deepEqual(tableOf([]), []);
});

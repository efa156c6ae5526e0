/** Proves the tables of tasks: every arm's figures with their errors, and groups folded away. */
import assert from "node:assert/strict";
import { collect } from "../../src/report/collect.ts";
import { figures } from "../../src/report/figures.ts";
import { page } from "../../src/report/page.ts";
import { ALL, change, completeRun, reader, REPORT } from "./fixture.ts";
import { all, parse, textOf } from "./well_formed.ts";

const accuracy = (value: number, standard_error: number | null) => ({ accuracy: { value, standard_error } });

/** The complete run, whose arms have also answered two tasks. */
// deno-lint-ignore no-explicit-any
function results(edit: (tasks: any[], arm: number) => void = () => {}) {
  const files = completeRun();
  // deno-lint-ignore no-explicit-any
  change(files, "eval/eval.json", (value: any) => {
    // deno-lint-ignore no-explicit-any
    value.arms.forEach((arm: any, i: number) => {
      arm.bits_per_byte_interval = [1.5, 1.7];
      arm.tasks = [{
        task: "blimp",
        form: "pair",
        items: 200,
        cut: 0,
        metrics: accuracy(0.7 + i / 10, 0.0213),
        groups: [
          { name: "adjunct_island", items: 100, metrics: accuracy(0.6 + i / 10, 0.03) },
          { name: "causative", items: 100, metrics: accuracy(0.8 + i / 10, 0.03) },
        ],
      }, {
        task: "lambada",
        form: "cloze",
        items: 1,
        cut: 0,
        metrics: { perplexity: { value: i === 0 ? null : 1234.5, standard_error: null } },
        groups: [{ name: "lambada", items: 1, metrics: {} }],
      }];
      edit(arm.tasks, i);
    });
  });
  return collect(REPORT, ALL, reader(files));
}

Deno.test("page() has each task's figures with standard errors, by arm", () => {
  const root = parse(page(results()));
  const rows = all(root, "tr").map((row) => [...all(row, "th"), ...all(row, "td")].map(textOf));
  const row = (first: string) => rows.find(([name]) => name === first)!;
  const NBSP = "\u00a0";
  assert.deepEqual(row("blimp"), [
    ...["blimp", `accuracy${NBSP}↑`, "200"],
    ...[`70.0${NBSP}%${NBSP}±${NBSP}2.1`, `80.0${NBSP}%${NBSP}±${NBSP}2.1`],
  ]);
  assert.deepEqual(row("lambada").slice(3), ["–", "1,235"]);
  assert.ok(rows.some((cells) => cells.includes("1.5000–1.7000")), "the interval of the bits per byte");
});

Deno.test("page() folds the groups of a task, and has none for a task of one group", () => {
  const root = parse(page(results()));
  const folded = all(root, "details").filter((details) => /group/.test(textOf(all(details, "summary")[0]!)));
  assert.deepEqual(folded.map((details) => textOf(all(details, "summary")[0]!)), ["blimp: 2 groups"]);
  assert.match(textOf(folded[0]!), /adjunct_island.*60\.0.*70\.0.*causative/s);
});

Deno.test("a task that is asked twice, of other data, has a row of its own each time", () => {
  const root = parse(page(results((tasks) => {
    tasks.push(structuredClone(tasks[0]));
    tasks[2].metrics = accuracy(0.512, 0.02);
    tasks[2].groups[0].metrics = accuracy(0.123, 0.02);
  })));
  const rows = all(root, "tr").map((row) => [...all(row, "th"), ...all(row, "td")].map(textOf));
  const shown = rows.filter(([name]) => name!.startsWith("blimp")).map((cells) => [cells[0], cells[3]]);
  const NBSP = "\u00a0";
  assert.deepEqual(shown, [
    ["blimp (1)", `70.0${NBSP}%${NBSP}±${NBSP}2.1`],
    ["blimp (2)", `51.2${NBSP}%${NBSP}±${NBSP}2.0`],
  ]);
  const folded = all(root, "details").map(textOf).filter((text) => text.startsWith("blimp"));
  assert.match(folded[0]!, /^blimp \(1\): 2 groups.*60\.0/s);
  assert.match(folded[1]!, /^blimp \(2\): 2 groups.*12\.3/s);
});

Deno.test("page() says which items were cut for which arm, what guessing gets, and large perplexities shortly", () => {
  const notes = (from: ReturnType<typeof results>) =>
    all(parse(page(from)), "p").map(textOf).filter((text) => /Guessing|beginning/.test(text));
  assert.deepEqual(notes(results()), ["Guessing gets 50\u00a0% of the pairs of blimp."]);
  const cut = results((tasks, arm) => {
    Object.assign(tasks[1], { items: 300, cut: arm === 0 ? 0 : 278 });
    tasks[1].metrics.perplexity = { value: 10_269_817.6, standard_error: 3_823_712.6 };
  });
  assert.match(notes(cut)[0]!, /lost their beginning.*: lambada \(278 of 300 items for forward\)\.$/);
  assert.ok(page(cut).includes("1.03e7\u00a0±\u00a03.82e6"));
  const exact = results((tasks) =>
    tasks[1].metrics.perplexity = { value: 5_031_204.2, standard_error: 368_739.1 }
  );
  assert.ok(page(exact).includes("5.03e6\u00a0±\u00a03.69e5"), "an error is written as its figure is");
});

Deno.test("report.json has the figures of tasks", () => {
  const [{ arms }] = figures(results()).evaluations as unknown as [{ arms: { tasks: { task: string }[] }[] }];
  assert.deepEqual(arms.map(({ tasks }) => tasks.map(({ task }) => task)), [["blimp", "lambada"], [
    "blimp",
    "lambada",
  ]]);
});

Deno.test("an evaluation of files is no evaluation on held-out text: the summary goes without it", () => {
  const files = completeRun();
  change(
    files,
    "eval/eval.json",
    // deno-lint-ignore no-explicit-any
    (value: any) => Object.assign(value, { split: "files", files: ["/a/b/c/d.txt"] }),
  );
  const found = collect(REPORT, ALL, reader(files));
  assert.deepEqual(figures(found).arms.map((arm) => arm.bits_per_byte_from), [
    "last_validation",
    "last_validation",
  ]);
  assert.match(textOf(parse(page(found))), /Stage eval, on …\/c\/d\.txt/);
});

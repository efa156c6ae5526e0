/** Proves what the page shows of generated text: every figure with its error, what is missing, and whose judgement it is. */
import assert from "node:assert/strict";
import { collect } from "../../src/report/collect.ts";
import { figures } from "../../src/report/figures.ts";
import { page } from "../../src/report/page.ts";
import { ALL, change, completeRun, reader, REPORT } from "./fixture.ts";
import { all, type Element, parse, textOf } from "./well_formed.ts";

const figure = (value: number | null, standard_error: number | null = 0.01, items = 64, missing = 0) => ({
  value,
  standard_error,
  items,
  missing,
});

const repetition = {
  rep_2: figure(0.1, 0.012),
  rep_3: figure(0.05),
  rep_4: figure(0.02),
  distinct_1: figure(0.3),
  distinct_2: figure(0.6),
  distinct_3: figure(0.8),
};

const generation = (judged: boolean) => ({
  prompts: 64,
  prompt_bytes: 64,
  new_bytes: 128,
  sampled: { temperature: 0.8, top_p: 0.95 },
  signatures: { bleu: "nrefs:1|tok:13a", rouge_l: "rougeL|stemmer:no" },
  semscore: judged ? { model: "mpnet", host: "127.0.0.1:8080" } : null,
  judge: judged
    ? { model: "big <judge>", host: "api.example.com:443", scoring: "samples", samples: 20 }
    : null,
  reference: repetition,
  arms: ["ntp", "forward"].map((id) => ({
    id,
    curriculum: id,
    outputs: (["greedy", "sampled"] as const).map((kind) => ({
      kind,
      empty: 2,
      figures: {
        bleu: figure(3.2149, 0.4),
        rouge_l: figure(0.2345, 0.0111),
        ...repetition,
        ...(judged && {
          semscore: figure(0.512, 0.02, 62, 2),
          judge_fluency: figure(3.456, 0.123, 60, 4),
          judge_grammar: figure(null, null, 0, 64),
        }),
      },
    })),
  })),
  comparisons: judged
    ? [{
      arm: "forward",
      against: "ntp",
      kind: "greedy",
      wins: 30,
      losses: 10,
      ties: 22,
      inconsistent: 17,
      missing: 2,
      win_rate: 0.6613,
      interval: [0.537, 0.767],
    }]
    : [],
  samples: [{
    prompt: "Once <b>there",
    reference: " was a cat",
    texts: [{ arm: "ntp", kind: "greedy", text: " was &amp; a dog" }],
  }],
});

function results(judged: boolean) {
  const files = completeRun();
  change(files, "eval/eval.json", (value) => value.generation = generation(judged));
  return collect(REPORT, ALL, reader(files));
}

const section = (judged: boolean): Element =>
  all(parse(page(results(judged))), "section").find((one) =>
    textOf(all(one, "h2")[0]!) === "Generated text"
  )!;

const cells = (row: Element): string[] => [...all(row, "th"), ...all(row, "td")].map(textOf);
const rowsOf = (one: Element, table: number): string[][] => all(all(one, "tbody")[table]!, "tr").map(cells);

Deno.test("the page has no section on generated text where none was measured", () => {
  const root = parse(page(collect(REPORT, ALL, reader(completeRun()))));
  assert.ok(!all(root, "h2").map(textOf).includes("Generated text"));
});

Deno.test("a row for each arm and way of choosing tokens has every figure with its error, the true text one of its own", () => {
  const one = section(false);
  assert.equal(all(one, "table").length, 1);
  const headings = all(all(one, "thead")[0]!, "th").map(textOf);
  assert.deepEqual(
    headings.slice(4, 6),
    ["rep\u20112, %", "rep\u20113, %"],
    "best is near the true text: no arrows",
  );
  assert.equal(headings[7], "distinct\u20111, %");
  const rows = rowsOf(one, 0);
  assert.deepEqual(rows.map(([arm, kind]) => [arm, kind]), [
    ["ntp", "greedy"],
    ["ntp", "sampled"],
    ["forward", "greedy"],
    ["forward", "sampled"],
    ["true text", "–"],
  ]);
  assert.deepEqual(rows[0]!.slice(2, 5), ["3.21 ±\u00a00.40", "0.234 ±\u00a00.011", "10.0 ±\u00a01.2"]);
  assert.equal(rows[0]!.at(-1), "2");
  assert.deepEqual(rows[4]!.slice(2, 5), ["–", "–", "10.0 ±\u00a01.2"]);
  assert.match(textOf(one), /sampled: temperature 0\.8, top-p 0\.95\./);
});

Deno.test("SemScore and judge have their model and host beside them, and what has no score is counted", () => {
  const one = section(true);
  assert.deepEqual(rowsOf(one, 1)[0], [
    "ntp",
    "greedy",
    "0.512 ±\u00a00.020 (62 of 64)",
    "3.46 ±\u00a00.12 (60 of 64)",
    "– (0 of 64)",
  ]);
  const text = textOf(one);
  assert.match(
    text,
    /by mpnet at 127\.0\.0\.1:8080\. Scores from 1 to 5 by big <judge> at api\.example\.com:443/,
  );
  assert.match(text, /each the mean of 20 answers/);
  assert.deepEqual(rowsOf(one, 2), [[
    "forward",
    "ntp",
    "greedy",
    "30",
    "22",
    "17",
    "10",
    "2",
    "66.1\u00a0% (53.7 to 76.7)",
  ]]);
});

Deno.test("samples fold away, and what a model wrote is shown and not interpreted", () => {
  const [details] = all(section(false), "details");
  assert.deepEqual(all(details!, "div").filter((div) => div.attributes.get("class") === "text").map(textOf), [
    "Once <b>there was a cat",
    "Once <b>there was &amp; a dog",
  ]);
});

Deno.test("report.json has the figures and not the samples", () => {
  const [evaluation] = figures(results(true)).evaluations;
  assert.equal(evaluation!.generation!.arms[1]!.outputs[0]!.figures.judge_fluency!.value, 3.456);
  assert.deepEqual(evaluation!.generation!.samples, []);
  assert.equal(figures(collect(REPORT, ALL, reader(completeRun()))).evaluations[0]!.generation, undefined);
});

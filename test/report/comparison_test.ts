/** Proves the comparison: figures over seeds, differences to the reference (scipy.stats.ttest_rel), and what is marked. */

import assert from "node:assert/strict";
import { collect, type Results } from "../../src/report/collect.ts";
import { compare } from "../../src/report/compared.ts";
import { page } from "../../src/report/page.ts";
import { ALL, completeRun, type Files, reader, REPORT } from "./fixture.ts";
import { changeStudy, STUDY, STUDY_REPORT, studyNeeds, studyRun } from "./study.ts";
import { all, type Element, parse, textOf } from "./well_formed.ts";

function study(edit: (files: Files) => void = () => {}): Results {
  const files = studyRun();
  edit(files);
  return collect(STUDY_REPORT, studyNeeds(), reader(files));
}

const section = (root: Element, id: string): Element =>
  all(root, "section").find((section) => section.attributes.get("aria-labelledby") === id)!;

/** Rows of a table, headings first. */
const rowsOf = (table: Element): string[][] =>
  all(table, "tr").map((row) =>
    [...all(row, "th"), ...all(row, "td")].map((cell) => textOf(cell).replaceAll("\u00a0", " "))
  );

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}, expected ${expected}`);

Deno.test("compare() gives each set its mean and spread, and the paired difference to ntp", () => {
  const { sets } = compare(study());
  const bits = (label: string) =>
    sets.find(({ set }) => set.label === label)!.figures.find(({ measure }) =>
      measure.key === "bits_per_byte"
    )!;
  const { spread, difference, p_holm, verdict } = bits("mtp");
  assert.equal(spread!.n, 3);
  near(spread!.mean, 1.6206666666666667);
  near(difference!.mean, 0.1006666666666667);
  near(difference!.interval![0], 0.09923244909008369);
  near(difference!.p!, 1.0964251059747858e-5);
  near(p_holm!, 2 * difference!.p!);
  assert.equal(verdict, "worse");
  const forward = bits("forward");
  near(forward.spread!.sd!, 0.02645751311064593);
  near(forward.difference!.p!, 0.07417990022744854);
  assert.equal(forward.verdict, null);
  assert.equal(bits("ntp").difference, null);
});

Deno.test("page() has the comparison by sets, with the difference and its p value where there are seeds", () => {
  const root = parse(page(study()));
  const comparison = section(root, "comparison");
  const [text, generation, decoding, differences, arms] = all(comparison, "table").map(rowsOf);
  assert.deepEqual(text, [
    ["arm", "heads K", "seeds", "bits per byte ↓"],
    ["ntp", "1", "3", "1.520 ± 0.010"],
    ["forward", "4", "3", "1.580 ± 0.026+0.060, p 0.074"],
    ["mtp", "4", "3", "1.621 ± 0.010+0.101, p < 0.001 worse"],
  ]);
  assert.deepEqual(generation!.at(-1), ["mtp", "4", "3", "12.3 ± 0.00.0"]);
  assert.deepEqual(decoding!.at(-1), [
    ...[
      "mtp",
      "4",
      "3",
      "2.100 ± 0.000+1.100",
      "2.31 ± 0.00+1.31",
      "2.31 ± 0.00+1.31",
      "1.80 ± 0.00+0.80",
      "4",
      "48 of 48",
    ],
  ]);
  assert.deepEqual(decoding![1]!.slice(3), [
    "1.000 ± 0.000",
    "1.00 ± 0.00",
    "1.00 ± 0.00",
    "1.00 ± 0.00",
    "–",
    "–",
  ]);
  assert.deepEqual(differences![1], [
    ...["forward less ntp", "bits per byte ↓", "3", "+0.060", "−0.015 to +0.135", "p 0.074", "p 0.074"],
  ]);
  assert.equal(arms!.length, 10);
  const said = textOf(comparison);
  assert.match(
    said,
    /in brackets, how many have the figure where not all do\. With it the mean difference to ntp, seed by seed/,
  );
  assert.match(said, /With 3 seeds the mean difference has to be 2\.5 times as large as its own spread/);
  assert.match(
    said,
    /Holm's correction for all rows of the column; nothing corrects for the number of columns/,
  );
});

Deno.test("page() says of how many seeds a figure is where some have none", () => {
  const root = parse(page(study((files) => {
    files.delete("/runs/study/eval-mtp-s2/eval.json");
    changeStudy(files, "eval-forward-s1/eval.json", ({ arms }) => arms[0].bits_per_byte = null);
  })));
  const [text] = all(section(root, "comparison"), "table").map(rowsOf);
  assert.match(text![3]!.at(-2)!, /^1\.621 ± 0\.014 \(2\)/);
  assert.match(text![2]!.at(-2)!, /^1\.585 ± 0\.035 \(2\)/);
  assert.deepEqual(text![3]!.length, 5);
  assert.equal(
    text![0]!.at(-1),
    "bits per byte, last validation ↓",
    "which is all that the arm without evaluation has",
  );
});

Deno.test("page() of single seeds has values and differences alone, and says that chance is in them", () => {
  const comparison = section(parse(page(collect(REPORT, ALL, reader(completeRun())))), "comparison");
  const [text] = all(comparison, "table").map(rowsOf);
  assert.deepEqual(text!.slice(1), [["ntp", "1", "1", "1.605"], ["forward", "4", "1", "1.613+0.008"]]);
  assert.match(
    textOf(comparison),
    /Each row is one training run: differences between arms include the chance of a single seed/,
  );
  assert.equal(all(comparison, "details").length, 0, "one table, not two that say the same");
});

Deno.test("page() has columns of the paper: LAMBADA, BLiMP, generation, of the arms that were asked", () => {
  const estimate = (value: number) => ({ value, standard_error: 0.01 });
  const task = (name: string, metrics: object) => ({
    ...{ task: name, form: "pair", items: 10, cut: 0, metrics, groups: [] },
  });
  const figure = (value: number) => ({ value, standard_error: 0.1, items: 4, missing: 0 });
  const root = parse(page(study((files) => {
    for (const { curriculum, seed } of STUDY) {
      changeStudy(files, `eval-${curriculum}-s${seed}/eval.json`, (evaluation) => {
        const [arm] = evaluation.arms;
        arm.tasks = [
          task("lambada", {
            accuracy: estimate(0.1 * seed),
            perplexity: estimate(9),
            bits_per_byte: estimate(1.25),
          }),
          task("blimp", { accuracy: estimate(0.7) }),
          task("hellaswag", { accuracy: estimate(0.25), accuracy_norm: estimate(0.3) }),
        ];
        const figures = {
          bleu: figure(3),
          rouge_l: figure(0.2),
          rep_4: figure(0.15),
          judge_fluency: figure(4),
        };
        evaluation.generation = {
          ...{
            prompts: 4,
            prompt_bytes: 8,
            new_bytes: 8,
            sampled: false,
            semscore: null,
            judge: null,
            comparisons: [],
          },
          ...{ signatures: { bleu: "b", rouge_l: "r" }, reference: {}, samples: [] },
          arms: [{ id: arm.id, outputs: [{ kind: "greedy", empty: 0, figures }] }],
        };
      });
    }
  })));
  const [text, generation] = all(section(root, "comparison"), "table").map(rowsOf);
  assert.deepEqual(text![0]!.slice(3), [
    "bits per byte ↓",
    "LAMBADA accuracy, % ↑",
    "LAMBADA bits per byte ↓",
    "BLiMP accuracy, % ↑",
    "hellaswag accuracy, % ↑",
  ]);
  assert.deepEqual(text![1]!.slice(4), ["20.0 ± 10.0", "1.250 ± 0.000", "70.0 ± 0.0", "30.0 ± 0.0"]);
  assert.deepEqual(generation![0]!.slice(3), ["BLEU ↑", "ROUGE‑L ↑", "rep‑4, %", "judge: fluency ↑"]);
  assert.deepEqual(generation![1]!.slice(3), ["3.00 ± 0.00", "0.200 ± 0.000", "15.0 ± 0.0", "4.00 ± 0.00"]);
});

Deno.test("page() says in its head what is compared, and the headline speaks of means", () => {
  const root = parse(page(study()));
  const head = textOf(all(root, "header")[0]!);
  assert.match(head, /ntp \(K=1\), forward \(K=4\), mtp \(K=4\); 3 seeds of each/);
  assert.match(
    head,
    /^[^]*Of 2 arms that draft, forward \(K=4\) has the highest speed-up: it produced 2\.31 tokens per forward and decoded 1\.80 times as fast as its own plain decoding \(means of 3 seeds\), outputs identical for 48 of 48 prompts; held-out bits per byte 1\.580 ± 0\.026 against 1\.520 ± 0\.010 for ntp \(K=1\)\./,
  );
});

Deno.test("page() says up to how many seeds there are where not all sets have as many", () => {
  const files = studyRun();
  const needs = studyNeeds().filter(({ id }) => !/mtp-s3$/.test(id));
  const text = textOf(parse(page(collect(STUDY_REPORT, needs, reader(files)))));
  assert.match(text, /mtp \(K=4\); up to 3 seeds of each/);
  assert.match(text, /mean ± standard deviation, up to 3 seeds/);
  assert.doesNotMatch(textOf(parse(page(study()))), /up to 3 seeds/);
});

Deno.test("page() compares each way of decoding in a table of its own, which says how tokens were chosen", () => {
  const files = studyRun();
  const sampled = studyNeeds().filter(({ run }) => run === "decode").map((need) => {
    const id = need.id.replace("decode", "sampled");
    for (const file of ["stage.json", "status.json", "decode.json"]) {
      files.set(`/runs/study/${id}/${file}`, files.get(`/runs/study/${need.id}/${file}`)!);
    }
    changeStudy(files, `${id}/stage.json`, ({ config }) => config.sampling = { temperature: 0.8 });
    changeStudy(files, `${id}/decode.json`, (decoding) => {
      decoding.sampling.temperature = 0.8;
      for (const { domains } of decoding.arms) {
        for (const { measurements } of domains[0].batches) {
          for (const measurement of measurements) {
            measurement.equal = null;
            if (measurement.heads > 1) measurement.tokens_per_forward = 1.25;
          }
        }
      }
    });
    return { ...need, id, folder: `/runs/study/${id}` };
  });
  const root = parse(page(collect(STUDY_REPORT, [...studyNeeds(), ...sampled], reader(files))));
  const figures = all(section(root, "comparison"), "figure");
  const captions = figures.map((figure) => textOf(all(figure, "figcaption")[0]!));
  const [greedy, drawn] = ["decode, greedy decoding", "sampled, sampling at temperature 0.8"].map((stage) =>
    rowsOf(figures[captions.findIndex((caption) => caption.endsWith(`; stage ${stage}.`))]!)
  );
  const heading = (cell: string) => cell === "tokens per forward ↑";
  assert.ok(greedy![0]!.some((cell) => cell.includes("true text")));
  assert.ok(!drawn![0]!.some((cell) => cell.includes("true text") || cell.includes("sampled")));
  assert.match(drawn!.at(-1)![drawn![0]!.findIndex(heading)]!, /^1\.25 ± 0\.00/);
  assert.doesNotMatch(greedy!.at(-1)![greedy![0]!.findIndex(heading)]!, /^1\.25/);
  assert.deepEqual([greedy!.at(-1)!.at(-1), drawn!.at(-1)!.at(-1)], ["48 of 48", "not compared"]);
});

/** Proves how the page shows many arms: by sets of replicates, in facets that compare, with the rest folded or counted. */

import assert from "node:assert/strict";
import { collect, type Results } from "../../src/report/collect.ts";
import { byHeads, byText, curriculaOf, stylesIn } from "../../src/report/facets.ts";
import { page } from "../../src/report/page.ts";
import { replicatesOf } from "../../src/report/replicates.ts";
import type { Files } from "./fixture.ts";
import { reader } from "./fixture.ts";
import { SMALL, type Study, study, STUDY_REPORT } from "./many_arms.ts";
import { all, type Element, parse, textOf } from "./well_formed.ts";

const TINY: Study = { ...SMALL, curricula: ["ntp", "mtp", "forward", "reverse"], steps: 200 };

function resultsOf(size: Study, edit: (files: Files) => void = () => {}): Results {
  const { files, needs } = study(size);
  edit(files);
  return collect(STUDY_REPORT, needs, reader(files));
}

const pageOf = (size: Study, edit?: (files: Files) => void): Element => parse(page(resultsOf(size, edit)));

const section = (root: Element, name: string): Element =>
  all(root, "section").find((one) => one.attributes.get("aria-labelledby") === name)!;
const titles = (root: Element): string[] =>
  all(root, "svg", "chart").map((svg) => textOf(all(svg, "title")[0]!));
const chartOf = (root: Element, title: string): Element =>
  all(root, "svg", "chart").find((svg) => textOf(all(svg, "title")[0]!) === title)!;
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

Deno.test("the scatter has a mean of each set, at the mean of its arms, and each of its arms", () => {
  const results = resultsOf(TINY);
  const svg = chartOf(parse(page(results)), "Tokens per forward while decoding");
  const groups = all(svg, "g", "mean").map((group) => textOf(all(group, "title")[0]!));
  const forward = results.arms.filter(({ curriculum }) => curriculum === "forward");
  const bits = mean(forward.map(({ evaluation }) => evaluation!.bits_per_byte!));
  const most = forward.map(({ decoding }) => {
    const measured = decoding!.domains[0]!.batches[0]!.measurements.slice(1);
    return measured.toSorted((a, b) => b.speedup - a.speedup)[0]!.tokens_per_forward;
  });
  const [, x, y] = /^forward: x ([\d.]+) ± [\d.]+, y ([\d.]+) ± [\d.]+$/.exec(groups[2]!)!.map(Number);
  assert.ok(Math.abs(x! - bits) < 5e-4 && Math.abs(y! - mean(most)) < 5e-3, groups[2]);
  assert.match(groups[0]!, /^ntp: x [\d.]+ ± [\d.]+, y 1 ± 0$/);
  assert.deepEqual(all(svg, "text", "label").map(textOf), ["ntp", "mtp", "forward", "reverse"]);
  assert.deepEqual(all(svg, "g", "points").map(({ children }) => children.length - 1), [3, 3, 3, 3, 0]);
});

Deno.test("the scatter has plots of its own for each text, and says what it could not draw", () => {
  const root = pageOf({ ...TINY, texts: ["books", "books-bpe"] }, (files) => {
    for (const seed of TINY.seeds) files.delete(`/runs/study/decode-books-mtp-s${seed}/decode.json`);
  });
  assert.deepEqual(titles(section(root, "pareto")), [
    "Tokens per forward while decoding: books (bytes)",
    "Speed-up: books (bytes)",
    "Tokens per forward while decoding: books-bpe (bpe of 4096)",
    "Speed-up: books-bpe (bpe of 4096)",
  ]);
  assert.match(textOf(section(root, "pareto")), /a figure is missing: mtp\./);
});

Deno.test("there is no scatter where fewer than two sets have both figures", () => {
  const root = pageOf(TINY, (files) => {
    for (const path of [...files.keys()]) {
      if (/\/eval-|metrics/.test(path) && !path.includes("forward")) files.delete(path);
    }
  });
  assert.equal(section(root, "pareto"), undefined);
});

Deno.test("losses have a panel for each set with the spread over its seeds, and head 1 of all in one", () => {
  const training = section(pageOf(TINY), "training");
  assert.deepEqual(titles(training).slice(0, 5), [
    "Loss per head: ntp (K=1), 3 seeds",
    "Loss per head: mtp (K=4), 3 seeds",
    "Loss per head: forward (K=4), 3 seeds",
    "Loss per head: reverse (K=4), 3 seeds",
    "Loss of head 1",
  ]);
  const forward = chartOf(training, "Loss per head: forward (K=4), 3 seeds");
  assert.equal(all(forward, "path", "area").length, 4);
  assert.deepEqual(
    all(forward, "g", "band").map((band) => textOf(all(band, "title")[0]!)),
    ["head 1", "heads 1–2", "heads 1–3", "heads 1–4"],
  );
  assert.equal(all(chartOf(training, "Loss of head 1"), "g", "series").length, 4);
});

Deno.test("losses of many sets fold, and none is lost", () => {
  const training = section(pageOf({ ...TINY, texts: ["a", "b", "c", "d"], seeds: [1, 2] }), "training");
  const folded = all(training, "details");
  assert.equal(textOf(all(folded[0]!, "summary")[0]!), "4 more panels");
  const panels = (root: Element) => titles(root).filter((title) => title.startsWith("Loss per head"));
  assert.equal(panels(folded[0]!).length, 4);
  assert.equal(new Set(panels(training)).size, 16);
});

Deno.test("phases that differ from seed to seed are not shaded", () => {
  const training = section(
    pageOf(TINY, (files) => {
      const path = "/runs/study/arm-forward-s2/train.json";
      const value = JSON.parse(files.get(path)!);
      value.curriculum.phases[0].to = value.curriculum.phases[1].from = 60;
      files.set(path, JSON.stringify(value));
    }),
    "training",
  );
  assert.equal(all(chartOf(training, "Loss per head: forward (K=4), 3 seeds"), "g", "band").length, 0);
  assert.match(textOf(training), /The phases differ from seed to seed: none are shaded/);
});

Deno.test("decoding of sets is drawn by heads and by depth, with a bar of one standard deviation", () => {
  const results = resultsOf(TINY);
  const decoding = section(parse(page(results)), "decoding");
  assert.deepEqual(titles(decoding).slice(0, 4), [
    "Tokens per forward by heads",
    "Speed-up by heads",
    "Acceptance by depth, while decoding",
    "Acceptance by depth, on the true text",
  ]);
  const svg = chartOf(decoding, "Acceptance by depth, while decoding");
  const [mtp] = all(svg, "g", "series");
  assert.equal(all(svg, "g", "series").length, 3, "ntp drafts nothing");
  const shares = results.arms.filter(({ curriculum }) => curriculum === "mtp").map(({ decoding }) =>
    decoding!.domains[0]!.batches[0]!.measurements.at(-1)!.acceptance[0]!.conditional!
  );
  const sd = Math.sqrt(shares.reduce((sum, share) => sum + (share - mean(shares)) ** 2, 0) / 2);
  const grid = all(svg, "line", "grid").map((line) => Number(line.attributes.get("y1")));
  const unit = Math.max(...grid) - Math.min(...grid); // from 0 to 1
  const [, , low, high] = /^M([\d.]+) ([\d.]+)V([\d.]+)/.exec(
    all(mtp!, "path", "edge-1")[0]!.attributes.get("d")!,
  )!
    .map(Number);
  assert.ok(Math.abs((low! - high!) / unit - 2 * sd) < 0.002);
});

Deno.test("of each set one arm stands in the samples, side by side, and further ones are counted", () => {
  const root = section(pageOf({ ...TINY, samples: 9 }), "samples");
  const columns = all(root, "div", "columns");
  assert.equal(columns.length, 6);
  assert.deepEqual(all(columns[0]!, "p").map((p) => textOf(p).replace(/, [\d.]+\u00a0% drafted/, "")), [
    "ntp (K=1), seed 1",
    "mtp (K=4), seed 1",
    "forward (K=4), seed 1",
    "reverse (K=4), seed 1",
  ]);
  assert.match(textOf(root), /Of several seeds, the first is shown\. 3 prompts more: see decode\.json\./);
  const texts = ["a", "b", "c", "d"];
  const many = section(pageOf({ ...TINY, texts, seeds: [1], samples: 1 }), "samples");
  assert.equal(all(many, "div", "columns").flatMap((column) => all(column, "p")).length, 12);
  assert.match(textOf(many), /4 arms more: see decode\.json\./);
});

Deno.test("a share of drafted characters stands above what was drafted", () => {
  const root = section(pageOf({ ...TINY, seeds: [1] }), "samples");
  const mtp = all(root, "div", "columns")[0]!.children.filter((child) => typeof child !== "string")[1]!;
  const marked = all(mtp, "mark").map(textOf).join("").length;
  const whole = textOf(all(mtp, "div", "text")[0]!).length - textOf(all(mtp, "span", "prompt")[0]!).length;
  const said = Number(/([\d.]+)\u00a0% drafted/.exec(textOf(mtp))![1]);
  assert.ok(Math.abs(said - 100 * marked / whole) < 0.06, `${said} % is said`);
});

Deno.test("facets keep apart what does not compare, and repeat the next-token arm in each of its text", () => {
  const results = resultsOf({ ...TINY, seeds: [1], texts: ["a", "b"] });
  const wide = results.arms.filter(({ heads }) => heads > 1).map((arm) => ({
    ...arm,
    id: `${arm.id}-k8`,
    heads: 8,
  }));
  const sets = replicatesOf({ arms: [...results.arms, ...wide].map((arm) => ({ ...arm, config: null })) });
  const facets = byHeads(sets, []);
  assert.equal(byText(sets, []).length, 2);
  assert.equal(facets.length, 4);
  for (const { sets } of facets) {
    assert.equal(sets.length, 4);
    assert.equal(sets.filter(({ curriculum }) => curriculum === "ntp").length, 1);
    assert.equal(new Set(sets.map(({ arms }) => arms[0]!.arm.text)).size, 1);
    assert.ok(new Set(sets.filter(({ heads }) => heads > 1).map(({ heads }) => heads)).size === 1);
    assert.deepEqual(stylesIn({ name: "", sets }, curriculaOf(sets)), [0, 1, 2, 3], "a style each");
  }
  assert.equal(new Set(facets.map(({ name }) => name)).size, 4);
});

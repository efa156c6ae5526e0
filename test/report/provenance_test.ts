/** Proves that a reader finds what was run, on what, and how to do it again, of few arms and of many. */

import assert from "node:assert/strict";
import { collect } from "../../src/report/collect.ts";
import { page } from "../../src/report/page.ts";
import { ALL, completeRun, type Files, reader, REPORT } from "./fixture.ts";
import { changeStudy, STUDY, STUDY_REPORT, type StudyArm, studyNeeds, studyRun } from "./study.ts";
import { all, type Element, parse, textOf } from "./well_formed.ts";

function provenance(source: string): Element {
  return all(parse(source), "section").find((section) =>
    section.attributes.get("aria-labelledby") === "run"
  )!;
}

function study(arms: readonly StudyArm[], edit: (files: Files) => void = () => {}): Element {
  const files = studyRun(arms);
  edit(files);
  return provenance(page(collect(STUDY_REPORT, studyNeeds(arms), reader(files))));
}

const row = (section: Element, key: string): string[] =>
  all(section, "tr").map((row) => [...all(row, "th"), ...all(row, "td")].map(textOf)).find(([first]) =>
    first === key
  )!;

Deno.test("page() gives the settings of sets of arms, one value where all agree, and what their seeds are", () => {
  const section = study(
    STUDY,
    (files) => changeStudy(files, "arm-mtp-s2/train.json", (training) => training.threads = 8),
  );
  assert.deepEqual(row(section, "setting"), ["setting", "ntp", "forward", "mtp"]);
  assert.deepEqual(row(section, "seed"), ["seed", "1, 2, 3"]);
  assert.deepEqual(row(section, "model.heads.count"), ["model.heads.count", "1", "4", "4"]);
  assert.deepEqual(row(section, "threads used"), ["threads used", "2", "2", "2, 8"]);
  const said = textOf(section);
  assert.match(
    said,
    /Trained on cpu, 2 threads \(arm-ntp-s1, .*\); cpu, 8 threads \(arm-mtp-s2\)\. Decoded on cpu, 2 threads on 2 cores\./,
  );
  assert.equal(all(section, "h3").map(textOf).filter((title) => title.startsWith("Stage")).length, 3);
  assert.match(said, /Stages eval-ntp-s1, .*eval-mtp-s3/);
});

Deno.test("page() of a hundred stages has one command, and one row for each set of arms", () => {
  const arms = Array.from(
    { length: 11 },
    (_, i) =>
      [1, 2, 3].map((seed): StudyArm => ({
        curriculum: (["ntp", "forward", "mtp"] as const)[i % 3]!,
        seed,
        variant: i,
      })),
  ).flat();
  const section = study(arms);
  assert.deepEqual(all(section, "pre").map(textOf), [
    "npx -y deno@2.9 task pipeline pipelines/quickstart.yaml",
  ]);
  const [table, ...others] = all(section, "table");
  assert.equal(others.length, 0);
  assert.deepEqual(all(table!, "tr").length, 1 + 11);
  assert.deepEqual(all(all(table!, "thead")[0]!, "th").map(textOf).slice(0, 3), [
    "arm",
    "model.width",
    "model.heads.count",
  ]);
  assert.match(textOf(section), /In all arms: model\.layers 5, /);
});

Deno.test("page() says what the machine was where the stages say it", () => {
  const files = completeRun();
  const edit = (path: string, change: (text: string) => string) =>
    files.set(`/runs/quickstart/${path}`, change(files.get(`/runs/quickstart/${path}`)!));
  for (const arm of ["ntp", "forward"]) {
    edit(`${arm}/train.json`, (text) => text.replace("{", '{"cpu":"Fast 9000",'));
  }
  edit("decode/decode.json", (text) => text.replace('"gpu": null', '"gpu": "Big GPU"'));
  const section = provenance(page(collect(REPORT, ALL, reader(files))));
  assert.match(
    textOf(section),
    /Trained on Fast 9000, 2 threads\. Decoded on Big GPU, 2 threads on 2 cores\./,
  );
});

/** Proves the table of cost: means over seeds, energy where it can be read, shares of stages over several arms. */

import assert from "node:assert/strict";
import { collect } from "../../src/report/collect.ts";
import { page } from "../../src/report/page.ts";
import { ALL, change, completeRun, type Files, reader, REPORT } from "./fixture.ts";
import { changeStudy, STUDY_REPORT, studyNeeds, studyRun } from "./study.ts";
import { all, type Element, parse, textOf } from "./well_formed.ts";

const costOf = (root: Element): Element =>
  all(root, "section").find((section) => section.attributes.get("aria-labelledby") === "cost")!;

const rowsOf = (section: Element): string[][] =>
  all(all(section, "table")[0]!, "tr").map((row) =>
    [...all(row, "th"), ...all(row, "td")].map((cell) => textOf(cell).replaceAll("\u00a0", " "))
  );

function study(edit: (files: Files) => void): Element {
  const files = studyRun();
  edit(files);
  return costOf(parse(page(collect(STUDY_REPORT, studyNeeds(), reader(files)))));
}

Deno.test("page() says what an arm cost, on average over its seeds, and all together", () => {
  const section = study((files) => {
    for (const seed of [1, 2, 3]) {
      changeStudy(
        files,
        `arm-mtp-s${seed}/train.json`,
        (training) => training.energy = { joules: 3600 * seed, source: "RAPL" },
      );
      changeStudy(
        files,
        `arm-forward-s${seed}/train.json`,
        (training) => training.energy = { joules: 900, source: "RAPL", steps: 100 },
      );
      changeStudy(files, `arm-ntp-s${seed}/train.json`, (training) => training.energy = null);
      const path = `/runs/study/arm-ntp-s${seed}/metrics.jsonl`;
      files.set(path, files.get(path)!.replaceAll('"lr":', '"mfu":0.25,"lr":'));
    }
  });
  assert.deepEqual(rowsOf(section), [
    [
      ...[
        "arm",
        "parameters",
        "steps",
        "tokens",
        "training time",
        "training tokens/s ↑",
        "MFU",
        "energy of training",
      ],
      ...["evaluation time", "decoding time"],
    ],
    [
      "ntp",
      "1,083,520",
      "400",
      "409,600",
      "1 min 02 s",
      "6,671",
      "25.0 %",
      "not readable here",
      "12 s",
      "12 s",
    ],
    [
      "forward",
      "1,206,400",
      "400",
      "409,600",
      "1 min 02 s",
      "6,671",
      "–",
      "1.00 Wh (3,600 J)",
      "12 s",
      "12 s",
    ],
    ["mtp", "1,206,400", "400", "409,600", "1 min 02 s", "6,671", "–", "2.00 Wh (7,200 J)", "12 s", "12 s"],
  ]);
  const said = textOf(section).replaceAll("\u00a0", " ");
  assert.match(
    said,
    /Energy as RAPL tells it, all arms together 9\.00 Wh \(32,400 J\); scaled up from the steps that were/,
  );
  assert.match(
    said,
    /All stages together took 12 min 54 s: training 9 min 18 s, evaluation 1 min 48 s, decoding 1 min 48 s\./,
  );
});

Deno.test("page() divides the time of a stage over several arms between them, and leaves out what nobody knows", () => {
  const files = completeRun();
  const status = { state: "done", fingerprint: "f", started: "2026-11-27T00:00:00Z", seconds: 30 };
  change(files, "eval/stage.json", (stage) => stage.fingerprint = "f");
  files.set("/runs/quickstart/eval/status.json", JSON.stringify(status));
  const rows = rowsOf(costOf(parse(page(collect(REPORT, ALL, reader(files))))));
  assert.deepEqual(rows[0], [
    "arm",
    "parameters",
    "steps",
    "tokens",
    "training time",
    "training tokens/s ↑",
    "evaluation time",
  ]);
  assert.equal(rows[1]!.at(-1), "15 s");
});

Deno.test("page() gives no share of a peak that was none", () => {
  const section = study((files) => {
    const path = "/runs/study/arm-mtp-s1/metrics.jsonl";
    files.set(path, files.get(path)!.replaceAll('"lr":', '"mfu":43.9,"lr":'));
  });
  assert.ok(!rowsOf(section)[0]!.includes("MFU"));
  assert.match(textOf(section), /Above 100\u00a0% it is not given/);
});

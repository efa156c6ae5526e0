/** Proves the files beside the page: report.csv as others read it, report.md with nothing interpreted, report.json. */

import assert from "node:assert/strict";
import { collect, type Results } from "../../src/report/collect.ts";
import { csv } from "../../src/report/csv.ts";
import { figures } from "../../src/report/figures.ts";
import { markdown } from "../../src/report/markdown.ts";
import { withPeers } from "../peers.ts";
import { ALL, change, completeRun, type Files, reader, REPORT } from "./fixture.ts";
import { changeStudy, STUDY_REPORT, studyNeeds, studyRun } from "./study.ts";

function study(edit: (files: Files) => void = () => {}): Results {
  const files = studyRun();
  edit(files);
  return collect(STUDY_REPORT, studyNeeds(), reader(files));
}

/** The complete run, one of whose arms has a name that CSV, Markdown and HTML would take for theirs. */
function evil(): Results {
  const files = completeRun();
  const name = 'a "b", |c|\r\n<i>d</i>';
  change(files, "eval/eval.json", ({ arms }) => arms.push({ ...arms[1], id: name, curriculum: name }));
  return collect(REPORT, ALL, reader(files));
}

Deno.test("csv() has a line for each arm with its seed, its figures and its cost", () => {
  const lines = csv(study((files) => {
    changeStudy(
      files,
      "arm-forward-s2/train.json",
      (training) => training.energy = { joules: 1500.5, source: "RAPL" },
    );
    files.delete("/runs/study/decode-forward-s2/decode.json");
  })).split("\r\n");
  assert.equal(lines.length, 1 + 9 + 1);
  assert.equal(lines.at(-1), "");
  const [keys, row] = [lines[0]!, lines[5]!].map((line) => line.split(","));
  const fields = Object.fromEntries(keys!.map((key, i) => [key, row![i]]));
  assert.deepEqual(fields, {
    ...{
      id: "arm-forward-s2",
      label: "forward",
      curriculum: "forward",
      seed: "2",
      heads: "4",
      kind: "linear",
    },
    ...{ run: "study", reference: "ntp", bits_per_byte: "1.61", rep_4: "" },
    ...{
      tokens_per_forward_true_text: "",
      tokens_per_forward: "",
      tokens_per_forward_all_heads: "",
      speedup: "",
      draft_heads: "",
      prompts: "",
    },
    ...{ outputs_identical: "", outputs_near_tie: "", outputs_different: "" },
    ...{
      parameters: "1206400",
      steps: "400",
      tokens: "409600",
      training_seconds: "62",
      tokens_per_s: "6671.2",
    },
    ...{ mfu: "", evaluation_seconds: "12", decoding_seconds: "", energy_joules: "1500.5" },
  });
});

Deno.test("csv() quotes what has commas, quotes and line breaks (RFC 4180)", () => {
  const text = csv(evil());
  assert.ok(
    text.includes(
      '\r\n"a ""b"", |c|\r\n<i>d</i>","a ""b"", |c|\r\n<i>d</i>","a ""b"", |c|\r\n<i>d</i>",,4,,quickstart,,1.6131,',
    ),
  );
});

withPeers("csv() is read by Python's csv module", async (python) => {
  const program = "import csv,json,sys; print(json.dumps(list(csv.DictReader(sys.stdin))))";
  const results = evil();
  const rows = JSON.parse(
    await python(["-c", `import sys; sys.stdin.reconfigure(newline=''); ${program}`], csv(results)),
  );
  assert.deepEqual(rows.map(({ id }: { id: string }) => id), results.arms.map(({ id }) => id));
  assert.deepEqual(rows.map((row: Record<string, string>) => row.bits_per_byte), [
    "1.6049",
    "1.6131",
    "1.6131",
  ]);
});

Deno.test("markdown() has headline, comparison, cost, what is missing and how to do it again", () => {
  const text = markdown(study((files) => files.delete("/runs/study/eval-mtp-s3/eval.json")));
  for (
    const said of [
      "# study\n\nOf 2 arms that draft, forward (K=4) has the highest speed-up",
      "## Missing\n\n- The eval stage eval-mtp-s3 has left no eval.json.\n\n## Comparison",
      "| arm | heads K | seeds | bits per byte ↓ |",
      "| forward | 4 | 3 | 1.580 ± 0.026 (+0.060, p 0.074) |",
      "| --- | ---: | ---: | ---: |",
      "## Cost\n\n| arm | parameters |",
      "## To run it again\n\n```sh\nnpx -y deno@2.9 task pipeline pipelines/quickstart.yaml\n```\n",
    ]
  ) assert.ok(text.includes(said), `the file says ${said}`);
  assert.ok(!text.includes("[object"));
});

Deno.test("markdown() escapes what would be a table's border or HTML", () => {
  const row = markdown(evil()).split("\n").find((line) => line.startsWith('| a "'))!;
  assert.ok(row.startsWith('| a "b", \\|c\\|\\[U+000D\\] \\<i\\>d\\</i\\> |'), row);
  assert.equal(row.match(/(?<!\\)\|/g)!.length, 1 + 5);
});

Deno.test("figures() has the comparison's numbers and each arm's cost, and loses nothing in JSON", () => {
  const numbers = figures(study());
  assert.deepEqual(JSON.parse(JSON.stringify(numbers)), numbers);
  const mtp = numbers.comparison.find(({ label }) => label === "mtp")!;
  assert.deepEqual(mtp.arms.map(({ seed }) => seed), [1, 2, 3]);
  assert.deepEqual([mtp.reference, mtp.figures.bits_per_byte!.n], ["ntp", 3]);
  assert.equal(mtp.figures.bits_per_byte!.difference!.verdict, "worse");
  assert.equal(numbers.arms[0]!.cost.training_seconds, 61);
});

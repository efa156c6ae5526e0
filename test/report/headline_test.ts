/** Proves that the headline says what the numbers say, and no more. */

import assert from "node:assert/strict";
import { collect } from "../../src/report/collect.ts";
import { headline } from "../../src/report/headline.ts";
import { ALL, change, completeRun, type Files, needs, reader, REPORT } from "./fixture.ts";

function headlineOf(edit: (files: Files) => void, stages = ALL): string {
  const files = completeRun();
  edit(files);
  return headline(collect(REPORT, stages, reader(files)));
}

// deno-lint-ignore no-explicit-any
const decoded = (edit: (measurement: any) => void) => (files: Files) =>
  change(files, "decode/decode.json", (d) => edit(d.arms[1].domains[0].batches[0].measurements.at(-1)));

Deno.test("headline() states speed, equality and bits per byte of a complete run", () => {
  assert.equal(
    headlineOf(() => {}),
    "forward (K=4) produced 2.31 tokens per forward and decoded 1.80 times as fast as its own plain decoding, " +
      "outputs identical for 16 of 16 prompts; held-out bits per byte 1.613 against 1.605 for ntp (K=1).",
  );
});

Deno.test("headline() says so when outputs were not compared, tie or differ", () => {
  assert.match(headlineOf(decoded((fastest) => fastest.equal = null)), /, outputs not compared;/);
  const differing = headlineOf(
    decoded((fastest) => Object.assign(fastest.equal, { identical: 13, ties: 1, different: 2 })),
  );
  assert.match(
    differing,
    /identical for 13 of 16 prompts \(1 parts at a near tie of the two best tokens, 2 differ otherwise\)/,
  );
});

Deno.test("headline() calls slower slower", () => {
  const slower = headlineOf((files) =>
    change(files, "decode/decode.json", ({ arms }) => {
      for (const measurement of arms[1].domains[0].batches[0].measurements.slice(1)) {
        measurement.speedup = measurement.heads / 5 + 0.034;
      }
    })
  );
  assert.match(slower, /decoded slower than its own plain decoding \(0\.83 times its speed\)/);
});

Deno.test("headline() says how many heads were fastest where not all were, and on which text where there are several", () => {
  const text = headlineOf((files) =>
    change(files, "decode/decode.json", ({ arms }) => {
      const { domains } = arms[1];
      domains[0].batches[0].measurements[1].speedup = 2;
      domains.push({ ...structuredClone(domains[0]), name: "code" });
      domains[1].batches[0].measurements[3].speedup = 9; // further domains are for the tables
      domains[0].batches.push({ ...structuredClone(domains[1].batches[0]), batch: 8 });
    })
  );
  assert.match(
    text,
    /produced 1\.72 tokens per forward with 2 heads on val and decoded 2\.00 times as fast as its own plain/,
  );
});

Deno.test("headline() names the number of rivals and takes the one that sped up most", () => {
  const text = headlineOf((files) =>
    change(files, "decode/decode.json", ({ arms }) => {
      const mtp = { ...structuredClone(arms[1]), id: "mtp" };
      mtp.domains[0].batches[0].measurements[3].speedup = 1.9;
      arms.push(mtp);
    })
  );
  assert.match(
    text,
    /^Of 2 arms that draft, mtp \(K=4\) has the highest speed-up: it produced .* 1\.90 times/,
  );
  assert.match(text, /bits per byte were not measured\.$/);
});

Deno.test("headline() compares bits per byte only where they were measured alike", () => {
  const text = headlineOf((files) => change(files, "eval/eval.json", (e) => e.arms.shift()));
  assert.match(text, /; held-out bits per byte 1\.613\.$/);
  const onTraining = headlineOf((files) => change(files, "eval/eval.json", (e) => e.split = "train"));
  assert.match(onTraining, /; bits per byte on the training text 1\.613 against/);
});

Deno.test("headline() without decoding says that it was not measured", () => {
  const stages = needs(["ntp", "train"], ["forward", "train"], ["eval", "eval"]);
  assert.equal(
    headlineOf(() => {}, stages),
    "Held-out bits per byte: ntp (K=1) 1.605, forward (K=4) 1.613; decoding was not measured.",
  );
  const plainOnly = headlineOf((files) => change(files, "decode/decode.json", (d) => d.arms.pop()));
  assert.match(plainOnly, /; no arm decoded with drafts\.$/);
});

Deno.test("headline() of training alone speaks of the last validation, or of none", () => {
  const stages = needs(["ntp", "train"]);
  assert.equal(
    headlineOf(() => {}, stages),
    "Bits per byte at the last validation: ntp (K=1) 1.628; decoding was not measured.",
  );
  const early = headlineOf((files) => {
    files.delete("/runs/quickstart/ntp/train.json");
    files.delete("/runs/quickstart/ntp/metrics.jsonl");
  }, stages);
  assert.equal(early, "No bits per byte yet: ntp (K=1); decoding was not measured.");
});

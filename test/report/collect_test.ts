/** Proves what is gathered of runs: stages that are one, what is broken or missing said and not the end, several runs. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { collect, collectRuns, type Results } from "../../src/report/collect.ts";
import { figures } from "../../src/report/figures.ts";
import { page } from "../../src/report/page.ts";
import { replicatesOf } from "../../src/report/replicates.ts";
import { sourceOf } from "../../src/report/sources.ts";
import { ALL, change, completeRun, type Files, reader, REPORT } from "./fixture.ts";
import { changeStudy, STUDY, STUDY_REPORT, studyNeeds, studyRun } from "./study.ts";
import { all, parse } from "./well_formed.ts";

function study(edit: (files: Files) => void = () => {}): Results {
  const files = studyRun();
  edit(files);
  const results = collect(STUDY_REPORT, studyNeeds(), reader(files));
  parse(page(results)); // whatever is missing, there is a page
  JSON.stringify(figures(results));
  return results;
}

Deno.test("collect() takes stages with equal settings for one evaluation, and one decoding", () => {
  const { evaluations, decodings, arms, missing, stages } = study();
  assert.deepEqual(evaluations.map(({ id }) => id), ["eval"]);
  assert.deepEqual(decodings.map(({ id }) => id), ["decode"]);
  const ids = arms.map(({ id }) => id);
  assert.equal(ids.length, 9);
  assert.deepEqual(evaluations[0]!.value.arms.map(({ id }) => id), ids);
  assert.deepEqual(decodings[0]!.value.arms.map(({ id }) => id), ids);
  assert.deepEqual(missing, []);
  const { id, seconds, arms: about } = stages.find(({ run }) => run === "decode")!;
  assert.deepEqual([id, seconds, about], ["decode-ntp-s1", 11, ["arm-ntp-s1"]]);
});

Deno.test("collect() takes them for one also where the text is not among the needs", () => {
  const { evaluations, decodings, arms } = collect(STUDY_REPORT, studyNeeds().slice(1), reader(studyRun()));
  assert.deepEqual([...evaluations, ...decodings].map(({ id, value }) => [id, value.arms.length]), [
    ...[["eval", 9], ["decode", 9]],
  ]);
  assert.equal(replicatesOf({ arms }).length, 3);
});

Deno.test("collect() keeps evaluations apart whose settings differ, and tells them by their ids", () => {
  const { evaluations } = study((files) => {
    for (const seed of [2, 3]) {
      changeStudy(files, `eval-mtp-s${seed}/stage.json`, ({ config }) => config.tokens = 5);
    }
  });
  assert.deepEqual(evaluations.map(({ id, value }) => [id, value.arms.length]), [["eval", 7], [
    "eval-mtp",
    2,
  ]]);
});

Deno.test("collect() does not fill a gap with what was measured otherwise, unless of arms that nothing else is about", () => {
  const sampled = studyNeeds().filter(({ run }) => run === "decode").map((need) => ({
    ...need,
    id: need.id.replace("decode", "sampled"),
    folder: need.folder.replace("decode", "sampled"),
  }));
  const decodings = (edit: (files: Files) => void) => {
    const files = studyRun();
    for (const { id } of sampled) {
      for (const file of ["stage.json", "status.json", "decode.json"]) {
        const path = `/runs/study/${id.replace("sampled", "decode")}/${file}`;
        files.set(`/runs/study/${id}/${file}`, files.get(path)!);
      }
      changeStudy(files, `${id}/stage.json`, ({ config }) => config.sampling = { temperature: 1 });
    }
    edit(files);
    return collect(STUDY_REPORT, [...studyNeeds(), ...sampled], reader(files));
  };
  const failed = decodings((files) => files.delete("/runs/study/decode-mtp-s2/decode.json"));
  assert.deepEqual(failed.decodings.map(({ id, value }) => [id, value.arms.length]), [["decode", 8], [
    "sampled",
    9,
  ]]);
  assert.deepEqual(failed.arms.filter(({ decoding }) => decoding === null).map(({ id }) => id), [
    "arm-mtp-s2",
  ]);
  const apart = decodings((files) => {
    for (const path of [...files.keys()]) {
      if (/decode-mtp|sampled-(ntp|forward)/.test(path)) files.delete(path);
    }
  });
  assert.deepEqual(apart.decodings.map(({ id, value }) => [id, value.arms.length]), [["decode", 6], [
    "sampled-mtp",
    3,
  ]]);
  assert.ok(apart.arms.every(({ decoding }) => decoding !== null));
});

Deno.test("collect() says so where the machines of one decoding differ", () => {
  const { missing } = study((files) =>
    changeStudy(files, "decode-mtp-s3/decode.json", ({ machine }) => machine.threads = 4)
  );
  assert.equal(missing.length, 1);
  assert.match(missing[0]!, /^decode was measured on machines that differ/);
  assert.match(
    missing[0]!,
    /arm-mtp-s2 on cpu \(2 cores, 2 threads\); arm-mtp-s3 on cpu \(2 cores, 4 threads\)\.$/,
  );
});

Deno.test("collect() says what failed, what was stopped and what was never run, and shows the others", () => {
  const { missing, arms } = study((files) => {
    for (const file of ["train.json"]) files.delete(`/runs/study/arm-mtp-s3/${file}`);
    changeStudy(files, "arm-mtp-s3/status.json", (status) => {
      Object.assign(status, { state: "failed", error: "The loss is not finite at step 12" });
    });
    for (const kind of ["eval", "decode"]) {
      for (const file of ["stage.json", "status.json", `${kind}.json`]) {
        files.delete(`/runs/study/${kind}-mtp-s3/${file}`);
      }
    }
    files.delete("/runs/study/decode-ntp-s1/decode.json");
    changeStudy(files, "decode-ntp-s1/status.json", (status) => status.state = "interrupted");
    files.delete("/runs/study/eval-ntp-s1/eval.json");
  });
  assert.equal(arms.length, 9);
  assert.deepEqual(missing, [
    "The train stage arm-mtp-s3 failed: The loss is not finite at step 12.",
    "The decode stage decode-ntp-s1 was stopped before its end.",
    "Never run: eval-mtp-s3, decode-mtp-s3.",
    "The eval stage eval-ntp-s1 has left no eval.json.",
  ]);
  const mtp = replicatesOf({ arms }).find(({ label }) => label === "mtp")!;
  assert.deepEqual(
    mtp.arms.map(({ seed }) => seed),
    [1, 2, 3],
    "its settings are known, and its curve is drawn",
  );
});

Deno.test("collect() leaves out what was never begun, a status of another attempt says nothing", () => {
  const { arms, missing } = study((files) => {
    for (const path of [...files.keys()]) if (path.includes("/arm-mtp-s3/")) files.delete(path);
    changeStudy(
      files,
      "arm-ntp-s1/status.json",
      (status) => Object.assign(status, { state: "failed", fingerprint: "g" }),
    );
    for (const kind of ["eval", "decode"]) files.delete(`/runs/study/${kind}-mtp-s3/${kind}.json`);
  });
  assert.equal(arms.length, 8);
  assert.deepEqual(missing.slice(0, 1), ["Never run: arm-mtp-s3."]);
});

Deno.test("collect() says which file is malformed, and goes on", () => {
  const { missing, arms } = study((files) => {
    files.set("/runs/study/eval-ntp-s1/eval.json", '{"split": "val", "arms": [');
    files.set("/runs/study/arm-ntp-s2/train.json", "\0\0\0");
    files.set("/runs/study/arm-ntp-s3/stage.json", "[]");
    const path = "/runs/study/arm-mtp-s1/metrics.jsonl";
    const lines = files.get(path)!.split("\n");
    files.set(path, [...lines.slice(0, 4), "\0\0", '{"kind": "step", "ste', ...lines.slice(6)].join("\n"));
    changeStudy(
      files,
      "decode-mtp-s2/decode.json",
      ({ arms }) => arms[0].domains[0].samples[0].drafted = [[0, 9999]],
    );
  });
  assert.equal(arms.length, 9);
  const [stage, evaluation, decoding, training, metrics] = missing;
  assert.equal(missing.length, 5);
  assert.match(stage!, /^Cannot read "arm-ntp-s3\/stage\.json": Invalid input|expected object/);
  assert.match(evaluation!, /^Cannot read "eval-ntp-s1\/eval\.json": not valid JSON \(.*\)\.$/);
  assert.match(
    decoding!,
    /^Cannot read "decode-mtp-s2\/decode\.json": arms\[0\]\.domains\[0\]\.samples\[0\]\.drafted: ranges in increasing order/,
  );
  assert.match(training!, /^Cannot read "arm-ntp-s2\/train\.json": not valid JSON/);
  assert.match(
    metrics!,
    /^Cannot read "arm-mtp-s1\/metrics\.jsonl" line 5: .*, and 1 more such line: left out of the curves\.$/,
  );
  assert.equal(arms.find(({ id }) => id === "arm-mtp-s1")!.steps.length, 38);
  assert.ok(!missing.join().includes("/runs/"), "the page does not tell where it was made");
});

Deno.test("collect() takes what was not finite for not measured", () => {
  const { missing, arms } = study((files) => {
    changeStudy(files, "eval-mtp-s1/eval.json", ({ arms }) => {
      Object.assign(arms[0], { bits_per_byte: null, perplexity: null, bits_per_byte_interval: [null, null] });
      arms[0].heads[0].loss = null;
    });
    const path = "/runs/study/arm-mtp-s1/metrics.jsonl";
    const nan = [
      { kind: "step", step: 410, heads: [null, null, null, null], weights: [1, 1, 1, 1], grad_norm: null },
      { kind: "validation", step: 410, bits_per_byte: null, expected_tokens_per_forward: null },
    ];
    files.set(path, files.get(path)! + nan.map((line) => `${JSON.stringify(line)}\n`).join(""));
  });
  assert.deepEqual(missing, []);
  const { evaluation, steps, validations } = arms.find(({ id }) => id === "arm-mtp-s1")!;
  assert.deepEqual([evaluation!.bits_per_byte, steps.at(-1)!.step, validations.at(-1)!.step], [
    null,
    410,
    400,
  ]);
});

Deno.test("collect() warns of a results file that was changed after its stage ended, and of no other", () => {
  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
  const { missing } = study((files) => {
    const sealed = { "eval-ntp-s1": ["eval.json"], "arm-ntp-s1": ["train.json", "metrics.jsonl"] };
    for (const [stage, names] of Object.entries(sealed)) {
      const seals = names.map((file) => [file, sha256(files.get(`/runs/study/${stage}/${file}`)!)]);
      changeStudy(files, `${stage}/status.json`, (status) => status.results = Object.fromEntries(seals));
    }
    const metrics = "/runs/study/arm-ntp-s1/metrics.jsonl";
    files.set(metrics, files.get(metrics)!.replace("4.", "3."));
    changeStudy(files, "eval-ntp-s1/eval.json", ({ arms }) => arms[0].bits_per_byte = 0.1);
  });
  assert.deepEqual(missing, [
    "eval.json of the eval stage eval-ntp-s1 was changed after its stage ended: its figures are not those of the run.",
    "metrics.jsonl of the train stage arm-ntp-s1 was changed after its stage ended: its figures are not those of the run.",
  ]);
});

Deno.test("collect() names the key that is malformed", () => {
  const files = completeRun();
  change(files, "eval/eval.json", ({ arms }) => arms[1].bits_per_byte = "low");
  assert.deepEqual(collect(REPORT, ALL, reader(files)).missing, [
    'Cannot read "eval/eval.json": arms[1].bits_per_byte: expected number, received string.',
  ]);
});

const COMPARED = "/runs/compare/report";

function compared(runs: readonly (readonly [folder: string, Files])[], arms?: readonly string[]): Results {
  const read = reader(new Map(runs.flatMap(([, files]) => [...files])));
  const results = collectRuns(
    COMPARED,
    runs.map(([folder], i) => sourceOf(folder, i === 0 ? arms : undefined, read)),
    read,
  );
  const ids = all(parse(page(results)), "*").flatMap(({ attributes }) => attributes.get("id") ?? []);
  assert.equal(new Set(ids).size, ids.length);
  return results;
}

Deno.test("collectRuns() calls arms by their run where names clash, and measures them side by side", () => {
  const some = STUDY.filter(({ seed }) => seed < 3);
  const { name, arms, evaluations, decodings, data, missing, versions } = compared([
    ["/runs/study", studyRun()],
    ["/runs/again", studyRun(some, "again")],
  ]);
  assert.equal(name, "compare");
  assert.deepEqual(arms.slice(8, 10).map(({ id, run }) => [id, run]), [["study/arm-mtp-s3", "study"], [
    "again/arm-ntp-s1",
    "again",
  ]]);
  assert.deepEqual(evaluations.map(({ id, value }) => [id, value.arms.length]), [["eval", 15]]);
  assert.deepEqual(decodings.map(({ id, value }) => [id, value.arms.length]), [["decode", 15]]);
  assert.deepEqual(data.map(({ id }) => id), ["study/text", "again/text"]);
  assert.deepEqual(Object.keys(versions), ["study", "again"]);
  assert.deepEqual(missing, []);
  assert.deepEqual(replicatesOf({ arms }).map(({ label, arms }) => `${label} ${arms.length}`), [
    ...["study/ntp 3", "again/ntp 2", "study/forward 3", "again/forward 2", "study/mtp 3", "again/mtp 2"],
  ]);
});

Deno.test("collectRuns() joins seeds of two runs, and takes only the arms that were asked for", () => {
  const further = STUDY.filter(({ seed }) => seed === 3);
  const { arms } = compared(
    [["/runs/study", studyRun()], ["/runs/further", studyRun(further, "further")]],
    ["arm-ntp-s1", "arm-forward-s2"],
  );
  assert.deepEqual(replicatesOf({ arms }).map(({ label, arms }) => `${label} ${arms.length}`), [
    ...["ntp 2", "forward 2", "mtp 1"],
  ]);
});

Deno.test("collectRuns() says that bits per byte of different texts do not compare", () => {
  const quickstart = () => {
    const files = completeRun();
    change(
      files,
      "pipeline.json",
      (about) => about.config = { stages: ALL.map(({ id, run }) => ({ id, run })) },
    );
    return files;
  };
  const other = quickstart();
  change(other, "text/meta.json", ({ splits }) => splits.val.bytes++);
  const { missing } = compared([["/runs/study", studyRun()], ["/runs/quickstart", other]]);
  assert.deepEqual(missing, [
    "Not all arms were trained on the same text: bits per byte and tasks compare within each of these groups only: " +
    "arm-ntp-s1, arm-ntp-s2, arm-ntp-s3, arm-forward-s1 and 5 more; ntp, forward.",
  ]);
  const tokens = quickstart();
  change(tokens, "text/meta.json", ({ tokenizer, splits }) => {
    tokenizer.kind = "bpe";
    splits.val.tokens -= 40_000;
  });
  assert.deepEqual(compared([["/runs/study", studyRun()], ["/runs/quickstart", tokens]]).missing, []);
});

Deno.test("sourceOf() refuses what is no run and names the arms that there are", () => {
  const read = reader(studyRun(STUDY.slice(0, 2)));
  assert.throws(
    () => sourceOf("/runs/none", undefined, read),
    /"\/runs\/none": it is not the folder of a run/,
  );
  assert.throws(
    () => sourceOf("/runs/study", ["arm"], read),
    /"arm" of "\/runs\/study": its arms are arm-ntp-s1, arm-ntp-s2/,
  );
});

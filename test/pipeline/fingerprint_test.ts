/** A fingerprint changes with what decides the results, and with nothing else. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { parsePipeline } from "../../src/config/load.ts";
import { fingerprintOf, SHIM_ABI } from "../../src/pipeline/fingerprint.ts";
import { ABI_VERSION } from "../../src/torch/symbols.ts";
import { withFiles } from "../support.ts";
import { smallPipeline } from "./fixture.ts";

const fingerprints = (...overrides: string[]) =>
  smallPipeline(...overrides).stages.map((config) => fingerprintOf(config, ["what it needs"]));
/** Ids of the stages whose own fingerprint an override changes. */
const changedBy = (...overrides: string[]) => {
  const [before, after] = [fingerprints(), fingerprints(...overrides)];
  return smallPipeline().stages.map(({ id }) => id).filter((_, i) => before[i] !== after[i]);
};

Deno.test("fingerprintOf() changes with a key that decides results", () => {
  assert.deepEqual(changedBy("seed=1"), ["text", "arm", "score", "speed"]);
  assert.deepEqual(changedBy("arm.train.steps=5"), ["arm"]);
  assert.deepEqual(changedBy("text.bytes=1e4"), ["text"]);
  assert.deepEqual(changedBy("speed.repeats=1"), ["speed"]);
});

Deno.test("fingerprintOf() stays when only the place, the log or the saving changes; decoding is timed", () => {
  assert.deepEqual(
    changedBy("arm.train.log_every=1", "arm.train.checkpoint_every=1", "arm.train.keep=1"),
    [],
  );
  assert.deepEqual(changedBy("threads=1"), ["speed"]);
  assert.deepEqual(changedBy("device=auto"), ["speed"]);
});

Deno.test("fingerprintOf() changes with the results that it needs", () => {
  const [text] = smallPipeline().stages;
  assert.notEqual(fingerprintOf(text!, ["a"]), fingerprintOf(text!, ["b"]));
  assert.match(fingerprintOf(text!, []), /^[0-9a-f]{64}$/);
});

Deno.test("fingerprintOf() changes with what is fetched, not with the way it comes", () => {
  const fetching = (keys: string) => {
    const stage = `{ id: raw, run: fetch, dataset: minipile${keys} }`;
    const [raw] = parsePipeline(`name: x\nstages: [${stage}]\n`, "x.yaml", "/base").stages;
    return fingerprintOf(raw!, []);
  };
  assert.equal(fetching(", parallel: 1, hosts: [a.b], endpoint: 'https://mirror.example'"), fetching(""));
  assert.notEqual(fetching(", split: train"), fetching(""));
  assert.notEqual(fetching(", revision: v2"), fetching(""));
});

withFiles("fingerprintOf() changes with another attempt in a run that is reported on", (folder) => {
  const reporting = () => {
    const [page] =
      parsePipeline(`name: x\nstages: [{ id: p, run: report, from: [${folder}] }]\n`, "x.yaml", "/").stages;
    return fingerprintOf(page!, []);
  };
  Deno.mkdirSync(join(folder, "arm"));
  Deno.writeTextFileSync(join(folder, "arm/status.json"), "{}");
  const before = reporting();
  Deno.writeTextFileSync(join(folder, "arm/log.txt"), "x");
  assert.equal(reporting(), before);
  Deno.writeTextFileSync(join(folder, "arm/status.json"), "{ }");
  assert.notEqual(reporting(), before);
});

withFiles("fingerprintOf() changes with the checkpoint that is taken in", (folder) => {
  const importing = () => {
    const [base] =
      parsePipeline(`name: x\nstages: [{ id: b, run: import, from: ${folder} }]\n`, "x.yaml", "/").stages;
    return fingerprintOf(base!, []);
  };
  Deno.writeTextFileSync(join(folder, "config.json"), "{}");
  const before = importing();
  Deno.writeTextFileSync(join(folder, "model.safetensors"), "x");
  assert.notEqual(importing(), before);
});

Deno.test("SHIM_ABI is the shim's", () => {
  assert.equal(SHIM_ABI, ABI_VERSION);
});

withFiles(
  "fingerprintOf() changes with the files that eval reads: texts, data, labels and tasks",
  (folder) => {
    const path = (name: string) => join(folder, name);
    const now = () => {
      const task = `{task: ${path("mine.yaml")}, data: ${path("data")}, labels: ${path("labels.lst")}}`;
      const score = smallPipeline(`score.files=${path("a.txt")}`, `score.tasks=[${task}]`).stages[2]!;
      return fingerprintOf(score, []);
    };
    Deno.mkdirSync(path("data"));
    const seen = new Set([now()]);
    const files = ["a.txt", "mine.yaml", "data/b.jsonl", "labels.lst"];
    files.forEach((name, i) => {
      Deno.writeTextFileSync(path(name), name);
      assert.equal(seen.add(now()).size, i + 2, name);
    });
  },
);

withFiles("fingerprintOf() changes with the files that prepare would read, and only with those", (folder) => {
  Deno.mkdirSync(join(folder, "books/more"), { recursive: true });
  const write = (name: string, text: string) => Deno.writeTextFileSync(join(folder, name), text);
  write("books/a.txt", "a");
  const now = (input: string) => {
    const [text] = smallPipeline(`text.input=${JSON.stringify(join(folder, input))}`).stages;
    return fingerprintOf(text!, []);
  };
  const both = () => [now("books"), now("books/**/*.txt")] as const;

  const [inFolder, inGlob] = both();
  write("books/.hidden.txt", "x");
  assert.deepEqual(both(), [inFolder, inGlob]);
  write("books/notes.md", "x");
  assert.notEqual(now("books"), inFolder);
  assert.equal(now("books/**/*.txt"), inGlob);
  write("books/more/b.txt", "b");
  assert.notEqual(now("books/**/*.txt"), inGlob);
  const grown = both();
  write("books/more/b.txt", "bb");
  assert.notEqual(now("books"), grown[0]);
  assert.notEqual(now("books/**/*.txt"), grown[1]);
  assert.equal(now("nowhere"), now("nowhere"));
});

withFiles("fingerprintOf() changes with the files that a decode stage cuts prompts from", (folder) => {
  const file = join(folder, "code.ts");
  Deno.writeTextFileSync(file, "a");
  const now = () => {
    const domains = JSON.stringify([{ name: "code", files: [file] }]);
    const { stages } = smallPipeline(`speed.domains=${domains}`);
    return fingerprintOf(stages.find(({ run }) => run === "decode")!, []);
  };
  const before = now();
  assert.equal(now(), before);
  Deno.writeTextFileSync(file, "bb");
  assert.notEqual(now(), before);
});

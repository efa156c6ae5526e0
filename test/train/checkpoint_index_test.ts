/** Which checkpoints stay, and that checkpoints.json is made again wherever it does not fit the folders. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type RunState, writeState } from "../../src/train/checkpoint.ts";
import { bestOf, type IndexEntry, indexOf, kept, writeIndex } from "../../src/train/checkpoint_index.ts";
import { withFiles } from "../support.ts";

const entry = (step: number, bits_per_byte: number | null): IndexEntry => ({
  folder: `step-${String(step).padStart(8, "0")}`,
  step,
  bits_per_byte,
});
const steps = (entries: readonly IndexEntry[]) => entries.map(({ step }) => step);

Deno.test("kept() takes the newest and the best, each once", () => {
  const entries = [entry(1, 2), entry(2, 1.5), entry(3, null), entry(4, 1.6), entry(5, 1.7)];
  assert.deepEqual(steps(kept(entries, { keep: 2, keep_best: true })), [2, 4, 5]);
  assert.deepEqual(steps(kept(entries, { keep: 2, keep_best: false })), [4, 5]);
  assert.deepEqual(steps(kept(entries, { keep: 9, keep_best: true })), [1, 2, 3, 4, 5]);
  assert.deepEqual(steps(kept([entry(1, null), entry(2, null)], { keep: 1, keep_best: true })), [2]);
});

Deno.test("bestOf() takes the newer one of equals, and none where nothing was measured", () => {
  assert.equal(bestOf([entry(1, 1.5), entry(2, 1.5), entry(3, 1.6)])!.step, 2);
  assert.equal(bestOf([entry(1, null)]), undefined);
});

/** Makes the folder of a checkpoint, with nothing in it but its state. */
function makeCheckpoint(stage: string, step: number, bits_per_byte: number | null): void {
  const folder = join(stage, "checkpoints", entry(step, null).folder);
  Deno.mkdirSync(folder, { recursive: true });
  const state: RunState = {
    step,
    position: 0,
    bytes: 0,
    seconds: 0,
    window: { steps: 0, loss: 0, clipped: 0, heads: [] },
    curriculum: null,
    rng: "",
    bits_per_byte,
    run: {},
    machine: { device: "cpu", threads: 1, torch: "", rows: "" },
  };
  writeState(folder, state, {});
}

withFiles("the index is made from the folders where it is missing, cut short or of another form", (stage) => {
  assert.deepEqual(indexOf(stage), []);
  makeCheckpoint(stage, 4, 2.5);
  makeCheckpoint(stage, 12, null);
  const expected = [entry(4, 2.5), entry(12, null)];
  assert.deepEqual(indexOf(stage), expected);
  writeIndex(stage, expected);
  const path = join(stage, "checkpoints/checkpoints.json");
  const written = JSON.parse(Deno.readTextFileSync(path));
  assert.deepEqual([written.newest, written.best], ["step-00000012", "step-00000004"]);
  for (const damage of ["", "{", "[]", JSON.stringify({ ...written, version: 2 })]) {
    Deno.writeTextFileSync(path, damage);
    assert.deepEqual(indexOf(stage), expected, damage);
  }
});

withFiles("the folders are the truth: what the index lacks is added, what is gone is left out", (stage) => {
  makeCheckpoint(stage, 4, 2.5);
  makeCheckpoint(stage, 8, 2.25);
  writeIndex(stage, [entry(1, 1), entry(4, 2.5)]);
  assert.deepEqual(indexOf(stage), [entry(4, 2.5), entry(8, 2.25)]);
});

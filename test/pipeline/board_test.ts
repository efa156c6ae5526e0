/** The live table: what it shows of a few stages and of many. */

import assert from "node:assert/strict";
import { boardLines, roundly, type Row } from "../../src/pipeline/board.ts";

const HEADING = { name: "study", seconds: 612, left: 3120 };
const row = (id: string, progress: Row["progress"], more: Partial<Row> = {}): Row => ({
  id,
  kind: "train",
  progress,
  ...more,
});

Deno.test("boardLines() shows what failed, what runs and what comes next, and counts the rest", () => {
  const rows = [
    row("ntp-s1", "done", { seconds: 150 }),
    row("ntp-s2", "skipped"),
    row("ntp-s3", "failed", { seconds: 12, note: "failed: the loss is not finite" }),
    row("k4-mtp-s1", "running", { seconds: 51, note: "step 410/2800" }),
    ...["a", "b", "c", "d", "e"].map((id) => row(id, "waiting")),
    row("eval-ntp-s3", "blocked"),
  ];
  assert.deepEqual(boardLines(HEADING, rows), [
    "study: 2 of 10 done, 1 failed, 1 cannot run for that, 10 min 12 s, about 52 min left",
    "  x ntp-s3 (train)           12 s  failed: the loss is not finite",
    "  > k4-mtp-s1 (train)        51 s  step 410/2800",
    "  · a (train)",
    "  · b (train)",
    "  · c (train)",
    "  · and 2 more",
  ]);
});

Deno.test("boardLines() of many stages stays short", () => {
  const rows = Array.from(
    { length: 1000 },
    (_, i) => row(`arm-${i}`, i < 500 ? "failed" : i < 700 ? "running" : "waiting"),
  );
  assert(boardLines({ ...HEADING, left: undefined }, rows).length <= 20);
});

Deno.test("roundly() says seconds, minutes, hours or days", () => {
  const said = [0.2, 89, 100, 5300, 5400, 36_000, 172_800, 1e6].map(roundly);
  assert.deepEqual(said, ["1 s", "89 s", "2 min", "88 min", "1.5 h", "10.0 h", "2.0 days", "11.6 days"]);
});

Deno.test("boardLines() counts a stage that was stopped as no failure", () => {
  const rows = [row("a", "stopped", { seconds: 5, note: "stopped" }), row("b", "running", { seconds: 5 })];
  assert.deepEqual(boardLines({ ...HEADING, left: undefined }, rows), [
    "study: 0 of 2 done, 10 min 12 s",
    "  / a (train)      5.00 s  stopped",
    "  > b (train)      5.00 s",
  ]);
});

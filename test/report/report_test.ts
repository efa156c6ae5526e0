/** Proves the stage itself: it reads run folders from the disk and leaves two whole files. */

import assert from "node:assert/strict";
import { basename, dirname, join } from "node:path";
import { run } from "../../src/report/report.ts";
import type { StageIo } from "../../src/stage/io.ts";
import { withFiles } from "../support.ts";
import { ALL, completeRun } from "./fixture.ts";

withFiles("run() writes the page and its numbers in three forms, and says the result", async (folder) => {
  for (const [path, text] of completeRun()) {
    const file = join(folder, path);
    Deno.mkdirSync(dirname(file), { recursive: true });
    Deno.writeTextFileSync(file, text);
  }
  const own = join(folder, "runs/quickstart/report");
  Deno.mkdirSync(own);
  const said: string[] = [];
  const io: StageIo = {
    id: "report",
    folder: own,
    needs: ALL.map((need) => ({ ...need, folder: join(folder, need.folder) })),
    interactive: false,
    stop: new AbortController().signal,
    log: (line) => said.push(line),
    progress: () => {},
  };
  await run({ id: "report", run: "report", needs: ALL.map(({ id }) => id) }, io);
  assert.deepEqual([...Deno.readDirSync(own)].map(({ name }) => name).sort(), [
    "report.csv",
    "report.html",
    "report.json",
    "report.md",
  ]);
  const html = Deno.readTextFileSync(join(own, "report.html"));
  assert.ok(html.startsWith("<!DOCTYPE html>\n<html") && html.includes("<h1>quickstart</h1>"));
  assert.ok(!html.includes(basename(folder)), "the page does not tell where it was made");
  const numbers = JSON.parse(Deno.readTextFileSync(join(own, "report.json")));
  assert.ok(said.includes(numbers.headline));
});

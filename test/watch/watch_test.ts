/** The live page without a browser: what it reads of a run that goes on, and whom it answers. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { WatchedRun } from "../../src/watch/run.ts";
import { Tail } from "../../src/watch/tail.ts";
import { answer } from "../../src/watch/watch.ts";
import { withFiles } from "../support.ts";
import { parse } from "../report/well_formed.ts";
import { addLine, addStep, makeRun, putStage } from "./fixture.ts";

const get = (run: WatchedRun, path: string, headers: Record<string, string> = {}) =>
  answer(new Request(`http://127.0.0.1:1234${path}`, { headers }), run);

withFiles("Tail gives whole lines once, waits for a line's end, and notices another file", (folder) => {
  const path = join(folder, "metrics.jsonl");
  const tail = new Tail(path);
  const append = (text: string) => Deno.writeTextFileSync(path, text, { append: true });
  assert.deepEqual(tail.read(), { lines: [], replaced: false });
  append("one\ntwo\nthr");
  assert.deepEqual(tail.read(), { lines: ["one", "two"], replaced: true });
  assert.deepEqual(tail.read(), { lines: [], replaced: false });
  append("ee ü\n");
  assert.deepEqual(tail.read(), { lines: ["three ü"], replaced: false });
  Deno.writeFileSync(path, Uint8Array.of(0xc3), { append: true }); // half an ü
  assert.deepEqual(tail.read().lines, []);
  Deno.writeFileSync(path, Uint8Array.of(0xbc, 10), { append: true });
  assert.deepEqual(tail.read().lines, ["ü"]);
  Deno.writeTextFileSync(`${path}.partial`, "one\nTWO\n"); // as a resumed run does
  Deno.renameSync(`${path}.partial`, path);
  assert.deepEqual(tail.read(), { lines: ["one", "TWO"], replaced: true });
  Deno.truncateSync(path, 4);
  assert.deepEqual(tail.read(), { lines: ["one"], replaced: true });
  Deno.removeSync(path);
  assert.deepEqual(tail.read(), { lines: [], replaced: true });
});

withFiles("a run's stages and arms are followed while it goes on", (folder) => {
  const folderOfRun = makeRun(folder, 100);
  const run = new WatchedRun(folderOfRun);
  const states = () => run.snapshot().stages.map(({ id, state }) => `${id} ${state}`);
  const lastStep = () => run.snapshot().arms.map(({ id, steps }) => [id, steps.at(-1)!.step]);
  assert.deepEqual(states(), ["text done", "ntp done", "forward running", "report waiting"]);
  assert.deepEqual(lastStep(), [["ntp", 400], ["forward", 100]]);
  addStep(folderOfRun, "forward", 3, 110);
  assert.deepEqual(lastStep(), [["ntp", 400], ["forward", 110]]);
  assert.deepEqual(run.snapshot().arms[1]!.phases, [{ from: 0, to: 110, weights: [1, 0, 0] }]);

  // Resumed from step 50: the file is written anew.
  Deno.removeSync(join(folderOfRun, "forward/metrics.jsonl"));
  addStep(folderOfRun, "forward", 3, 50);
  assert.deepEqual(lastStep(), [["ntp", 400], ["forward", 50]]);

  putStage(folderOfRun, "forward", "failed", "the disk is full");
  const { state, error } = run.snapshot().stages[2]!;
  assert.deepEqual([state, error], ["failed", "the disk is full"]);
  assert.deepEqual(run.snapshot().problems, []);
});

withFiles("files that cannot be read are sentences on the page, which goes on", async (folder) => {
  const folderOfRun = makeRun(folder, 100);
  const run = new WatchedRun(folderOfRun);
  addLine(folderOfRun, "forward", "no JSON\n");
  Deno.writeTextFileSync(join(folderOfRun, "text/status.json"), '{ "state": "dancing" }');
  const { problems, arms } = run.snapshot();
  assert.deepEqual(arms.map(({ id, steps }) => [id, steps.length]), [["ntp", 40], ["forward", 10]]);
  assert.match(problems[0]!, /^Cannot read ".*text\/status\.json": state: /);
  assert.match(problems[1]!, /^Cannot read ".*forward\/metrics\.jsonl" line 12: not valid JSON/);
  assert.match(await get(run, "/").text(), /metrics\.jsonl&quot; line 12/);
});

withFiles(
  "the page is well formed and shows stages, losses, phases, speed, validation and warnings",
  async (folder) => {
    const folderOfRun = makeRun(folder, 250);
    addLine(folderOfRun, "forward", { kind: "warning", step: 200, name: "x", message: "Lower <lr>" });
    const response = get(new WatchedRun(folderOfRun), "/");
    assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
    const html = await response.text();
    parse(html);
    for (
      const shown of [
        "2 of 4 stages done, forward is running",
        "step 250 of 400",
        "MFU\u00a041.0",
        "about 34",
        "Loss per head: forward (K=3)",
        "heads 1–2",
        "Bits per byte (head 1)",
        "Tokens per second in training",
        "forward (K=3), step 200:</strong> Lower &lt;lr&gt;",
      ]
    ) assert.ok(html.includes(shown), shown);
  },
);

withFiles("/live answers with what is new, and with 304 while nothing is", async (folder) => {
  const folderOfRun = makeRun(folder, 100);
  const run = new WatchedRun(folderOfRun);
  const first = get(run, "/live");
  const etag = first.headers.get("etag")!;
  parse(`<div>${await first.text()}</div>`);
  const same = get(run, "/live", { "if-none-match": etag });
  assert.deepEqual([same.status, await same.text()], [304, ""]);
  addStep(folderOfRun, "forward", 3, 110);
  const next = get(run, "/live", { "if-none-match": etag });
  assert.equal(next.status, 200);
  assert.ok((await next.text()).includes("step 110 of 400"));
});

withFiles("only this machine's names, GET and known paths are answered", async (folder) => {
  const run = new WatchedRun(makeRun(folder, 100));
  const status = async (url: string, init?: RequestInit) => {
    const response = answer(new Request(url, init), run);
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await status("http://localhost:1/"), 200);
  assert.equal(await status("http://evil.example:1/"), 403);
  assert.equal(await status("http://127.0.0.1:1/../../etc/passwd"), 404);
  assert.equal(await status("http://127.0.0.1:1/", { method: "POST" }), 405);
});

withFiles("a folder that is no run is refused in a sentence", (folder) => {
  assert.throws(() => new WatchedRun(folder), {
    name: "UserError",
    message: /^There is no run in ".*": no pipeline\.json is there\. Name a run/,
  });
});

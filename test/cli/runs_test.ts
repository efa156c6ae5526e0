/** `foretoken runs`, and what a command line that is refused may have been meant to be. */

import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { listRuns, showRuns } from "../../src/cli/run_list.ts";
import { withLauncher } from "../pipeline/launcher.ts";
import { withFiles } from "../support.ts";
import { foretoken } from "./foretoken.ts";

/** A run with stages in these states; `null`: never begun. */
function makeRun(runs: string, name: string, created: string, states: Record<string, string | null>): void {
  const folder = join(runs, name);
  for (const [id, state] of Object.entries(states)) {
    if (state === null) continue;
    Deno.mkdirSync(join(folder, id), { recursive: true });
    Deno.writeTextFileSync(join(folder, id, "status.json"), JSON.stringify({ state }));
  }
  const stages = Object.keys(states).map((id) => ({ id }));
  Deno.writeTextFileSync(join(folder, "pipeline.json"), JSON.stringify({ config: { stages }, created }));
}

withFiles("listRuns() counts stages by state and bytes of all files, newest first", (folder) => {
  makeRun(folder, "old", "2026-01-01T10:00:00.000Z", { text: "done", arm: "interrupted", report: null });
  makeRun(folder, "new", "2026-02-01T10:00:00.000Z", { text: "done", a: "failed", b: "running", c: "done" });
  Deno.mkdirSync(join(folder, "old/arm/checkpoints"));
  Deno.writeFileSync(join(folder, "old/arm/checkpoints/weights"), new Uint8Array(5e6));
  Deno.mkdirSync(join(folder, "no-run"));
  Deno.mkdirSync(join(folder, "broken"));
  Deno.writeTextFileSync(join(folder, "broken/pipeline.json"), "{");
  const runs = listRuns(folder);
  assert.deepEqual(
    runs.map(({ name, stages, done, failed, interrupted, running }) => [
      name,
      ...[stages, done, failed, interrupted, running],
    ]),
    [["new", 4, 2, 1, 0, 1], ["old", 3, 1, 0, 1, 0]],
  );
  assert(runs[1]!.bytes > 5e6 && runs[1]!.bytes < 5.001e6);
  const lines = showRuns(runs, "runs");
  assert.match(lines[1]!, /^new +2026-02-01 10:00 +2 +1 +1 +4 +1 kB$/);
  assert.match(lines[2]!, /^old +2026-01-01 10:00 +1 +0 +1 +3 +5\.0 MB$/);
});

withLauncher("foretoken runs lists what is there, for readers and scripts", async (folder) => {
  makeRun(folder, "one", "2026-01-01T10:00:00.000Z", { text: "done" });
  const runs = ["--runs", relative(Deno.cwd(), folder)];
  const [lines, json, none] = await Promise.all([
    foretoken("runs", ...runs),
    foretoken("runs", ...runs, "--json"),
    foretoken("runs", "--runs", "no-such-folder"),
  ]);
  assert.match(lines.stdout, /^run +started \(UTC\) .*\none /);
  const [run] = JSON.parse(json.stdout);
  assert.deepEqual([run.name, run.folder, run.stages, run.done], ["one", join(folder, "one"), 1, 1]);
  assert.deepEqual([none.code, none.stdout.split(":")[0]], [0, "no-such-folder holds no runs"]);
});

withLauncher("a refused command line is told what it may have been meant to be", async () => {
  const cases: [args: string[], line: string][] = [
    [["sandbox"], "sandbox is a topic: foretoken help sandbox"],
    [["quickstart"], "quickstart is a pipeline: foretoken pipeline quickstart"],
    [["my/own.yaml"], "my/own.yaml is a pipeline: foretoken pipeline my/own.yaml"],
    [
      ["prepare", "quickstart", "--set", "text.input=[a,", "b]"],
      "The shell has cut a change at its spaces; in quotes it is one word: --set 'text.input=[a, b]'",
    ],
    [
      ["plan", "quickstart", "--set=text.input=[a,", "b,", "c]", "--json"],
      "The shell has cut a change at its spaces; in quotes it is one word: --set 'text.input=[a, b, c]'",
    ],
    [
      ["plan", "quickstart", "--set", "device=cpu", "threads=2"],
      "Each change has a --set of its own, and braces need quotes: --set 'threads=2'",
    ],
    [["pipeline", "quickstart", "--stage", "ntp"], "pipeline calls it --only"],
    [["train", "quickstart", "--only=ntp"], "train calls it --stage"],
  ];
  const ended = await Promise.all(cases.map(([args]) => foretoken(...args)));
  for (const [i, [args, line]] of cases.entries()) {
    assert.equal(ended[i]!.stderr.trim().split("\n").at(-1), line, args.join(" "));
    assert.equal(ended[i]!.code, 2);
  }
  const { stderr } = await foretoken("plan", "quickstart", "another");
  assert.match(stderr, /^error: too many arguments.*\n\(foretoken plan --help shows examples\)\n$/);
});

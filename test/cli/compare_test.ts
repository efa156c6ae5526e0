/** `foretoken compare` as users run it: a bound process that reads whole runs and writes a run of its own. */

import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { clearStage } from "../../src/pipeline/clear.ts";
import { withLauncher } from "../pipeline/launcher.ts";
import { STUDY, studyRun } from "../report/study.ts";
import { foretoken } from "./foretoken.ts";

/** Puts the files of a made-up run below `folder`. */
function putRun(folder: string, name: string, arms = STUDY): void {
  for (const [path, text] of studyRun(arms, name)) {
    const file = join(folder, path.slice("/runs/".length));
    Deno.mkdirSync(dirname(file), { recursive: true });
    Deno.writeTextFileSync(file, text);
  }
}

withLauncher("runs are compared by their names, arms by theirs, and anew each time", async (folder) => {
  putRun(folder, "study");
  putRun(folder, "again", STUDY.filter(({ seed }) => seed === 1));
  const runs = ["--runs", relative(Deno.cwd(), folder)];
  const text = (path: string) => Deno.readTextFileSync(join(folder, path));

  const both = await foretoken("compare", "study", "again", ...runs);
  assert.equal(both.code, 0, both.stderr);
  const report = join(folder, "compare-study-again/report");
  assert.match(text("compare-study-again/report/report.md"), /\n\| study\/mtp \|.*\n\| again\/mtp \|/);
  assert.match(
    text("compare-study-again/report/report.md"),
    /\nnpx -y deno@2\.9 task foretoken compare study again --runs [\w./-]+\n/,
  );

  const path = join(folder, "again/eval-mtp-s1/eval.json");
  const changed = JSON.parse(Deno.readTextFileSync(path));
  changed.arms[0].bits_per_byte = 9.875;
  Deno.writeTextFileSync(path, JSON.stringify(changed));
  const anew = await foretoken("compare", "study", "again", ...runs);
  assert.equal(anew.code, 0, anew.stderr);
  assert.match(text("compare-study-again/report/report.csv"), /^again\/arm-mtp-s1,.*,9\.875,/m);

  const some = await foretoken(
    "compare",
    "study/arm-ntp-s1",
    "again",
    "study/arm-mtp-s2",
    "--name",
    "some",
    ...runs,
  );
  assert.equal(some.code, 0, some.stderr);
  const ids = text("some/report/report.csv").split("\r\n").slice(1, -1).map((line) => line.split(",")[0]);
  assert.deepEqual(ids.sort(), [
    ...[
      "again/arm-forward-s1",
      "again/arm-mtp-s1",
      "again/arm-ntp-s1",
      "study/arm-mtp-s2",
      "study/arm-ntp-s1",
    ],
  ]);

  clearStage(report, "report");
  assert.deepEqual(
    [...Deno.readDirSync(report)].map(({ name }) => name),
    ["lock"],
    "the runner knows all that it writes",
  );
});

withLauncher("compare says what is no run and no arm", async (folder) => {
  putRun(folder, "study", STUDY.slice(0, 2));
  const runs = ["--runs", relative(Deno.cwd(), folder)];
  const said = async (...given: string[]) => {
    const { code, stderr } = await foretoken("compare", ...given, ...runs);
    assert.equal(code, 2, stderr);
    return stderr;
  };
  assert.equal(await said("studi"), 'studi: no such run; there is study: did you mean "study"?\n');
  assert.match(
    await said("study", "study/arm-ntp-s9"),
    /^study has no train stage "arm-ntp-s9": there is arm-ntp-s1, arm-ntp-s2/,
  );
  assert.match(await said("study/eval-ntp-s1"), /^study has no train stage "eval-ntp-s1"/);
  assert.equal(await said("/nope"), "/nope: no such run; there is study\n"); // not what Deno says of /dev
  assert.equal(await said("/dev/nope"), "/dev: no such run; there is study\n");
  assert.match(await said(), /missing required argument 'run'/);
});

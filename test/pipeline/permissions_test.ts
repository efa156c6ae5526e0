/** What each stage of one pipeline may touch, written out in full: a change here is a change of what stages can do. */

import assert from "node:assert/strict";
import {
  accessOf,
  denoFlags,
  launcherOptions,
  type Places,
  usesNative,
} from "../../src/pipeline/permissions.ts";
import type { StageConfig } from "../../src/config/schema.ts";
import { UserError } from "../../src/stage/errors.ts";
import { smallPipeline } from "./fixture.ts";

const PLACES: Places = { project: "/p", run: "/r", deno: "/bin/deno", torch: "/site/torch" };
const INPUTS = "text.input=[/books/*.txt, /notes, '/a/b?/**']";
const stages = smallPipeline(INPUTS, "text.validation=[/held/out.txt]", "speed.tolerance=0").stages;
const stage = (run: StageConfig["run"]) => stages.find((config) => config.run === run)!;

Deno.test("denoFlags() gives each stage its own folder, what it needs, and nothing else", () => {
  const flags = (run: StageConfig["run"]) => denoFlags(accessOf(stage(run), PLACES), PLACES);
  const always = ["--no-prompt", "--cached-only", "--ignore-env"];
  const native = [
    ...always,
    "--allow-env=OMP_*,GOMP_*,MKL_*,CUDA_VISIBLE_DEVICES",
  ];
  assert.deepEqual(flags("prepare"), [
    ...always,
    "--allow-read=/books,/notes,/a,/held/out.txt,/r/text",
    "--allow-write=/r/text",
  ]);
  assert.deepEqual(flags("train"), [
    ...native,
    "--allow-read=/r/text,/r/arm",
    "--allow-write=/r/arm",
    "--allow-ffi=/p/native/build",
  ]);
  assert.deepEqual(flags("eval"), [
    ...native,
    "--allow-read=/r/text,/r/arm,/r/score",
    "--allow-write=/r/score",
    "--allow-ffi=/p/native/build",
  ]);
  assert.deepEqual(flags("decode"), [
    ...native,
    "--allow-read=/r/text,/r/arm,/r/speed",
    "--allow-write=/r/speed",
    "--allow-ffi=/p/native/build",
  ]);
  assert.deepEqual(flags("report"), [
    ...always,
    "--allow-read=/r/pipeline.json,/r/text,/r/arm,/r/score,/r/speed,/r/page",
    "--allow-write=/r/page",
  ]);
});

Deno.test("launcherOptions() lists the system, Deno, the program, and the stage's own paths", () => {
  const options = (config: StageConfig) => launcherOptions(accessOf(config, PLACES), PLACES).join(" ");
  const system = "--rx /usr --rx /lib --rx /lib64 --rx /bin/deno " +
    "--ro /etc/ld.so.cache --ro /proc --ro /sys --ro /dev/urandom";
  const program = "--ro /p/src --ro /p/node_modules --ro /p/deno.json --ro /p/deno.lock";
  assert.equal(
    options(stage("prepare")),
    `${system} ${program} --ro /books --ro /notes --ro /a --ro /held/out.txt ` +
      "--dev /dev/null --rw /r/text",
  );
  assert.equal(
    options(stage("train")),
    `${system} ${program} --ro /p/native/build --ro /r/text --ro /site/torch --ro /site/nvidia ` +
      "--ro /usr/local/cuda --ro /etc/alternatives --ro /opt/nvidia --dev /dev/null --rw /r/arm",
  );
});

Deno.test("launcherOptions() gives a GPU's devices only to stages that compute and may use one", () => {
  for (const { run } of stages) {
    const config = smallPipeline("device=auto").stages.find((other) => other.run === run)!;
    const options = launcherOptions(accessOf(config, PLACES), PLACES);
    assert.equal(options.includes("--gpu"), usesNative(run), run);
    assert(!options.includes("--net"));
  }
});

Deno.test("denoFlags() refuses a path with a comma, which would be read as two", () => {
  const config = smallPipeline("text.input=['/a,/etc']").stages[0]!;
  assert.throws(() => denoFlags(accessOf(config, PLACES), PLACES), UserError);
});

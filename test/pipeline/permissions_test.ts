/** What each stage of one pipeline may touch, written out in full: a change here is a change of what stages can do. */

import assert from "node:assert/strict";
import {
  accessOf,
  denoFlags,
  generateAccess,
  launcherOptions,
  nativeOf,
  type Places,
  watchAccess,
} from "../../src/pipeline/permissions.ts";
import { parsePipeline } from "../../src/config/load.ts";
import type { StageConfig, StageKind } from "../../src/config/schema.ts";
import { UserError } from "../../src/stage/errors.ts";
import { oneOfEachKind, smallPipeline } from "./fixture.ts";

const PLACES: Places = {
  project: "/p",
  run: "/r",
  deno: "/bin/deno",
  torch: "/site/torch",
  sandbox: "auto",
};
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
    "--allow-read=/books,/notes,/a,/held/out.txt,/p/src,/r/text",
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
    "--allow-sys=systemMemoryInfo",
  ]);
  assert.deepEqual(flags("report"), [
    ...always,
    "--allow-read=/r/pipeline.json,/r/text,/r/arm,/r/score,/r/speed,/r/page",
    "--allow-write=/r/page",
  ]);
});

Deno.test("an eval stage may read its texts and its tasks' files, and the tasks of the program where it names one", () => {
  const reads = (...overrides: string[]) =>
    accessOf(smallPipeline(...overrides).stages.find(({ run }) => run === "eval")!, PLACES).read;
  const own = ["/r/text", "/r/arm", "/r/score"];
  assert.deepEqual(reads("score.files=['a/*.txt', /b.txt]"), ["/base/a", "/b.txt", ...own]);
  assert.deepEqual(
    reads("score.tasks=[{task: blimp, data: ../blimp}, {task: my/own.yaml, data: [/d], labels: l.lst}]"),
    ["/blimp", "/base/my/own.yaml", "/d", "/base/l.lst", "/p/src/eval/tasks", ...own],
  );
  assert.deepEqual(reads("score.tasks=[{task: own.yaml}]"), ["/base/own.yaml", ...own]);
});

Deno.test("launcherOptions() lists the system, Deno, the program, and the stage's own paths", () => {
  const options = (config: StageConfig) => launcherOptions(accessOf(config, PLACES), PLACES).join(" ");
  const system = "--rx /usr --rx /lib --rx /lib64 --rx /bin/deno " +
    "--ro /etc/ld.so.cache --ro /proc --ro /sys --ro /dev/urandom";
  const program = "--ro /p/src --ro /p/node_modules --ro /p/deno.json --ro /p/deno.lock";
  assert.equal(
    options(stage("prepare")),
    `${system} ${program} --ro /books --ro /notes --ro /a --ro /held/out.txt --ro /p/src ` +
      "--dev /dev/null --rw /r/text",
  );
  assert.equal(
    options(stage("train")),
    `${system} ${program} --ro /p/native/build --ro /r/text --ro /site/torch --ro /site/nvidia ` +
      "--ro /usr/local/cuda --ro /etc/alternatives --ro /opt/nvidia --dev /dev/null --rw /r/arm",
  );
});

Deno.test("a report stage may read the other runs that it is about, and write none of them", () => {
  const access = accessOf(
    parsePipeline(
      "name: x\nstages: [{ id: page, run: report, from: [../a, { run: /b/c, arms: [x] }] }]\n",
      "x.yaml",
      "/base",
    ).stages[0]!,
    PLACES,
  );
  assert.deepEqual(access.read, ["/r/pipeline.json", "/a", "/b/c", "/r/page"]);
  assert.deepEqual([access.write, access.connect, access.native], [["/r/page"], [], "none"]);
});

Deno.test("launcherOptions() gives a GPU's devices only to stages that compute and may use one", () => {
  for (const { run } of stages) {
    const config = smallPipeline("device=auto").stages.find((other) => other.run === run)!;
    const options = launcherOptions(accessOf(config, PLACES), PLACES);
    assert.equal(options.includes("--gpu"), nativeOf(config) === "torch", run);
    assert(!options.includes("--connect") && !options.includes("--bind"));
  }
});

Deno.test("a prepare stage loads the text library for tokens that are not bytes, and no other native code", () => {
  const [config] = smallPipeline("text.tokenizer=/t/tokenizer.json").stages;
  const access = accessOf(config!, PLACES);
  assert(access.read.includes("/t/tokenizer.json"));
  const library = "/p/native/build/libforetoken_text.so";
  assert(denoFlags(access, PLACES).includes(`--allow-ffi=${library}`));
  const options = launcherOptions(access, PLACES).join(" ");
  assert(options.includes(`--ro ${library} `));
  assert(!options.includes("--ro /p/native/build "));
});

const fetching = (...keys: string[]): StageConfig => {
  const text = `name: x\nstages: [{ id: raw, run: fetch, dataset: minipile, ${keys.join(", ")} }]\n`;
  return parsePipeline(text, "x.yaml", "/base").stages[0]!;
};

Deno.test("a fetch stage reaches its endpoint and the hosts that it names, and no file but its own", () => {
  const config = fetching(
    "endpoint: 'https://hub.example.com'",
    "hosts: [cdn.example.net, '127.0.0.1:8080']",
  );
  const access = accessOf(config, PLACES);
  assert.deepEqual(denoFlags(access, PLACES), [
    "--no-prompt",
    "--cached-only",
    "--ignore-env",
    "--allow-env=HF_TOKEN",
    "--allow-read=/r/raw",
    "--allow-write=/r/raw",
    "--allow-net=hub.example.com:443,*.hub.example.com:443,cdn.example.net:443,127.0.0.1:8080",
    "--allow-sys=statfs",
  ]);
  const options = launcherOptions(access, PLACES).join(" ");
  assert(options.endsWith("--dev /dev/null --connect 443 --connect 8080 --rw /r/raw"), options);
  assert.equal(
    launcherOptions(accessOf(fetching("endpoint: 'http://127.0.0.1:81'"), PLACES), PLACES).at(-3),
    "81",
  );
});

Deno.test("an eval stage reaches the servers that judge its text, with the key that it names, and no others", () => {
  const score = (...overrides: string[]) => {
    const config = smallPipeline(...overrides).stages.find(({ run }) => run === "eval")!;
    const access = accessOf(config, PLACES);
    return { flags: denoFlags(access, PLACES), options: launcherOptions(access, PLACES).join(" ") };
  };
  for (const silent of [score(), score("score.generation={}")]) {
    assert(!silent.flags.some((flag) => flag.startsWith("--allow-net")), String(silent.flags));
    assert(!silent.options.includes("--connect"));
    assert(!silent.options.includes("/etc/resolv.conf"));
  }
  const { flags, options } = score(
    "score.generation.judge={endpoint: 'http://127.0.0.1:8080/v1', model: m}",
    "score.generation.semscore={endpoint: 'https://api.example.com/v1', model: e, key_env: OPENAI_API_KEY}",
  );
  assert.deepEqual(flags, [
    "--no-prompt",
    "--cached-only",
    "--ignore-env",
    "--allow-env=OMP_*,GOMP_*,MKL_*,CUDA_VISIBLE_DEVICES,OPENAI_API_KEY",
    "--allow-read=/r/text,/r/arm,/r/score",
    "--allow-write=/r/score",
    "--allow-ffi=/p/native/build",
    "--allow-net=api.example.com:443,127.0.0.1:8080",
  ]);
  assert(options.includes("--ro /site/torch") && options.includes("--ro /etc/resolv.conf"), options);
  assert(options.endsWith("--dev /dev/null --connect 443 --connect 8080 --rw /r/score"), options);
});

Deno.test("a decode stage reads the files of its domains, and of a glob the folder that holds its matches", () => {
  const domains = "[{ name: code, files: [/code/*.ts, /notes] }, { name: val }]";
  const config = smallPipeline(`speed.domains=${domains}`).stages.find(({ run }) => run === "decode")!;
  const access = accessOf(config, PLACES);
  assert.deepEqual(access.read, ["/code", "/notes", "/r/text", "/r/arm", "/r/speed"]);
  assert(launcherOptions(access, PLACES).join(" ").includes("--ro /code --ro /notes --ro /r/text"));
});

Deno.test("the page that watches a run reads that run and waits at one port of this machine", () => {
  const access = watchAccess(7000, PLACES);
  assert.deepEqual(denoFlags(access, PLACES), [
    "--no-prompt",
    "--cached-only",
    "--ignore-env",
    "--allow-read=/r,/p/src/watch",
    "--allow-net=127.0.0.1:7000",
  ]);
  const options = launcherOptions(access, PLACES).join(" ");
  assert(options.endsWith("--dev /dev/null --bind 7000"), options);
  assert(!options.includes("--rw"));
});

Deno.test("the process that continues texts reads one arm and its tokenizer, and writes nothing", () => {
  const generating = { arm: "/r/arm", text: "/r/text", device: "cpu", threads: "auto" } as const;
  const access = generateAccess(generating);
  assert.deepEqual(denoFlags(access, PLACES), [
    "--no-prompt",
    "--cached-only",
    "--ignore-env",
    "--allow-env=OMP_*,GOMP_*,MKL_*,CUDA_VISIBLE_DEVICES",
    "--allow-read=/r/arm,/r/text/tokenizer.json",
    "--allow-ffi=/p/native/build",
    "--allow-sys=systemMemoryInfo",
  ]);
  const options = launcherOptions(access, PLACES).join(" ");
  assert(options.includes(" --ro /r/arm --ro /r/text/tokenizer.json --ro /site/torch "), options);
  assert(options.endsWith("--ro /opt/nvidia --dev /dev/null"), options);
  const gpu = launcherOptions(generateAccess({ ...generating, device: "auto" }), PLACES).join(" ");
  assert.equal(gpu, `${options} --gpu`);
});

Deno.test("denoFlags() refuses a path with a comma, which would be read as two", () => {
  const config = smallPipeline("text.input=['/a,/etc']").stages[0]!;
  assert.throws(() => denoFlags(accessOf(config, PLACES), PLACES), UserError);
});

Deno.test("of all kinds of stage, fetch alone has a network, and eval where it names a judge", () => {
  const network: Record<StageKind, boolean> = {
    fetch: true,
    prepare: false,
    import: false,
    train: false,
    eval: false,
    decode: false,
    export: false,
    report: false,
  };
  const all = oneOfEachKind(81);
  assert.deepEqual(new Set(all.map(({ run }) => run)), new Set(Object.keys(network)));
  const judge = "score.generation.judge={endpoint: 'http://127.0.0.1:81/v1', model: m}";
  const judging = smallPipeline(judge).stages.find(({ run }) => run === "eval")!;
  for (const [config, has] of [...all.map((c) => [c, network[c.run]] as const), [judging, true] as const]) {
    const access = accessOf(config, PLACES);
    assert.equal(access.connect.length > 0, has, config.id);
    assert.equal(access.listen, undefined, config.id);
    assert.equal(denoFlags(access, PLACES).some((flag) => flag.startsWith("--allow-net")), has, config.id);
    const ports = launcherOptions(access, PLACES).filter((word) => word === "--connect" || word === "--bind");
    assert.equal(ports.length > 0, has, config.id);
  }
});

Deno.test("denoFlags() says thousands of paths in several flags, each as long as Linux lets one be", () => {
  const page = smallPipeline().stages.at(-1)!;
  const needs = Array.from({ length: 9000 }, (_, i) => `a-stage-with-a-long-name-${i}`);
  const flags = denoFlags(accessOf({ ...page, needs }, PLACES), PLACES);
  assert(flags.every((flag) => flag.length < 128 * 1024));
  const read = flags.filter((flag) => flag.startsWith("--allow-read="));
  assert.equal(read.join(",").split(",").length, 9000 + 2);
});

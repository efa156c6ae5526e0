/** The environment of a stage's process: what it needs, and nothing of the user's. */

import assert from "node:assert/strict";
import { parsePipeline } from "../../src/config/load.ts";
import { accessOf, denoFlags, launcherOptions } from "../../src/pipeline/permissions.ts";
import { boundArguments, environmentFor, proxiesIn } from "../../src/pipeline/start.ts";
import { smallPipeline } from "./fixture.ts";

const OWN = {
  HOME: "/home/me",
  PATH: "/bin",
  SECRET: "1",
  NO_COLOR: "1",
  OMP_PLACES: "cores",
  FORETOKEN_TORCH_INDEX: "2",
};
const ALWAYS = {
  DENO_DIR: "/dev/null/deno",
  DENO_LOG: "warn,deno::cache=off",
  DENO_NO_UPDATE_CHECK: "1",
  NO_COLOR: "1",
};

Deno.test("environmentFor() hands a computing stage the thread settings, and others nothing but colour", () => {
  const [text, arm] = smallPipeline("threads=3").stages;
  assert.deepEqual(environmentFor(text!, OWN), ALWAYS);
  assert.deepEqual(environmentFor(arm!, OWN), {
    ...ALWAYS,
    OMP_PLACES: "cores",
    GOMP_SPINCOUNT: "10000",
    OMP_NUM_THREADS: "3",
  });
});

Deno.test("environmentFor() hands a fetch stage the token and the way to the network", () => {
  const stage = "{ id: raw, run: fetch, dataset: a/b }";
  const [raw] = parsePipeline(`name: x\nstages: [${stage}]\n`, "x.yaml", "/base").stages;
  const own = { HF_TOKEN: "t", https_proxy: "http://proxy:3128", DENO_CERT: "/c.pem" };
  assert.deepEqual(environmentFor(raw!, { ...OWN, ...own }), { ...ALWAYS, ...own });
});

Deno.test("environmentFor() hands an eval stage the one key that it names, and the network's only with a server", () => {
  const own = {
    ...OWN,
    OPENAI_API_KEY: "a",
    FORETOKEN_API_KEY: "b",
    HF_TOKEN: "c",
    https_proxy: "http://proxy:1",
  };
  const score = (...overrides: string[]) =>
    smallPipeline(...overrides).stages.find(({ run }) => run === "eval")!;
  const computing = { ...ALWAYS, OMP_PLACES: "cores", GOMP_SPINCOUNT: "10000" };
  assert.deepEqual(environmentFor(score(), own), computing);
  assert.deepEqual(environmentFor(score("score.generation={}"), own), computing);
  const judge = "score.generation.judge={endpoint: 'https://api.example.com/v1', model: m}";
  assert.deepEqual(environmentFor(score(judge), own), { ...computing, https_proxy: "http://proxy:1" });
  assert.deepEqual(environmentFor(score(judge, "score.generation.judge.key_env=FORETOKEN_API_KEY"), own), {
    ...computing,
    https_proxy: "http://proxy:1",
    FORETOKEN_API_KEY: "b",
  });
});

Deno.test("proxiesIn() finds the proxies' hosts and ports", () => {
  const env = {
    HTTPS_PROXY: "http://user:secret@proxy.example:3128",
    http_proxy: "http://proxy.example:3128",
    NO_PROXY: "x",
  };
  assert.deepEqual(proxiesIn(env), ["proxy.example:3128"]);
  assert.deepEqual(proxiesIn({ HTTPS_PROXY: "https://secure.example", HTTP_PROXY: "proxy:8080" }), [
    "secure.example:443",
    "proxy:8080",
  ]);
});

Deno.test("environmentFor() leaves the user's own choice of waiting and threads", () => {
  const [, arm] = smallPipeline().stages;
  const own = { OMP_WAIT_POLICY: "active", OMP_NUM_THREADS: "8" };
  assert.deepEqual(environmentFor(arm!, { ...own, NO_COLOR: "1" }), { ...ALWAYS, ...own });
});

Deno.test("boundArguments() names the runner, and asks for a sandbox only where the file requires one", () => {
  const places = { project: "/p", run: "/r", deno: "/bin/deno", torch: undefined };
  const [text] = smallPipeline().stages;
  const parent = ["--parent", String(Deno.pid)];
  for (const sandbox of ["auto", "required"] as const) {
    const at = { ...places, sandbox };
    const access = accessOf(text!, at);
    const lists = [...launcherOptions(access, at), "--", "/bin/deno", "run", ...denoFlags(access, at)];
    assert.deepEqual(boundArguments(access, at, ["/p/src/stage.ts", "/r", "text"]), [
      ...parent,
      ...(sandbox === "required" ? ["--require"] : []),
      ...lists,
      ...["/p/src/stage.ts", "/r", "text"],
    ]);
  }
});

/**
 * Who reaches the network: a fetch stage, its own hosts and ports; an eval stage, the servers that judge its text; a page
 * that watches, one port; nobody else anything.
 */

import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { parsePipeline } from "../../src/config/load.ts";
import type { StageConfig } from "../../src/config/schema.ts";
import {
  type Access,
  accessOf,
  denoFlags,
  launcherOptions,
  type Places,
  watchAccess,
} from "../../src/pipeline/permissions.ts";
import { landlock, launch, withLauncher } from "./launcher.ts";
import { smallPipeline } from "./fixture.ts";

const PROJECT = dirname(dirname(import.meta.dirname!));

/** Attempts, each by its outcome: `done` or the error's name. */
const ATTEMPTS = `
  const [port, other] = Deno.args.map(Number);
  const tried = async (act) => { try { await act(); return "done"; } catch (e) { return e.name; } };
  const to = (port) => tried(async () => (await Deno.connect({ hostname: "127.0.0.1", port })).close());
  console.log(JSON.stringify({
    own: await to(port),
    other: await to(other),
    fetch: await tried(async () => (await fetch("http://127.0.0.1:" + other)).text()),
    listen: await tried(() => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close()),
    listenOwn: await tried(() => Deno.listen({ hostname: "127.0.0.1", port }).close()),
    unix: await tried(() => Deno.connect({ transport: "unix", path: "/run/nowhere" })),
  }));
`;

type Outcome = Record<"own" | "other" | "fetch" | "listen" | "listenOwn" | "unix", string>;

/**
 * What a program gets done that runs as this access has it.
 *
 * @param trusted Deno's own permissions, which bind the program; or none of them, so that only the launcher binds.
 */
async function outcome(access: Access, places: Places, ports: number[], trusted: boolean): Promise<Outcome> {
  const script = join(places.run, "probe.js");
  Deno.writeTextFileSync(script, ATTEMPTS);
  const flags = trusted ? denoFlags(access, places) : ["--allow-all", "--cached-only"];
  const args = [
    ...launcherOptions(access, places),
    "--ro",
    script,
    "--",
    places.deno,
    "run",
    ...flags,
    script,
    ...ports.map(String),
  ];
  const { stdout, stderr } = await launch(args, { DENO_DIR: "/dev/null/deno" });
  assert(stdout !== "", stderr);
  return JSON.parse(stdout);
}

const placesIn = (run: string): Places => ({
  project: PROJECT,
  run,
  deno: Deno.execPath(),
  torch: undefined,
  sandbox: "auto",
});

/** Two ports where somebody answers. */
async function withTwoServers(body: (own: number, other: number) => Promise<void>): Promise<void> {
  const serve = () =>
    Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response("hello"));
  await using own = serve();
  await using other = serve();
  await body(own.addr.port, other.addr.port);
}

const mayListen = Deno.permissions.querySync({ name: "net", host: "127.0.0.1" }).state === "granted";

function withNetwork(name: string, body: (folder: string) => Promise<void>): void {
  if (mayListen) withLauncher(name, body);
  else Deno.test({ name, ignore: true, fn: () => {} });
}

const [DENIED, REFUSED] = ["NotCapable", "PermissionDenied"]; // Deno's refusal, and the system's

function fetchConfig(port: number): StageConfig {
  const stage = `{ id: raw, run: fetch, dataset: a/b, endpoint: 'http://127.0.0.1:${port}' }`;
  return parsePipeline(`name: x\nstages: [${stage}]\n`, "x.yaml", "/base").stages[0]!;
}

withNetwork(
  "a fetch stage reaches its endpoint, and no other port, by Deno's permissions and by the system's",
  async (run) => {
    await withTwoServers(async (own, other) => {
      const places = placesIn(run);
      const access = accessOf(fetchConfig(own), places);
      assert.deepEqual(await outcome(access, places, [own, other], true), {
        own: "done",
        other: DENIED,
        fetch: DENIED,
        listen: DENIED,
        listenOwn: landlock < 4 ? "AddrInUse" : REFUSED,
        unix: DENIED,
      });
      if (landlock < 4) return; // ports are Deno's alone there
      assert.deepEqual(await outcome(access, places, [own, other], false), {
        own: "done",
        other: REFUSED,
        fetch: "TypeError",
        listen: REFUSED,
        listenOwn: REFUSED,
        unix: REFUSED,
      });
    });
  },
);

const judging = (port: number): StageConfig => {
  const judge = `score.generation.judge={endpoint: 'http://127.0.0.1:${port}/v1', model: m}`;
  return smallPipeline(judge).stages.find(({ run }) => run === "eval")!;
};

withNetwork("an eval stage with a judge reaches that judge and no other port", async (run) => {
  await withTwoServers(async (own, other) => {
    const places = placesIn(run);
    const access = accessOf(judging(own), places);
    assert.deepEqual(await outcome(access, places, [own, other], true), {
      own: "done",
      other: DENIED,
      fetch: DENIED,
      listen: DENIED,
      listenOwn: landlock < 4 ? "AddrInUse" : REFUSED,
      unix: DENIED,
    });
    if (landlock < 4) return; // ports are Deno's alone there
    const { own: judge, ...others } = await outcome(access, places, [own, other], false);
    assert.equal(judge, "done");
    assert.deepEqual(others, {
      other: REFUSED,
      fetch: "TypeError",
      listen: REFUSED,
      listenOwn: REFUSED,
      unix: REFUSED,
    });
  });
});

withNetwork(
  "a prepare stage, with native text code too, and an eval stage without a judge open no socket",
  async (run) => {
    await withTwoServers(async (own, other) => {
      const places = placesIn(run);
      const prepares = ["bytes", "/nowhere/tokenizer.json"].map((tokenizer) =>
        smallPipeline(`text.tokenizer=${tokenizer}`).stages[0]!
      );
      const measures = smallPipeline("score.generation={}").stages.find(({ run }) => run === "eval")!;
      for (const config of [...prepares, measures]) {
        const access = accessOf(config, places);
        const nothing = (name: string) => ({
          own: name,
          other: name,
          listen: name,
          listenOwn: name,
          unix: name,
        });
        const byDeno = await outcome(access, places, [own, other], true);
        assert.deepEqual(byDeno, { ...nothing(DENIED!), fetch: DENIED });
        const bySystem = await outcome(access, places, [own, other], false);
        assert.deepEqual(bySystem, { ...nothing(REFUSED!), fetch: "TypeError" });
      }
    });
  },
);

withNetwork("the page that watches a run waits at its own port and reaches nobody", async (run) => {
  await withTwoServers(async (own, other) => {
    const places = placesIn(run);
    const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = free.addr;
    free.close();
    const access = watchAccess(port, places);
    const byDeno = await outcome(access, places, [own, other], true);
    assert.deepEqual(byDeno, {
      own: DENIED,
      other: DENIED,
      fetch: DENIED,
      listen: DENIED,
      listenOwn: DENIED,
      unix: DENIED,
    });
    const bySystem = await outcome(access, places, [port, other], false);
    assert.equal(bySystem.listenOwn, "done");
    assert.equal(bySystem.other, REFUSED);
    assert.equal(bySystem.listen, landlock < 4 ? "done" : REFUSED);
  });
});

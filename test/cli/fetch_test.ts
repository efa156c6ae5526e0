/** `foretoken fetch` as users run it, from a hub on this machine: a run of one stage with the network that it needs. */

import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { COMMIT, FakeHub } from "../fetch/fake_hub.ts";
import { type Ended, launch, LAUNCHER, withLauncher } from "../pipeline/launcher.ts";
import { behind, ENVIRONMENT } from "./foretoken.ts";

interface Setting {
  readonly hub: FakeHub;
  readonly folder: string;
  /** Arguments for the launcher that start `foretoken fetch owner/texts` with the hub as the endpoint. */
  command(...args: string[]): string[];
  fetch(...args: string[]): Promise<Ended>;
}

const mayListen = Deno.permissions.querySync({ name: "net", host: "127.0.0.1" }).state === "granted";

function withHub(name: string, body: (setting: Setting) => Promise<void>): void {
  if (!mayListen) return Deno.test({ name, ignore: true, fn: () => {} });
  withLauncher(name, async (folder) => {
    await using hub = new FakeHub();
    const port = new URL(hub.endpoint).port;
    const usual = ["--endpoint", hub.endpoint, "--runs", relative(Deno.cwd(), folder)];
    const command = (...args: string[]) =>
      behind(
        ["fetch", "owner/texts", ...usual, ...args],
        "--connect",
        port,
        "--connect",
        "443",
        "--connect",
        "80",
      );
    await body({
      hub,
      folder,
      command,
      fetch: (...args) => launch(command(...args), { ...ENVIRONMENT, HF_TOKEN: "secret" }),
    });
  });
}

withHub(
  "foretoken fetch makes a run of one stage, and fetches nothing twice",
  async ({ hub, folder, fetch }) => {
    hub.add("data/train.jsonl", '{"text": "x"}\n');
    const first = await fetch();
    assert.equal(first.code, 0, first.stderr);
    assert.match(
      first.stderr,
      /^\[1\/1\] fetch \(fetch\)\nowner\/texts at 0123456789 \(main\), licence: odc-by: 1 file, 14 B\n/,
    );
    const run = join(folder, "texts/fetch");
    assert.equal(Deno.readTextFileSync(join(run, "files/data/train.jsonl")), '{"text": "x"}\n');
    assert.equal(JSON.parse(Deno.readTextFileSync(join(run, "fetch.json"))).commit, COMMIT);
    assert.equal(hub.requests[0]!.authorization, "Bearer secret");
    for (const name of ["stage.json", "fetch.json", "log.txt"]) {
      assert(!Deno.readTextFileSync(join(run, name)).includes("secret"), name);
    }
    const asked = hub.api.length;
    const second = await fetch();
    assert.match(second.stderr, /^\[1\/1\] fetch \(fetch\): done before, unchanged\n/);
    assert.equal(hub.api.length, asked);

    const other = await fetch("--revision", "v2");
    assert.equal(other.code, 1);
    assert.match(
      other.stderr,
      /^fetch holds files that were fetched with other settings \(revision: "main" before, "v2" now\): to throw them away, add --force; to keep them, choose another --name\n/,
    );
    const fresh = await fetch("--force");
    assert.equal(fresh.code, 0, fresh.stderr);
    assert.equal(hub.api.length, 2 * asked);
  },
);

withHub("a prepare stage reads what the fetch stage that it needs has brought", async ({ hub, folder }) => {
  const records = (n: number) =>
    Array.from({ length: n }, (_, i) => `${JSON.stringify({ text: `document ${i}` })}\n`).join("");
  hub.add("data/train-0.jsonl", records(20));
  hub.add("data/validation-0.jsonl", records(4));
  const file = join(folder, "fetching.yaml");
  const write = (input: string) =>
    Deno.writeTextFileSync(
      file,
      `name: fetching
stages:
  - { id: raw, run: fetch, dataset: owner/texts, endpoint: '${hub.endpoint}' }
  - { id: text, run: prepare, needs: [raw], input: '${input}', validation: ['fetched:raw/data/validation-*'] }
`,
    );
  const runs = relative(Deno.cwd(), folder);
  const pipeline = () =>
    launch(
      behind(
        ["pipeline", relative(Deno.cwd(), file), "--runs", runs],
        "--connect",
        new URL(hub.endpoint).port,
        "--connect",
        "443",
      ),
      ENVIRONMENT,
    );
  write("fetched:row");
  const wrong = await pipeline();
  assert.equal(wrong.code, 2);
  assert.match(
    wrong.stderr,
    /: stages\[1\]\.input: fetched:row needs a fetch stage "row" in needs, found raw: did you mean "raw"\?\n/,
  );
  write("fetched:raw");
  const right = await pipeline();
  assert.equal(right.code, 0, right.stderr);
  const { splits } = JSON.parse(Deno.readTextFileSync(join(folder, "fetching/text/meta.json")));
  assert.deepEqual([splits.train.documents, splits.val.documents], [20, 4]);
});

withHub("foretoken fetch goes on where a kill left it", async ({ hub, folder, command, fetch }) => {
  hub.add("a.txt", "0123456789");
  hub.mischief = () =>
    new Response(new ReadableStream({ start: (one) => one.enqueue(new TextEncoder().encode("0123")) }));
  const runner = new Deno.Command(LAUNCHER, {
    args: command(),
    env: ENVIRONMENT,
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const partial = join(folder, "texts/fetch/files/a.txt.partial");
  for (let tries = 0; tries < 300 && sizeOf(partial) < 4; tries++) {
    await new Promise((done) => setTimeout(done, 50));
  }
  runner.kill("SIGKILL");
  await runner.status;
  hub.mischief = () => undefined;
  let again = await fetch();
  for (let tries = 0; again.code === 69 && tries < 50; tries++) again = await fetch(); // the stage hears of the kill
  assert.equal(again.code, 0, again.stderr);
  assert.equal(Deno.readTextFileSync(join(folder, "texts/fetch/files/a.txt")), "0123456789");
  assert.equal(hub.requests.at(-1)!.range, "bytes=4-");
});

withHub("foretoken fetch goes through a proxy", async ({ hub, folder, command }) => {
  hub.add("a.txt", "text");
  const proxied = await launch(command("--endpoint", "http://hub.invalid"), {
    ...ENVIRONMENT,
    http_proxy: hub.endpoint,
  });
  assert.equal(proxied.code, 0, proxied.stderr);
  assert.equal(Deno.readTextFileSync(join(folder, "texts/fetch/files/a.txt")), "text");
});

withHub("foretoken fetch names the option for a host that it may not reach", async ({ hub, fetch }) => {
  hub.add("a.txt", "text");
  hub.mischief = () =>
    new Response(null, { status: 302, headers: { location: "https://cdn.example.com/x" } });
  const { code, stderr } = await fetch();
  assert.equal(code, 1);
  assert.match(
    stderr,
    /it is redirected to cdn\.example\.com, which this stage may not reach; .*`--host cdn\.example\.com`/,
  );
});

withHub("foretoken fetch says what is wrong with its options", async ({ fetch }) => {
  const { code, stderr } = await fetch("--parallel", "20", "--endpoint", "ftp://x");
  assert.equal(code, 2);
  assert.deepEqual(stderr.split("\n").slice(0, 2), [
    "endpoint: expected a URL that begins with https:// or http://",
    "parallel: expected at most 8, found 20",
  ]);
});

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0; // not yet there
  }
}

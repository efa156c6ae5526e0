/**
 * Fetching ends with the right files or a sentence, whatever happens on the way: connections that end, servers that
 * lie, hosts that may not be reached, kills. The hub is one on this machine.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { FetchConfig } from "../../src/config/schema.ts";
import type { Patience } from "../../src/net/patience.ts";
import { fetchDataset, type Fetched } from "../../src/fetch/fetch.ts";
import { Interrupted, UserError } from "../../src/stage/errors.ts";
import { withFiles } from "../support.ts";
import { COMMIT, cutAfter, FakeHub } from "./fake_hub.ts";

const mayListen = Deno.permissions.querySync({ name: "net", host: "127.0.0.1" }).state === "granted";
const PATIENCE: Patience = { attempts: 3, pause: 5, longestPause: 20, silence: 2000 };

interface Setting {
  readonly hub: FakeHub;
  readonly folder: string;
  /** What was logged. */
  readonly said: string[];
  fetch(
    keys?: Partial<FetchConfig>,
    more?: { token?: string; stop?: AbortSignal; silence?: number },
  ): Promise<Fetched>;
  /** The text of a fetched file. */
  text(path: string): string;
}

/** A test with a hub and a stage's folder; ignored where a test may not listen on 127.0.0.1. */
function withHub(name: string, body: (setting: Setting) => Promise<void>): void {
  if (!mayListen) return Deno.test({ name, ignore: true, fn: () => {} });
  withFiles(name, async (folder) => {
    await using hub = new FakeHub();
    const said: string[] = [];
    await body({
      hub,
      folder,
      said,
      text: (path) => Deno.readTextFileSync(join(folder, "files", path)),
      fetch: async (keys = {}, { token, stop, silence } = {}) => {
        const config: FetchConfig = {
          id: "fetch",
          run: "fetch",
          needs: [],
          dataset: "owner/texts",
          revision: "main",
          endpoint: hub.endpoint,
          hosts: [],
          parallel: 2,
          ...keys,
        };
        await fetchDataset(
          config,
          {
            id: "fetch",
            folder,
            needs: [],
            interactive: false,
            stop: stop ?? new AbortController().signal,
            log: (line) => said.push(line),
            progress: () => {},
          },
          token,
          { ...PATIENCE, ...(silence === undefined ? {} : { silence }) },
        );
        return JSON.parse(Deno.readTextFileSync(join(folder, "fetch.json")));
      },
    });
  });
}

/** Bytes that are different at each place. */
function noise(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 2654435761) >>> 24);
}

/** What a failed fetch says. */
async function refusal(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
  } catch (error) {
    assert(error instanceof UserError, String((error as Error).stack));
    return error.message;
  }
  assert.fail("it was fetched");
}

const named = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

withHub(
  "fetch brings all data files and writes down commit, licence and checksums",
  async ({ hub, fetch, text, folder, said }) => {
    hub.page = 2; // three pages
    hub.add("data/train-00000.parquet", noise(300_000));
    hub.add("data/a b#%.jsonl", '{"text": "x"}\n', false);
    hub.add("README.md", "# Texts", false);
    hub.add("data/empty.txt", "", false);
    const fetched = await fetch();
    assert.equal(fetched.commit, COMMIT);
    assert.equal(fetched.licence, "odc-by");
    assert.deepEqual(fetched.files.map(({ path, bytes }) => [path, bytes]), [
      ["data/a b#%.jsonl", 14],
      ["data/empty.txt", 0],
      ["data/train-00000.parquet", 300_000],
    ]);
    assert.deepEqual(Object.keys(fetched.files[2]!.hash), ["sha256"]);
    assert.equal(text("data/a b#%.jsonl"), '{"text": "x"}\n');
    assert.deepEqual(Deno.readFileSync(join(folder, "files/data/train-00000.parquet")), noise(300_000));
    assert.deepEqual(named(join(folder, "files/data")), ["a b#%.jsonl", "empty.txt", "train-00000.parquet"]);
    assert.equal(hub.api.length, 4);
    assert.match(said[0]!, /^owner\/texts at 0123456789 \(main\), licence: odc-by: 3 files, 300 kB$/);
  },
);

withHub(
  "fetch goes on where a connection ended, with the hub's name for what it has",
  async ({ hub, fetch, folder }) => {
    const content = noise(200_000);
    hub.add("a.txt", content);
    hub.mischief = ({ time }, right) => time <= 4 ? cutAfter(30_000, right()) : undefined;
    await fetch();
    assert.deepEqual(Deno.readFileSync(join(folder, "files/a.txt")), content);
    // More attempts than may fail in a row: each brought something.
    assert.deepEqual(
      hub.requests.map(({ range }) => range),
      [null, 30, 60, 90, 120].map((k) => k === null ? null : `bytes=${k * 1000}-`),
    );
  },
);

withHub(
  "fetch starts anew where the server sends the whole file for a range",
  async ({ hub, fetch, text }) => {
    hub.add("a.txt", "0123456789");
    hub.mischief = ({ time }, right) => time === 1 ? cutAfter(4, right()) : new Response("0123456789"); // 200
    await fetch();
    assert.equal(text("a.txt"), "0123456789");
  },
);

withHub("fetch believes no range that it did not ask for", async ({ hub, fetch, text }) => {
  hub.add("a.txt", "0123456789");
  hub.mischief = ({ time }, right) => {
    if (time === 1) return cutAfter(4, right());
    if (time > 2) return undefined;
    return new Response("23456789", { status: 206, headers: { "content-range": "bytes 2-9/10" } });
  };
  await fetch();
  assert.equal(text("a.txt"), "0123456789");
  assert.equal(hub.requests[2]!.range, null);
});

withHub(
  "fetch throws away what comes with a wrong checksum, and gives up the second time",
  async ({ hub, fetch, text, folder, said }) => {
    hub.add("a.txt", "0123456789");
    hub.mischief = ({ time }) => time === 1 ? new Response("0123456780") : undefined;
    await fetch();
    assert.equal(text("a.txt"), "0123456789");
    assert(
      said.some((line) =>
        line.startsWith("a.txt: its checksum is not the hub's: it is fetched anew; attempt 2 of 3")
      ),
    );

    hub.add("b.txt", "0123456789", false);
    hub.mischief = () => new Response("9876543210");
    Deno.removeSync(join(folder, "listing.json"));
    assert.match(
      await refusal(fetch()),
      /^"b.txt" came twice with another checksum than the hub says: nothing/,
    );
    assert.deepEqual(named(join(folder, "files")), ["a.txt", "b.txt.partial"]);
    assert.equal(Deno.statSync(join(folder, "files/b.txt.partial")).size, 0);
  },
);

withHub("fetch stops taking in what is longer than the file", async ({ hub, fetch, text }) => {
  hub.add("a.txt", "0123456789");
  hub.mischief = ({ time }) => time === 1 ? new Response("0".repeat(1e6)) : undefined;
  await fetch();
  assert.equal(text("a.txt"), "0123456789");
});

withHub(
  "fetch ends where a server never gets to the end of a file, by too much or too little",
  async ({ hub, fetch, folder }) => {
    hub.add("a.txt", "0123456789");
    hub.mischief = () => new Response("0".repeat(1e6));
    assert.match(
      await refusal(fetch()),
      /^Cannot fetch a\.txt: more came than the file's 10 bytes: .*, 3 times in a row; /,
    );
    const whole = () => new Response("0123456789"); // and never a range
    hub.mischief = () => cutAfter(5, whole());
    assert.match(await refusal(fetch()), /^Cannot fetch a\.txt: .*, 3 times in a row; /);
    assert.deepEqual(named(join(folder, "files")), ["a.txt.partial"]);
  },
);

withHub("fetch waits as long as a busy server asks, and tries again", async ({ hub, fetch, text, said }) => {
  hub.add("a.txt", "text");
  const soon = new Date(Date.now() - 5000).toUTCString();
  hub.mischief = ({ time }) => {
    if (time === 1) return new Response(null, { status: 429, headers: { "retry-after": soon } });
    return time === 2 ? new Response(null, { status: 503, headers: { "retry-after": "9" } }) : undefined;
  };
  hub.apiMischief = (_, time) => time === 1 ? new Response(null, { status: 502 }) : undefined;
  await fetch();
  assert.equal(text("a.txt"), "text");
  assert(said.includes("a.txt: the server answered 503; attempt 3 of 3 in 1 s")); // of at most 0.1 s here
  assert(said.includes("the data set owner/texts: the server answered 502; attempt 2 of 3 in 1 s"));
});

withHub(
  "fetch gives up after some attempts that bring nothing, and keeps what has come",
  async ({ hub, fetch, folder, text }) => {
    hub.add("a.txt", "0123456789");
    hub.mischief = ({ time }, right) =>
      time === 1 ? cutAfter(4, right()) : new Response(null, { status: 500 });
    assert.equal(
      await refusal(fetch()),
      "Cannot fetch a.txt: the server answered 500, 3 times in a row; what has come is kept: " +
        "run the same command again later",
    );
    assert.equal(Deno.readTextFileSync(join(folder, "files/a.txt.partial")), "0123");
    hub.mischief = () => undefined;
    await fetch();
    assert.equal(hub.requests.at(-1)!.range, "bytes=4-");
    assert.equal(text("a.txt"), "0123456789");
  },
);

withHub("fetch takes silence for a lost connection", async ({ hub, fetch, text, said }) => {
  hub.add("a.txt", "0123456789");
  const silent = () =>
    new Response(new ReadableStream({ start: (one) => one.enqueue(new TextEncoder().encode("01")) }));
  hub.mischief = ({ time }) => time === 1 ? silent() : undefined;
  await fetch({}, { silence: 100 });
  assert.equal(text("a.txt"), "0123456789");
  assert(
    said.some((line) => line.startsWith("a.txt: nothing came for 0.1 s; attempt 2 of 3")),
    said.join("\n"),
  );
});

withHub(
  "fetch reads on what an earlier process left, and starts anew where that is wrong or too long",
  async ({ hub, fetch, folder, text }) => {
    Deno.mkdirSync(join(folder, "files"));
    for (
      const [name, left] of [["a", "01234"], ["b", "xxxxx"], ["c", "0123456789abc"], ["d", "0123456789"]]
    ) {
      hub.add(`${name}.txt`, "0123456789");
      Deno.writeTextFileSync(join(folder, `files/${name}.txt.partial`), left!);
    }
    await fetch({ parallel: 1 });
    for (const name of ["a", "b", "c", "d"]) assert.equal(text(`${name}.txt`), "0123456789", name);
    assert.deepEqual(hub.requests.map(({ path, range }) => [path[0], range]), [
      ["a", "bytes=5-"],
      ["b", "bytes=5-"],
      ["b", null],
      ["c", null],
    ]);
  },
);

withHub(
  "fetch stops when it is told to, keeps what has come, and goes on with the commit it began with",
  async ({ hub, fetch, folder, text }) => {
    hub.add("a.txt", "0123456789");
    hub.add("b.txt", "b");
    const stop = new AbortController();
    hub.mischief = ({ path }) => {
      if (path === "b.txt") return undefined;
      setTimeout(() => stop.abort(), 50);
      return new Response(
        new ReadableStream({ start: (one) => one.enqueue(new TextEncoder().encode("0123")) }),
      );
    };
    await assert.rejects(fetch({}, { stop: stop.signal }), (error) => {
      assert(error instanceof Interrupted);
      assert.equal(error.message, "Stopped at 5 B of 11 B: the same command goes on from there");
      return true;
    });
    assert.deepEqual(named(join(folder, "files")), ["a.txt.partial", "b.txt"]);
    hub.mischief = () => undefined;
    hub.commit = "f".repeat(40); // main has moved on
    const { commit } = await fetch();
    assert.equal(commit, COMMIT);
    assert.equal(text("a.txt"), "0123456789");
    assert.equal(hub.requests.filter(({ path }) => path === "b.txt").length, 1);
    assert.equal(hub.requests.at(-1)!.range, "bytes=4-");
  },
);

withHub(
  "fetch follows redirects to the hosts of the stage only, and gives the token to the endpoint only",
  async ({ hub, fetch, text }) => {
    await using cdn = new FakeHub();
    hub.add("a.txt", "text");
    cdn.add("blobs/1", "text");
    hub.mischief = () =>
      new Response(null, { status: 302, headers: { location: `${cdn.endpoint}/blobs/1?key=1` } });
    const host = new URL(cdn.endpoint).host;
    assert.equal(
      await refusal(fetch({}, { token: "secret" })),
      `Cannot fetch ${hub.endpoint}/datasets/owner/texts/resolve/${COMMIT}/a.txt: it is redirected to ${host}, which ` +
        `this stage may not reach; where you trust that host, add it: \`--host ${host}\`, or \`hosts: [${host}]\` in ` +
        "a pipeline file",
    );
    assert.equal(cdn.requests.length, 0);
    await fetch({ hosts: [host] }, { token: "secret" });
    assert.equal(text("a.txt"), "text");
    assert.equal(hub.requests.at(-1)!.authorization, "Bearer secret");
    assert.equal(cdn.requests.at(-1)!.authorization, null);
  },
);

withHub("fetch does not follow redirects for ever", async ({ hub, fetch }) => {
  hub.add("a.txt", "text");
  hub.mischief = () => new Response(null, { status: 307, headers: { location: "a.txt" } });
  assert.match(await refusal(fetch()), /a\.txt: more than 10 redirects$/);
});

withHub("fetch says why there is nothing to fetch", async ({ hub, fetch, folder }) => {
  hub.add("a.txt", "text");
  const { endpoint } = hub;
  assert.equal(
    await refusal(fetch({ dataset: "owner/txts" })),
    `Cannot fetch the data set owner/txts: there is no ${endpoint}/datasets/owner/txts: check the owner and the name`,
  );
  assert.match(await refusal(fetch({ revision: "v2" })), /: owner\/texts has no branch, tag or commit "v2"$/);
  const gated = (code?: string) => {
    hub.apiMischief = () =>
      new Response(null, { status: 401, headers: code ? { "x-error-code": code } : {} });
  };
  gated("GatedRepo");
  assert.match(await refusal(fetch()), /accept them at http.*\/datasets\/owner\/texts and set HF_TOKEN$/);
  assert.match(await refusal(fetch({}, { token: "t" })), /the account of HF_TOKEN may not read it/);
  gated();
  assert.match(await refusal(fetch()), /or it is private: check the name; for a private one set HF_TOKEN$/);
  assert.match(await refusal(fetch({}, { token: "t" })), /does not take the token in HF_TOKEN$/);
  hub.apiMischief = () => undefined;
  const gone = () => new Response(null, { status: 404, headers: { "x-error-code": "EntryNotFound" } });
  hub.mischief = gone;
  assert.match(
    await refusal(fetch()),
    /^Cannot fetch "a\.txt": the hub lists it and has it no more: .* --force$/,
  );
  await using cdn = new FakeHub();
  const host = new URL(cdn.endpoint).host;
  hub.mischief = () => new Response(null, { status: 302, headers: { location: `${cdn.endpoint}/x` } });
  cdn.mischief = () => new Response(null, { status: 403 });
  const message = await refusal(fetch({ hosts: [host] }));
  assert.equal(message, `Cannot fetch "a.txt": ${host}, where the hub keeps it, answered 403`);
  Deno.removeSync(join(folder, "listing.json"));
  hub.apiMischief = () => Response.json({ hello: 1 });
  assert.match(await refusal(fetch()), /does not answer as a hub does \(sha: .*\); check the endpoint$/);
  hub.apiMischief = () => new Response("<html>");
  assert.match(await refusal(fetch()), /: not valid JSON/);
});

withHub("fetch refuses names that would leave its folder", async ({ hub, fetch, folder }) => {
  for (const path of ["../x.txt", "a/../../x.txt", "/x.txt", "a\\x.txt", "a//x.txt"]) {
    hub.files.clear();
    hub.add(path, "x");
    assert.match(await refusal(fetch()), /^The hub lists a file with an unsafe name, "/, path);
  }
  assert.deepEqual(named(folder), []);
});

withHub("fetch looks first whether the files fit on the disk", async ({ hub, fetch, folder }) => {
  hub.add("a.txt", "text");
  hub.apiMischief = (path) =>
    path.includes("/tree/")
      ? Response.json([{ type: "file", path: "a.txt", size: 1e15, lfs: { oid: "0".repeat(64), size: 1e15 } }])
      : undefined;
  assert.match(
    await refusal(fetch()),
    /^1000 TB are to come and .* has .* free: free some space, or fetch a part/,
  );
  assert.deepEqual(named(folder), ["listing.json"]);
});

withHub("fetch says in a sentence that nobody answers", async ({ fetch }) => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  const message = await refusal(fetch({ endpoint: `http://127.0.0.1:${listener.addr.port}` }));
  assert.match(
    message,
    /^Cannot fetch the data set owner\/texts: .*[Cc]onnection refused.*, 3 times in a row; /,
  );
});

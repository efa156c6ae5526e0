/** Proves how a server is asked: with patience where that may help, with a sentence where it will not, and never twice. */
import assert from "node:assert/strict";
import { join } from "node:path";
import * as z from "zod";
import { Answers } from "../../../src/eval/generation/answers.ts";
import { collect } from "../../../src/eval/generation/collect.ts";
import { Unanswered } from "../../../src/eval/generation/server.ts";
import { Interrupted, UserError } from "../../../src/stage/errors.ts";
import { withFiles } from "../../support.ts";
import { after } from "./fake_server.ts";
import { anything, withServer } from "./surroundings.ts";

const number = z.object({ n: z.number() });
const status = (code: number, headers: Record<string, string> = {}, body = "") =>
  new Response(body, { status: code, headers });

withServer(
  "a request has model and key, and goes to the path below the endpoint",
  () => ({ n: 1 }),
  async (talk) => {
    assert.deepEqual(await talk.server("", "secret").ask("embeddings", { input: ["a"] }, number, talk.stop), {
      n: 1,
    });
    const [asked] = talk.fake.requests;
    assert.equal(asked!.path, "/v1/embeddings");
    assert.equal(asked!.authorization, "Bearer secret");
    assert.deepEqual(asked!.body, { model: "m", input: ["a"] });
    await talk.server().ask("embeddings", { input: ["b"] }, number, talk.stop);
    assert.equal(talk.fake.requests[1]!.authorization, null);
  },
);

withServer(
  "an equal request is answered from the file, another model's is not",
  () => ({ n: 1 }),
  async (talk) => {
    for (let i = 0; i < 3; i++) await talk.server().ask("x", { a: 1 }, number, talk.stop);
    assert.equal(talk.fake.requests.length, 1);
    await talk.server("key_env: OPENAI_API_KEY").ask("x", { a: 2 }, number, talk.stop);
    assert.equal(talk.fake.requests.length, 2);
  },
);

withServer(
  "a busy server is waited for as long as it asks",
  ({ time }) => time < 3 ? status(429, { "retry-after": time === 1 ? "0" : "1" }) : { n: 3 },
  async (talk) => {
    const began = performance.now();
    assert.deepEqual(await talk.server("attempts: 5").ask("x", {}, number, talk.stop), { n: 3 });
    assert.match(talk.lines[0]!, /: the server answered 429; attempt 2 of 5 in 1 s$/);
    // longestPause is 20 ms here, and a server is obeyed for at most five of them
    assert.ok(performance.now() - began >= 95, `${performance.now() - began} ms`);
  },
);

withServer(
  "an answer that does not come in time is asked for again, and then missing",
  ({ time }) => after(time < 3 ? 400 : 0, { n: time }),
  async (talk) => {
    assert.deepEqual(await talk.server("timeout: 0.1").ask("x", { a: 1 }, number, talk.stop), { n: 3 });
    assert.match(talk.lines[0]!, /: nothing came for 0\.1 s; attempt 2 of 3/);
    const refusal = talk.server("timeout: 0.1, attempts: 2").ask("x", { a: 2 }, number, talk.stop);
    await assert.rejects(refusal, {
      name: "Unanswered",
      message: "nothing came for 0.1 s, 2 times in a row",
    });
    await after(400, null); // the server's own timers
  },
);

withServer(
  "an answer that is no JSON, or not the protocol's, is asked for again, and then missing",
  ({ body }) => body.cut ? new Response('{"n": 1') : { n: "one" },
  async (talk) => {
    await assert.rejects(talk.server().ask("x", { cut: true }, number, talk.stop), {
      name: "Unanswered",
      message: "the answer is no JSON, 3 times in a row",
    });
    await assert.rejects(talk.server("attempts: 1").ask("x", { cut: false }, number, talk.stop), {
      name: "Unanswered",
      message: /^the answer is not what the protocol says \(n: .*expected number.*\), once$/,
    });
    assert.equal(talk.fake.requests.length, 4);
  },
);

withServer(
  "a refused key and a model that is not there end the stage at once, with what to do",
  ({ body }) => status(body.status, {}, JSON.stringify({ error: { message: "No\n way." } })),
  async (talk) => {
    const { endpoint } = talk.fake;
    const refusal = (status: number, more?: string) =>
      talk.server(more).ask("x", { status }, anything, talk.stop);
    await assert.rejects(refusal(401, "key_env: OPENAI_API_KEY"), {
      name: "UserError",
      message: `${endpoint} refuses the request (401: No way.): check the key in OPENAI_API_KEY`,
    });
    await assert.rejects(refusal(403), {
      name: "UserError",
      message:
        `${endpoint} refuses the request (403: No way.): name the variable that holds its key in key_env ` +
        "(OPENAI_API_KEY or FORETOKEN_API_KEY)",
    });
    await assert.rejects(refusal(404), {
      name: "UserError",
      message: `${endpoint}/x is not there for the model m (404: No way.): check endpoint and model`,
    });
    await assert.rejects(refusal(400), { name: "Unanswered", message: "the server answered 400: No way." });
    assert.equal(talk.fake.requests.length, 4);
  },
);

withServer(
  "a redirect is not followed",
  () => status(307, { location: "https://elsewhere.example/v1" }),
  async (talk) => {
    await assert.rejects(talk.server().ask("x", {}, anything, talk.stop), {
      name: "UserError",
      message:
        /sends requests on to https:\/\/elsewhere\.example\/v1: name that server as endpoint if you trust it$/,
    });
  },
);

withServer(
  "a key that a server echoes gets into no message, also not its beginning",
  ({ body, authorization }) => {
    const echo = `${" ".repeat(3)}${"x".repeat(body.before)} bad header: ${authorization}`;
    return body.status === 307
      ? status(307, { location: `https://elsewhere.example/?key=${encodeURIComponent("s/cret-key")}` })
      : status(body.status, {}, body.json ? JSON.stringify({ error: { message: echo } }) : echo);
  },
  async (talk) => {
    const ask = (request: object) =>
      talk.server("key_env: OPENAI_API_KEY", "s/cret-key").ask("x", request, anything, talk.stop);
    for (const json of [true, false]) {
      for (const code of [401, 403, 404, 400]) {
        await assert.rejects(ask({ status: code, json, before: 3 }), {
          message: new RegExp(`${code}: xxx bad header: Bearer \\*{3}`),
        });
      }
    }
    await assert.rejects(ask({ status: 401, before: 175 }), (error: Error) => !error.message.includes("s/c"));
    await assert.rejects(ask({ status: 307 }), { message: /elsewhere\.example\/\?key=\*\*\*: name/ });
  },
);

withServer("a server that is not there is missing after all attempts", () => null, async (talk) => {
  const server = talk.server("attempts: 2");
  await talk.fake[Symbol.asyncDispose]();
  await assert.rejects(server.ask("x", {}, anything, talk.stop), {
    name: "Unanswered",
    message: /[Cc]onnection refused.*, 2 times in a row$/,
  });
});

withServer("a stage that is stopped waits for no answer", () => after(300, null), async (talk) => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 20);
  await assert.rejects(talk.server().ask("x", {}, anything, controller.signal), Interrupted);
  await after(300, null);
});

withFiles("answers outlive a process, also one that was killed while it wrote", (folder) => {
  const path = join(folder, "answers.jsonl");
  {
    using answers = new Answers(path);
    answers.keep("a", "1", { n: 1 });
    answers.keep("a", "2", { n: 2 });
  }
  Deno.truncateSync(path, Deno.statSync(path).size - 5);
  for (let i = 0; i < 2; i++) {
    using answers = new Answers(path);
    assert.deepEqual(answers.find("a", "1"), { n: 1 });
    assert.equal(answers.find("a", "2"), i === 0 ? undefined : 3);
    assert.equal(answers.find("b", "1"), undefined);
    answers.keep("a", "2", 3);
  }
});

const io = { stop: new AbortController().signal, log: () => {}, progress: () => {} };
const judge = {
  endpoint: "http://127.0.0.1:1/v1",
  model: "m",
  timeout: 1,
  attempts: 1,
  parallel: 3,
  max_missing: 0.25,
};
const items = [0, 1, 2, 3, 4, 5, 6, 7];

Deno.test("collect() keeps the items' order, asks for some at a time, and leaves null where there is no answer", async () => {
  let [open, most] = [0, 0];
  const lines: string[] = [];
  const answers = await collect(
    "judge",
    items,
    judge,
    { ...io, log: (line) => void lines.push(line) },
    async (i) => {
      most = Math.max(most, ++open);
      await after(10 - i, null);
      open--;
      if (i === 2 || i === 5) throw new Unanswered("no");
      return i * 10;
    },
  );
  assert.deepEqual(answers, [0, 10, null, 30, 40, null, 60, 70]);
  assert.equal(most, 3);
  assert.deepEqual(lines, ["judge: 2 of 8 requests have no answer and no score"]);
});

Deno.test("collect() ends with a sentence as soon as more is missing than may be, and asks no more", async () => {
  let asked = 0;
  const all = collect("judge", items, judge, io, () => {
    asked++;
    return Promise.reject(new Unanswered("the server answered 500, 5 times in a row"));
  });
  await assert.rejects(all, {
    name: "UserError",
    message:
      "judge: 3 of 8 requests to http://127.0.0.1:1/v1 have no answer, which is more than max_missing (0.25) " +
      "lets pass; the last: the server answered 500, 5 times in a row. What was answered is kept: the same command " +
      "asks for the rest",
  });
  assert.ok(asked <= 5, `${asked} requests`);
});

Deno.test("collect() stops the others at an error that is about all of them, and tells that", async () => {
  const seen: boolean[] = [];
  const all = collect("judge", items, judge, io, async (i, stop) => {
    if (i === 1) throw new UserError("no key");
    await after(20, null);
    seen.push(stop.aborted);
  });
  await assert.rejects(all, { name: "UserError", message: "no key" });
  assert.deepEqual(seen, [true, true]);
});

Deno.test("collect() that is stopped gives nothing", async () => {
  await assert.rejects(
    collect("judge", items, judge, { ...io, stop: AbortSignal.abort() }, () => Promise.resolve(1)),
    {
      name: "Interrupted",
    },
  );
});

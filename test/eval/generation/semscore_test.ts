/** Proves SemScore: cosines of the embeddings that a server gives, each text asked for once. */
import assert from "node:assert/strict";
import { embed, semscore } from "../../../src/eval/generation/semscore.ts";
import { embeds, letters } from "./fake_server.ts";
import { withServer } from "./surroundings.ts";

withServer("SemScore is the cosine of two embeddings", embeds, async ({ server, io }) => {
  const [a, b] = ["a bad cab", "a cab"];
  const embeddings = await embed([a, b], server(), io);
  const [x, y] = [letters(a), letters(b)];
  const dot = (x: number[], y: number[]) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  assert.equal(semscore(a, b, embeddings), dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y)));
  assert.ok(Math.abs(semscore(a, a, embeddings)! - 1) < 1e-12);
});

withServer(
  "every text is asked for once, some at a time, and blank ones not at all",
  embeds,
  async (talk) => {
    const texts = Array.from({ length: 40 }, (_, i) => `text ${i % 20}`);
    const embeddings = await embed([...texts, "", " \n"], talk.server(), talk.io);
    assert.equal(embeddings.size, 20);
    assert.deepEqual(talk.fake.requests.map(({ body }) => body.input.length).sort(), [16, 4]);
    for (const { body, path } of talk.fake.requests) {
      assert.equal(path, "/v1/embeddings");
      assert.equal(body.encoding_format, "float");
    }
    assert.equal(semscore("", "text 1", embeddings), null);
  },
);

withServer(
  "a text whose embedding does not come has no score",
  (asked) => asked.body.input.includes("bad") ? new Response("too long", { status: 400 }) : embeds(asked),
  async (talk) => {
    const many = Array.from({ length: 16 }, (_, i) => `good ${i}`);
    const embeddings = await embed([...many, "bad"], talk.server("max_missing: 0.5"), talk.io);
    assert.equal(semscore("bad", "good 1", embeddings), null);
    assert.notEqual(semscore("good 2", "good 1", embeddings), null);
    assert.deepEqual(talk.lines, ["SemScore: 1 of 2 requests have no answer and no score"]);
  },
);

withServer(
  "fewer embeddings than texts are no answer",
  () => ({ data: [{ index: 0, embedding: [1] }] }),
  async (talk) => {
    await assert.rejects(embed(["a", "b"], talk.server(), talk.io), {
      name: "UserError",
      message:
        /^SemScore: 1 of 1 requests to .* have no answer.*the answer is not what the protocol says \(data: /,
    });
  },
);

Deno.test("embeddings of nothing, or of different sizes, have no cosine", () => {
  const embeddings = new Map([["zero", [0, 0]], ["two", [1, 2]], ["three", [1, 2, 3]]]);
  assert.equal(semscore("zero", "two", embeddings), null);
  assert.equal(semscore("three", "two", embeddings), null);
  assert.equal(semscore("two", "two", embeddings), 1);
});

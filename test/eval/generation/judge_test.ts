/** Proves what a judge's answers become: scores by G-Eval's rule, comparisons in both orders, and nothing made up. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { compare, type Outcome, summarizeOutcomes } from "../../../src/eval/generation/compare.ts";
import { CRITERIA, score, scoreIn, scoringOf } from "../../../src/eval/generation/judge.ts";
import { partOf, says, saysProbably } from "./fake_server.ts";
import { judgeAt, withServer } from "./surroundings.ts";

const ITEM = { beginning: "Once there was {{name}} a cat.", continuation: " It sat on $& the mat." };
const weighted = { scoring: "logprobs", samples: 1 } as const;
const sampled = (samples: number) => ({ scoring: "samples", samples } as const);
const near = (value: number, expected: number) => assert.ok(Math.abs(value - expected) < 1e-12, `${value}`);

withServer(
  "a score is the mean of the scale weighted with the tokens' probabilities",
  () => saysProbably({ "4": 0.5, " 5": 0.2, "3": 0.1, "Good": 0.15, "9": 0.05 }),
  async ({ server, stop, fake }) => {
    near(await score(ITEM, "coherence", weighted, server(), stop), (4 * 0.5 + 5 * 0.2 + 3 * 0.1) / 0.8);
    const [{ body }] = fake.requests as [typeof fake.requests[0]];
    assert.deepEqual([body.temperature, body.logprobs, body.top_logprobs], [0, true, 20]);
    const text = body.messages[1].content;
    assert.match(text, /^coherence \(1 to 5\): whether the continuation follows/m);
    assert.match(text, /^1\. Read the beginning[\s\S]*^3\. Give a score/m);
    assert.equal(partOf(fake.requests[0]!, "beginning"), ITEM.beginning); // braces and dollars are text
    assert.equal(partOf(fake.requests[0]!, "continuation"), ITEM.continuation);
    assert.ok(text.endsWith("\n- coherence:"));
  },
);

withServer(
  "a judge whose probability is mostly outside the scale gives no score",
  () => saysProbably({ "7": 0.6, "4": 0.4 }),
  async ({ server, stop }) => {
    await assert.rejects(score(ITEM, "grammar", weighted, server(), stop), {
      name: "Unanswered",
      message: 'the judge gave no score from 1 to 5 but "7"',
    });
  },
);

withServer(
  "without probabilities a score is the mean of several answers, however many come at a time",
  ({ body }) =>
    body.seed === undefined
      ? { choices: ["4", "5", "Score: 3"].map((content) => ({ message: { content } })) }
      : says("2"),
  async ({ server, stop, fake }) => {
    assert.equal(await score(ITEM, "fluency", sampled(3), server(), stop), 4);
    assert.equal(fake.requests.length, 1);
    near(await score(ITEM, "fluency", sampled(5), server(), stop), (4 + 5 + 3 + 2 + 2) / 5);
    assert.deepEqual(fake.requests.map(({ body }) => [body.n, body.seed, body.temperature]), [
      [3, undefined, 1],
      [5, undefined, 1],
      [2, 3, 1],
      [1, 4, 1],
    ]);
  },
);

withServer(
  "answers outside the scale do not count, and mostly such answers are no score",
  ({ body }) =>
    body.model === "m" && body.n === 4
      ? { choices: ["6", "5", "0", "4"].map((content) => ({ message: { content } })) }
      : says("It is excellent, 10/10", 5),
  async ({ server, stop }) => {
    assert.equal(await score(ITEM, "fluency", sampled(4), server(), stop), 4.5);
    await assert.rejects(score(ITEM, "fluency", sampled(5), server(), stop), {
      name: "Unanswered",
      message: 'the judge gave no score from 1 to 5 but "It is excellent, 10/10"',
    });
  },
);

Deno.test("scoreIn() reads a whole number of the scale and nothing else", () => {
  for (
    const [answer, value] of [["4", 4], [" 5", 5], ["Score: 3", 3], ["2/5", 2], ["1.", 1], [
      "- fluency: 4\n",
      4,
    ]] as const
  ) {
    assert.equal(scoreIn(answer), value, answer);
  }
  for (const answer of ["", "good", "0", "6", "45", "4.5", "4,5", "-3", "3%", "10/10", "five", "٣"]) {
    assert.equal(scoreIn(answer), undefined, answer);
  }
});

withServer(
  "the way of scoring is the server's own: weighted where it gives probabilities, else several answers",
  ({ body }) => {
    if (body.model === "plain") return says("4");
    if (body.model === "strict") {
      return body.logprobs ? new Response("no logprobs", { status: 400 }) : says("4");
    }
    return saysProbably({ "4": 1 });
  },
  async ({ server, stop, fake }) => {
    const way = (more: string) => {
      const asking = server(more);
      return scoringOf(judgeAt(fake.endpoint, more), ITEM, asking, stop);
    };
    assert.equal(await way(""), "logprobs");
    assert.equal(await way("scoring: samples"), "samples");
    const as = (model: string) => ({ ...judgeAt(fake.endpoint), model });
    for (const model of ["plain", "strict"]) {
      const asking = server();
      Object.assign(asking, { config: as(model) });
      assert.equal(await scoringOf(as(model), ITEM, asking, stop), "samples", model);
    }
  },
);

withServer(
  "a judge that does not answer at all ends the stage with a sentence",
  () => new Response(null, { status: 503 }),
  async ({ server, stop, fake }) => {
    await assert.rejects(scoringOf(judgeAt(fake.endpoint), ITEM, server(), stop), {
      name: "UserError",
      message: `The judge at ${fake.endpoint} does not answer: the server answered 503, 3 times in a row`,
    });
  },
);

Deno.test("the criteria are those that the report shows", () => {
  assert.deepEqual(CRITERIA, ["fluency", "coherence", "grammar"]);
});

const GOOD = "good", BAD = "bad";

withServer(
  "a judge that sees quality gives a win or a loss, whatever the order",
  (asked) => says(partOf(asked, "continuation A") === GOOD ? "A" : " b."),
  async ({ server, stop, fake }) => {
    assert.equal(await compare("x", GOOD, BAD, server(), stop), "win");
    assert.equal(await compare("x", BAD, GOOD, server(), stop), "loss");
    const orders = fake.requests.map((
      asked,
    ) => [partOf(asked, "continuation A"), partOf(asked, "continuation B")]);
    assert.deepEqual(orders, [[GOOD, BAD], [BAD, GOOD]]); // the second question's answers are the first's, in the file
    for (const { body } of fake.requests) assert.doesNotMatch(JSON.stringify(body), /arm|ntp|forward/);
  },
);

for (const letter of ["A", "B"]) {
  withServer(
    `a judge that always prefers ${letter} gives ties`,
    () => says(letter),
    async ({ server, stop }) => {
      assert.equal(await compare("x", GOOD, BAD, server(), stop), "inconsistent");
    },
  );
}

withServer("a judge that finds both equally good gives a tie", () => says("C"), async ({ server, stop }) => {
  assert.equal(await compare("x", GOOD, BAD, server(), stop), "tie");
});

withServer(
  "a judge that says something else gives nothing",
  () => says("A good question: B"),
  async ({ server, stop }) => {
    await assert.rejects(compare("x", GOOD, BAD, server(), stop), {
      name: "Unanswered",
      message: 'the judge answered none of A, B and C but "A good question: B"',
    });
  },
);

Deno.test("summarizeOutcomes() counts half of each tie as won, and leaves out what is missing", () => {
  const summary = summarizeOutcomes(["win", "win", "win", "loss", "tie", "inconsistent", null]);
  const { win_rate, interval, ...counts } = summary;
  assert.deepEqual(counts, { wins: 3, losses: 1, ties: 2, inconsistent: 1, missing: 1 });
  assert.equal(win_rate, 4 / 6);
  // Wilson's interval of 4 of 6, as R's prop.test(4, 6, correct = FALSE) gives it
  assert.ok(
    Math.abs(interval![0] - 0.2999933) < 1e-4 && Math.abs(interval![1] - 0.9032322) < 1e-4,
    `${interval}`,
  );
});

Deno.test("summarizeOutcomes() of nothing has no rate, and every interval holds its rate", () => {
  assert.deepEqual(summarizeOutcomes([null]).win_rate, null);
  assert.deepEqual(summarizeOutcomes([]).interval, null);
  const outcomes = fc.array(fc.constantFrom<Outcome>("win", "loss", "tie", "inconsistent"), {
    minLength: 1,
    maxLength: 50,
  });
  fc.assert(fc.property(outcomes, (list) => {
    const { win_rate, interval } = summarizeOutcomes(list);
    const [low, high] = interval!;
    assert.ok(0 <= low && low <= win_rate! + 1e-12 && win_rate! <= high + 1e-12 && high <= 1);
  }));
});

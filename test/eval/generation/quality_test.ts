/** Proves what an eval stage writes about its arms' text, with servers and without, as a whole stage and bound as one. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { EvalConfig } from "../../../src/config/schema.ts";
import { openShardSet } from "../../../src/data/shards.ts";
import { decode } from "../../../src/decode/engine.ts";
import { PLAIN } from "../../../src/decode/settings.ts";
import { distinct, repeated } from "../../../src/decode/repetition.ts";
import { textOf as textBy } from "../../../src/decode/text.ts";
import { run as evaluate } from "../../../src/eval/eval.ts";
import { bleu, bleuCounts } from "../../../src/eval/generation/bleu.ts";
import { cutExcerpts } from "../../../src/eval/generation/continuations.ts";
import type { Generation } from "../../../src/eval/generation/quality.ts";
import { rougeL } from "../../../src/eval/generation/rouge.ts";
import { semscore } from "../../../src/eval/generation/semscore.ts";
import { accessOf, denoFlags, launcherOptions } from "../../../src/pipeline/permissions.ts";
import { environmentFor, findPlaces } from "../../../src/pipeline/start.ts";
import { Interrupted } from "../../../src/stage/errors.ts";
import { byteTokenizer } from "../../../src/text/tokenizer.ts";
import { openArm } from "../../../src/train/arm.ts";
import { launch } from "../../pipeline/launcher.ts";
import {
  armOf,
  configs,
  ioFor,
  makeText,
  readJson,
  textOf,
  trainArm,
  withRuns,
} from "../../train/fixture.ts";
import { type Asked, embeds, FakeServer, partOf, says, saysProbably } from "./fake_server.ts";

const SIZES = { prompts: 6, prompt_bytes: 6, new_bytes: 9 };

/** Text and two arms, which write words only after some 100 steps, and spaces before. */
async function makeRun(folder: string, steps = 12): Promise<void> {
  await makeText(folder);
  const quick = [`arm.train.steps=${steps}`, "arm.train.lr=0.02"];
  await trainArm(folder, configs(...quick, "arm.curriculum=mtp").arm);
  const { arm } = configs(...quick, "arm.model.heads.count=1", "arm.curriculum=ntp");
  await trainArm(folder, { ...arm, id: "ntp" });
}

function scoresWith(generation: string, prompts = SIZES.prompts): EvalConfig {
  const sizes = `prompts: ${prompts}, prompt_bytes: ${SIZES.prompt_bytes}, new_bytes: ${SIZES.new_bytes}`;
  return configs("scores.tokens=50", `scores.generation={ ${sizes}, ${generation} }`).scores;
}

async function evaluated(
  folder: string,
  generation: string,
  prompts = SIZES.prompts,
): Promise<{ generation: Generation; lines: string[] }> {
  const io = ioFor(folder, "scores", { needs: [textOf(folder), armOf(folder, "ntp"), armOf(folder)] });
  await evaluate(scoresWith(generation, prompts), io);
  const file = readJson(join(folder, "scores/eval.json")) as unknown as { generation: Generation };
  return { generation: file.generation, lines: io.lines };
}

const outputOf = ({ arms }: Generation, id: string, kind: string) =>
  arms.find((arm) => arm.id === id)!.outputs.find((output) => output.kind === kind)!;

withRuns(
  "eval measures what each arm writes, greedily and sampled, against what follows there",
  async (folder) => {
    await makeRun(folder);
    const { generation, lines } = await evaluated(folder, "sampled: { temperature: 1, top_k: 40 }");
    assert.deepEqual([generation.prompts, generation.new_bytes], [6, 9]);
    assert.deepEqual(generation.sampled, {
      temperature: 1,
      top_k: 40,
      top_p: 1,
      min_p: 0,
      repetition_penalty: 1,
    });
    assert.equal(generation.semscore, null);
    assert.equal(generation.judge, null);
    assert.deepEqual(generation.arms.map(({ id, outputs }) => [id, outputs.map(({ kind }) => kind)]), [
      ["ntp", ["greedy", "sampled"]],
      ["arm", ["greedy", "sampled"]],
    ]);

    using arm = openArm(armOf(folder), "cpu");
    const tokenizer = byteTokenizer();
    const excerpts = cutExcerpts(openShardSet(join(folder, "text")), "val", tokenizer, SIZES);
    using decoder = arm.model.decoder();
    const requests = excerpts.map(({ prompt }) => ({ prompt, newTokens: 9, stop: new Set([tokenizer.end]) }));
    const texts = decode(decoder, requests, PLAIN).map(({ tokens }) => textBy(tokens, tokenizer));
    assert.ok(texts.some((text) => text.trim() !== ""));
    const { figures } = outputOf(generation, "arm", "greedy");
    const counts = texts.map((text, i) => bleuCounts(text, excerpts[i]!.reference));
    assert.equal(figures.bleu!.value, bleu(counts));
    const rouges = texts.map((text, i) => rougeL(text, excerpts[i]!.reference));
    assert.ok(Math.abs(figures.rouge_l!.value! - rouges.reduce((sum, one) => sum + one, 0) / 6) < 1e-12);
    assert.equal(figures.rep_2!.value, repeated(texts, 2));
    assert.equal(figures.distinct_1!.value, distinct(texts, 1));
    for (const { items, missing } of Object.values(figures)) assert.deepEqual([items, missing], [6, 0]);
    assert.deepEqual(generation.samples[0], {
      prompt: excerpts[0]!.promptText,
      reference: excerpts[0]!.reference,
      texts: generation.samples[0]!.texts,
    });
    assert.ok(
      generation.samples[0]!.texts.some(({ arm, kind, text }) =>
        arm === "arm" && kind === "greedy" && text === texts[0]
      ),
    );
    assert.equal(
      generation.reference.distinct_1!.value,
      distinct(excerpts.map(({ reference }) => reference), 1),
    );
    assert.match(lines[1]!, /^ntp, greedy: BLEU \d+\.\d\d, ROUGE-L \d\.\d{3}, rep-4 /);

    const again = await evaluated(folder, "sampled: { temperature: 1, top_k: 40 }");
    assert.deepEqual(again.generation, generation, "the same seed draws the same text");
  },
);

/** A judge that likes long words, and a server of embeddings; some answers do not come. */
function answering(asked: Asked): unknown {
  if (asked.path.endsWith("/embeddings")) return embeds(asked);
  const text: string = asked.body.messages[1].content;
  if (text.includes("<continuation A>")) {
    return says(partOf(asked, "continuation A") === partOf(asked, "continuation B") ? "C" : "A");
  }
  return saysProbably({ "2": 0.5, "4": 0.5 });
}

withRuns("eval asks SemScore's server and the judge, and says who they were", async (folder) => {
  await makeRun(folder);
  await using fake = new FakeServer(answering);
  const server = `{ endpoint: '${fake.endpoint}', model: big }`;
  const { generation, lines } = await evaluated(folder, `semscore: ${server}, judge: ${server}`);
  const host = `127.0.0.1:${fake.port}`;
  assert.deepEqual(generation.semscore, { model: "big", host });
  const { prompts_sha256, ...judge } = generation.judge!;
  assert.deepEqual(judge, { model: "big", host, scoring: "logprobs", samples: null });
  assert.match(prompts_sha256, /^[0-9a-f]{64}$/);
  for (const { outputs } of generation.arms) {
    for (const { figures, empty } of outputs) {
      assert.ok(Math.abs(figures.judge_grammar!.value! - 3) < 1e-12);
      assert.equal(figures.judge_grammar!.standard_error! < 1e-9, true);
      const { value, items, missing } = figures.semscore!;
      assert.deepEqual([items, missing], [6 - empty, empty]); // an empty text has no embedding
      assert.ok(items === 0 ? value === null : value! > 0 && value! <= 1, `${value}`);
    }
  }
  // Who always prefers the first place says nothing of the arms.
  assert.deepEqual(generation.comparisons.map(({ arm, against, kind }) => [arm, against, kind]), [
    ["arm", "ntp", "greedy"],
    ["arm", "ntp", "sampled"],
  ]);
  for (const { wins, losses, ties, win_rate } of generation.comparisons) {
    assert.deepEqual([wins, losses, ties, win_rate], [0, 0, 6, 0.5]);
  }
  const line = lines.find((line) => line.startsWith("arm, sampled: "))!;
  assert.match(
    line,
    /semscore \d\.\d{3}, judge fluency 3\.000, judge coherence 3\.000, judge grammar 3\.000$/,
  );

  const asked = fake.requests.length;
  const again = await evaluated(folder, `semscore: ${server}, judge: ${server}`);
  assert.equal(fake.requests.length, asked, "what was answered is not asked for again");
  assert.deepEqual(again.generation, generation);
});

/** A judge by the text alone: in pairs the heavier is better, and the score repeats with every fifth weight. */
function byWeight(asked: Asked): unknown {
  if (asked.path.endsWith("/embeddings")) return embedsAll(asked);
  if (asked.body.messages[1].content.includes("<continuation A>")) {
    const [a, b] = ["continuation A", "continuation B"].map((name) => weight(partOf(asked, name)));
    return says(a! > b! ? "A" : a! < b! ? "B" : "C");
  }
  return saysProbably({ [scoreOf(partOf(asked, "continuation"))]: 1 });
}

/** Not the length, which is nearly the same for all continuations. */
const weight = (text: string) => [...text].reduce((sum, character) => sum + character.charCodeAt(0), 0);

const scoreOf = (text: string) => 1 + weight(text) % 5;

/** Characters counted by their codes: texts that differ hardly ever have equal embeddings. */
function codes(text: string): number[] {
  const counts = new Array<number>(16).fill(0);
  for (const character of text) counts[character.charCodeAt(0) % 16]!++;
  return counts;
}

const embedsAll = ({ body }: Asked) => ({
  data: body.input.map((text: string, index: number) => ({ index, embedding: codes(text) })),
});

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

withRuns(
  "eval gives each arm the scores of its own texts, against each prompt's reference",
  async (folder) => {
    await makeRun(folder, 60);
    await using fake = new FakeServer(byWeight);
    const server = `{ endpoint: '${fake.endpoint}', model: big }`;
    const { generation } = await evaluated(folder, `semscore: ${server}, judge: ${server}`, 5);
    const { samples } = generation;
    assert.equal(samples.length, 5, "all that was written is shown");
    const textsOf = (id: string, kind: string) =>
      samples.map(({ texts }) => texts.find((text) => text.arm === id && text.kind === kind)!.text);
    const cosine = (text: string, reference: string) => {
      const map = new Map([text, reference].map((text) => [text, codes(text)]));
      return semscore(text, reference, map);
    };
    for (const { id, outputs } of generation.arms) {
      for (const { kind, figures } of outputs) {
        const texts = textsOf(id, kind);
        const close = (name: string, expected: number) => {
          const { value } = figures[name]!;
          assert.ok(Math.abs(value! - expected) < 1e-9, `${id} ${kind} ${name}: ${value}, not ${expected}`);
        };
        for (const name of ["fluency", "coherence", "grammar"]) {
          close(`judge_${name}`, meanOf(texts.map(scoreOf)));
        }
        const filled = texts.flatMap((text, i) => text.trim() ? [cosine(text, samples[i]!.reference)!] : []);
        assert.equal(figures.semscore!.items, filled.length);
        if (filled.length > 0) close("semscore", meanOf(filled));
      }
    }
    const scores = generation.arms.flatMap(({ outputs }) =>
      outputs.map(({ figures }) => figures.judge_grammar!.value)
    );
    assert.notDeepEqual(scores, scores.toReversed(), "arms that cannot be told apart prove nothing");
    let decided = 0;
    for (const { arm, against, kind, wins, losses, ties } of generation.comparisons) {
      const other = textsOf(against, kind);
      const heavier = textsOf(arm, kind).map((text, i) => Math.sign(weight(text) - weight(other[i]!)));
      const expected = [1, -1, 0].map((sign) => heavier.filter((one) => one === sign).length);
      assert.deepEqual([wins, losses, ties], expected, `${arm} against ${against}, ${kind}`);
      decided += Math.abs(wins - losses);
    }
    assert.ok(decided > 0, "arms that win as often as they lose prove nothing");
  },
);

withRuns("eval counts what a judge does not answer, and measures the rest", async (folder) => {
  await makeRun(folder);
  let grammar = 0;
  await using fake = new FakeServer((asked) => {
    const text: string = asked.body.messages[1].content;
    if (text.endsWith("grammar:") && ++grammar === 2) return new Response("bad", { status: 400 });
    return says(text.endsWith("fluency:") ? "9" : "4", asked.body.n);
  });
  const judge = (more: string) =>
    `sampled: false, judge: { endpoint: '${fake.endpoint}', model: m, pairwise: false, ${more} }`;
  const { generation, lines } = await evaluated(folder, judge("samples: 2, max_missing: 0.5"));
  assert.equal(generation.judge!.scoring, "samples");
  assert.equal(generation.judge!.samples, 2);
  const figures = generation.arms.map(({ outputs }) => outputs[0]!.figures);
  for (const { judge_fluency, judge_coherence } of figures) {
    assert.deepEqual(judge_fluency, { value: null, standard_error: null, items: 0, missing: 6 });
    assert.deepEqual(judge_coherence, { value: 4, standard_error: 0, items: 6, missing: 0 });
  }
  const missing = figures.map(({ judge_grammar }) => judge_grammar!.missing);
  assert.equal(missing.reduce((a, b) => a + b), 1);
  assert.ok(lines.includes("judge: 13 of 36 requests have no answer and no score"), lines.join("\n"));
  await assert.rejects(evaluated(folder, judge("samples: 3")), {
    name: "UserError",
    message:
      /^judge: \d of 36 requests to .* no answer, which is more than max_missing \(0\.1\) lets pass; .*"9"/,
  });
});

withRuns("eval that is stopped while an arm writes leaves no results", async (folder) => {
  await makeRun(folder);
  const needs = [textOf(folder), armOf(folder)];
  const io = ioFor(folder, "scores", { needs, stop: AbortSignal.abort() });
  await assert.rejects(evaluate(scoresWith(""), io), Interrupted);
  assert.deepEqual([...Deno.readDirSync(join(folder, "scores"))], []);
});

const mayListen = Deno.permissions.querySync({ name: "net", host: "127.0.0.1" }).state === "granted";

/**
 * Runs the eval stage as the runner does: behind the launcher, with the stage's own flags and environment.
 *
 * @param asked What the process reads in its folder, where that is another config than it is bound to.
 */
async function runBound(folder: string, config: EvalConfig, own: Record<string, string>, asked = config) {
  const places = findPlaces(folder);
  const access = accessOf(config, places);
  const needs = config.needs.map((id) => ({ id, run: id === "text" ? "prepare" : "train" }));
  const stage = { id: config.id, run: "eval", config: asked, needs, version: 1, fingerprint: "" };
  Deno.mkdirSync(join(folder, config.id), { recursive: true });
  Deno.writeTextFileSync(join(folder, config.id, "stage.json"), JSON.stringify(stage));
  const deno = [places.deno, "run", ...denoFlags(access, places), "src/stage.ts", folder, config.id];
  const options = launcherOptions(access, places);
  const ended = await launch([...options, "--", ...deno], environmentFor(config, own));
  return { ...ended, error: readJson(join(folder, config.id, "status.json")).error };
}

if (mayListen) {
  withRuns("a bound eval stage reaches its judge with its key, and no other server", async (folder) => {
    await makeRun(folder);
    await using fake = new FakeServer(answering);
    await using elsewhere = new FakeServer(answering);
    const judgeAt = (endpoint: string) =>
      scoresWith(`judge: { endpoint: '${endpoint}', model: big, key_env: OPENAI_API_KEY }`);
    const config = judgeAt(fake.endpoint);
    const own = { OPENAI_API_KEY: "secret", FORETOKEN_API_KEY: "other" };

    const { code, stderr } = await runBound(folder, config, own);
    assert.equal(code, 0, stderr);
    assert.ok(fake.requests.length > 0);
    assert.ok(fake.requests.every(({ authorization }) => authorization === "Bearer secret"));
    const { generation } = readJson(join(folder, "scores/eval.json")) as unknown as {
      generation: Generation;
    };
    assert.equal(generation.judge!.model, "big");
    for (const { name } of Deno.readDirSync(join(folder, "scores"))) {
      assert.ok(
        !Deno.readTextFileSync(join(folder, "scores", name)).includes("secret"),
        `the key is in ${name}`,
      );
    }

    const keyless = await runBound(folder, config, {});
    assert.equal(keyless.code, 1);
    assert.equal(
      keyless.error,
      `generation.judge.key_env names OPENAI_API_KEY, which is not set: set it to the key of ${fake.endpoint}, or ` +
        "leave key_env out for a server without keys",
    );

    const astray = await runBound(folder, config, own, judgeAt(elsewhere.endpoint));
    assert.equal(astray.code, 1);
    assert.match(String(astray.error), /^NotCapable: Requires net access/);
    assert.equal(elsewhere.requests.length, 0);
  });
}

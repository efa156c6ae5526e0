/** Proves the decode stage end to end: what it writes, that its figures fit each other, and what it refuses. */
import assert from "node:assert/strict";
import { join } from "node:path";
import * as z from "zod";
import type { DecodeConfig, TrainConfig } from "../../src/config/schema.ts";
import { run as decode } from "../../src/decode/decode.ts";
import { Interrupted } from "../../src/stage/errors.ts";
import { tinyTokenizer, writeSubwordSet } from "../data/subword_set.ts";
import { armOf, configs, ioFor, makeText, readJson, textOf, trainArm, withRuns } from "../train/fixture.ts";

const count = z.int().min(0);
const rates = {
  kernels: z.enum(["rows", "aten"]),
  prompts: count,
  tokens: count,
  forwards: count,
  seconds: z.number().gt(0),
  tokens_per_s: z.number().gt(0),
  tokens_per_forward: z.number().min(1),
};

/** decode.json, with no key more or less. */
const schema = z.strictObject({
  mode: z.enum(["strict", "exact"]),
  tolerance: z.number(),
  prompt_bytes: count,
  new_tokens: count,
  repeats: count,
  batch: z.literal(1),
  machine: z.strictObject({ cpus: count, threads: count, device: z.string() }),
  arms: z.array(z.strictObject({
    id: z.string(),
    curriculum: z.string(),
    heads: count,
    prompts: count,
    plain: z.strictObject(rates),
    other_plain: z.nullable(z.strictObject(rates)),
    speculative: z.nullable(z.strictObject({
      ...rates,
      speedup: z.number().gt(0),
      by_heads: z.array(z.strictObject({
        heads: count,
        tokens_per_s: z.number().gt(0),
        tokens_per_forward: z.number().min(1),
        speedup: z.number().gt(0),
      })),
      acceptance: z.array(z.strictObject({
        depth: count,
        proposed: count,
        accepted: count,
        conditional: z.number().min(0).max(1),
        cumulative: z.number().min(0).max(1),
      })),
    })),
    equal: z.nullable(z.strictObject({
      identical: count,
      ties: count,
      different: count,
      first_differences: z.array(z.strictObject({ prompt: count, at: count, gap: z.number().min(0) })),
    })),
    bytes_per_token: z.number(),
    repetition: z.strictObject({ rep_4: z.number(), distinct_2: z.number() }),
    samples: z.array(z.strictObject({
      prompt: z.string(),
      text: z.string(),
      drafted: z.array(z.tuple([count, count])),
    })),
  })),
});

/** Runs the stage over some arms; returns what it wrote, and its log. */
async function decodeArms(folder: string, ids: readonly string[], changes: Partial<DecodeConfig> = {}) {
  const io = ioFor(folder, "speed", { needs: [textOf(folder), ...ids.map((id) => armOf(folder, id))] });
  await decode({ ...configs().speed, ...changes }, io);
  return { file: schema.parse(readJson(join(folder, "speed/decode.json"))), lines: io.lines };
}

/** A text that a tiny model learns in a moment, and arms that did; `ntp` has one head. */
async function makeArms(folder: string): Promise<void> {
  await makeText(folder, "the cat sat on the mat. ".repeat(60));
  const easy: TrainConfig = configs("arm.train.steps=100", "arm.train.lr=0.02", "arm.curriculum=mtp").arm;
  await trainArm(folder, easy);
  const model = { ...easy.model, heads: { kind: "linear" as const, count: 1 } };
  await trainArm(folder, { ...easy, id: "ntp", model, curriculum: "ntp" });
}

withRuns(
  "decode writes figures that fit each other, for arms with heads to draft and without",
  async (folder) => {
    await makeArms(folder);
    const { file, lines } = await decodeArms(folder, ["ntp", "arm"]);
    const { arms: [ntp, arm], ...rest } = file;
    assert.deepEqual(rest, {
      mode: "strict",
      tolerance: 0,
      prompt_bytes: 5,
      new_tokens: 8,
      repeats: 1,
      batch: 1,
      machine: { cpus: navigator.hardwareConcurrency, threads: 1, device: "cpu" },
    });
    assert.deepEqual([ntp!.id, ntp!.curriculum, ntp!.heads, ntp!.prompts], ["ntp", "ntp", 1, 3]);
    assert.deepEqual([ntp!.speculative, ntp!.equal], [null, null]);
    assert.match(lines[1]!, /^ntp: plain [\d,]+ tokens\/s$/);

    const { plain, equal, samples } = arm!;
    const speculative = arm!.speculative!;
    assert.deepEqual(equal, { identical: 3, ties: 0, different: 0, first_differences: [] });
    assert.equal(plain.tokens, 3 * 8);
    assert.equal(plain.forwards, plain.tokens - 3);
    assert.equal(plain.tokens_per_forward, 1);
    assert.equal(speculative.tokens, plain.tokens);
    const accepted = speculative.acceptance.reduce((sum, depth) => sum + depth.accepted, 0);
    assert.equal(speculative.tokens, 3 + speculative.forwards + accepted);
    assert.equal(speculative.tokens_per_forward, (speculative.tokens - 3) / speculative.forwards);
    assert.ok(
      speculative.tokens_per_forward > 1.5,
      `${speculative.tokens_per_forward} tokens a forward pass`,
    );
    const other = arm!.other_plain!;
    assert.deepEqual([plain.kernels, speculative.kernels, other.kernels], ["rows", "rows", "aten"]);
    const best = Math.max(plain.tokens_per_s, other.tokens_per_s);
    assert.ok(Math.abs(speculative.speedup - speculative.tokens_per_s / best) < 1e-9);
    assert.deepEqual(speculative.by_heads.map(({ heads }) => heads), [2, 3]);
    const [two, three] = speculative.by_heads;
    assert.ok(two!.tokens_per_forward > 1 && two!.tokens_per_forward <= 2);
    assert.equal(three!.tokens_per_forward, speculative.tokens_per_forward);
    assert.equal(three!.speedup, speculative.speedup);
    assert.match(
      lines[2]!,
      /^arm: plain .*; speculative \d\.\d\d tokens a forward pass, .*; outputs: 3 identical, 0 ties/,
    );

    assert.deepEqual(speculative.acceptance.map(({ depth }) => depth), [2, 3]);
    let cumulative = 1;
    for (const depth of speculative.acceptance) {
      assert.equal(depth.conditional, depth.accepted / depth.proposed);
      assert.equal(depth.cumulative, cumulative *= depth.conditional);
    }
    assert.equal(samples.length, 3);
    for (const { prompt, text, drafted } of samples) {
      assert.equal(prompt.length, 5);
      assert.equal(text.length, 8);
      assert.ok(drafted.every(([from, to], i) => from < to && to <= 8 && from > (drafted[i - 1]?.[1] ?? -1)));
    }
    const draftedBytes = samples.flatMap(({ drafted }) => drafted).reduce(
      (sum, [from, to]) => sum + to - from,
      0,
    );
    assert.equal(draftedBytes, accepted); // one byte a token, and all prompts are among the samples
  },
);

withRuns(
  "decode in exact mode names the tolerance below which a difference is a tie, and finds nothing worse",
  async (folder) => {
    await makeArms(folder);
    const { file } = await decodeArms(
      folder,
      ["arm"],
      { mode: "exact", tolerance: 1e-3, repeats: 2 },
    );
    assert.deepEqual([file.mode, file.tolerance], ["exact", 0.001]);
    const { identical, ties, different } = file.arms[0]!.equal!;
    assert.deepEqual([identical + ties, different], [3, 0]);
  },
);

withRuns(
  "decode refuses what does not fit the context or the text, and says what to lower",
  async (folder) => {
    await makeText(folder);
    await trainArm(folder, configs().arm);
    await decodeArms(folder, ["arm"], { new_tokens: 10 }); // the end token, 5 bytes, and 10: 16
    await assert.rejects(
      decodeArms(folder, ["arm"], { new_tokens: 11 }),
      /A prompt of 6 tokens and new_tokens \(11\) do not fit the context of arm \(16\)/,
    );
    await assert.rejects(decodeArms(folder, ["arm"], { prompt_bytes: 1_000_000 }), {
      name: "UserError",
      message: "No document of the val split has 1000000 bytes: lower prompt_bytes",
    });
  },
);

withRuns("decode continues text of subwords, and says how much of it a token stands for", async (folder) => {
  const story = "the cat sat on the mat, and the naïve 🦊 sat on the cat. ";
  const texts = { train: [[story.repeat(60)]], val: [[story.repeat(3), `a ${story}`, story]] };
  writeSubwordSet(join(folder, "text"), texts, tinyTokenizer(story.repeat(9), 300));
  const { arm } = configs(
    "arm.train.steps=100",
    "arm.train.lr=0.02",
    "arm.curriculum=mtp",
    "arm.model.context=32",
  );
  await trainArm(folder, arm);
  const { file: { arms: [decoded] } } = await decodeArms(folder, ["arm"], {
    prompt_bytes: 30,
    new_tokens: 12,
  });
  assert.equal(decoded!.equal!.identical, 3);
  assert.ok(decoded!.bytes_per_token > 1.5, `${decoded!.bytes_per_token} bytes a token`);
  for (const { prompt, text, drafted } of decoded!.samples) {
    assert.match(prompt, /^(a )?the cat sat on the mat, and/);
    assert.ok(new TextEncoder().encode(prompt).length <= 30);
    assert.ok(!text.startsWith("\ufffd") && drafted.every(([from, to]) => from < to && to <= text.length));
  }
  await assert.rejects(decodeArms(folder, ["arm"], { prompt_bytes: 30, new_tokens: 31 }), {
    name: "UserError",
    message:
      /^A prompt of \d+ tokens and new_tokens \(31\) do not fit the context of arm \(32\): lower new_tokens or/,
  });
});

withRuns("decode in strict mode runs on the CPU, and refuses CUDA", async (folder) => {
  await makeText(folder);
  await trainArm(folder, configs().arm);
  const { file } = await decodeArms(folder, ["arm"], { device: "auto" });
  assert.equal(file.machine.device, "cpu");
  await assert.rejects(decodeArms(folder, ["arm"], { device: "cuda" }), {
    name: "UserError",
    message: /^mode: strict has kernels for the CPU only; set mode: exact, or device: cpu/,
  });
});

withRuns("decode that is stopped writes nothing", async (folder) => {
  await makeText(folder);
  await trainArm(folder, configs().arm);
  const io = ioFor(folder, "speed", { needs: [textOf(folder), armOf(folder)], stop: AbortSignal.abort() });
  await assert.rejects(decode(configs().speed, io), Interrupted);
  assert.deepEqual([...Deno.readDirSync(join(folder, "speed"))], []);
});

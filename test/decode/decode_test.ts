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
const share = z.number().min(0).max(1);
const acceptance = z.array(z.strictObject({
  depth: count,
  proposed: count,
  accepted: count,
  conditional: share.nullable(),
  cumulative: share.nullable(),
}));
const repetition = z.strictObject({ rep_4: share, distinct_2: share });
const milliseconds = z.number().gt(0);

const measurement = z.strictObject({
  heads: z.union([count, z.literal("auto")]),
  tokens: count,
  forwards: count,
  seconds: z.number().gt(0),
  tokens_per_s: z.number().gt(0),
  tokens_per_forward: z.number().min(1),
  speedup: z.number().gt(0),
  ideal: z.strictObject({
    forward_cost: z.number().gt(0),
    speedup: z.number().gt(0),
    reached: z.number().gt(0),
  }).nullable(),
  forward: z.strictObject({
    steps: count,
    milliseconds: z.strictObject({
      trunk: milliseconds,
      heads: milliseconds,
      sampling: milliseconds,
      bookkeeping: milliseconds,
    }),
  }).nullable(),
  acceptance,
  equal: z.strictObject({
    identical: count,
    ties: count,
    different: count,
    first_differences: z.array(z.strictObject({ prompt: count, at: count, gap: z.number().min(0) })),
  }).nullable(),
  repetition,
});

/** decode.json, with no key more or less. */
const schema = z.strictObject({
  mode: z.enum(["strict", "exact"]),
  tolerance: z.number(),
  prompt_bytes: count,
  new_tokens: count,
  repeats: count,
  sampling: z.strictObject({
    temperature: z.number(),
    top_k: count,
    top_p: z.number(),
    min_p: z.number(),
    repetition_penalty: z.number(),
  }),
  acceptance: z.enum(["exact", "typical"]),
  lossless: z.boolean(),
  tree: z.strictObject({ candidates: count, nodes: count }).nullable(),
  machine: z.strictObject({
    cpus: count,
    threads: count,
    device: z.string(),
    gpu: z.string().nullable(),
    torch: z.string(),
    deno: z.string(),
  }),
  domains: z.array(z.strictObject({ name: z.string(), source: z.union([z.string(), z.array(z.string())]) })),
  arms: z.array(z.strictObject({
    id: z.string(),
    curriculum: z.string(),
    heads: count,
    kernels: z.enum(["rows", "aten"]),
    domains: z.array(z.strictObject({
      name: z.string(),
      prompts: count,
      bytes_per_token: z.number(),
      repetition: z.strictObject({ plain: repetition, truth: repetition.nullable() }),
      teacher_forced: z.strictObject({
        tokens: count,
        bits_per_byte: z.number(),
        acceptance,
        expected_tokens_per_forward: z.number().min(1),
      }).nullable(),
      batches: z.array(z.strictObject({
        batch: count,
        other_plain: z.strictObject({ kernels: z.enum(["rows", "aten"]), tokens_per_s: z.number() })
          .nullable(),
        measurements: z.array(measurement),
      })),
      samples: z.array(z.strictObject({
        prompt: z.string(),
        text: z.string(),
        drafted: z.array(z.tuple([count, count])),
      })),
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

/** Changes that make decoding random. */
const SAMPLED = {
  sampling: { temperature: 0.8, top_k: 5, top_p: 0.95, min_p: 0.01, repetition_penalty: 1.1 },
};

withRuns(
  "decode writes figures that fit each other, for arms with heads to draft and without",
  async (folder) => {
    await makeArms(folder);
    const { file, lines } = await decodeArms(folder, ["ntp", "arm"]);
    const { arms: [ntp, arm], machine, ...rest } = file;
    assert.deepEqual(rest, {
      mode: "strict",
      tolerance: 0,
      prompt_bytes: 5,
      new_tokens: 8,
      repeats: 1,
      sampling: { temperature: 0, top_k: 0, top_p: 1, min_p: 0, repetition_penalty: 1 },
      acceptance: "exact",
      lossless: true,
      tree: null,
      domains: [{ name: "val", source: "val" }],
    });
    assert.deepEqual([machine.cpus, machine.threads, machine.device, machine.gpu], [
      navigator.hardwareConcurrency,
      1,
      "cpu",
      null,
    ]);
    assert.deepEqual([ntp!.id, ntp!.curriculum, ntp!.heads, ntp!.kernels], ["ntp", "ntp", 1, "rows"]);
    assert.deepEqual(ntp!.domains[0]!.batches[0]!.measurements.map(({ heads }) => heads), [1]);

    const [domain] = arm!.domains;
    const { batch, other_plain, measurements } = domain!.batches[0]!;
    const [plain, two, three] = measurements;
    assert.deepEqual([batch, other_plain!.kernels], [1, "aten"]);
    assert.deepEqual(measurements.map(({ heads }) => heads), [1, 2, 3]);
    assert.deepEqual([plain!.tokens, plain!.forwards, plain!.tokens_per_forward], [24, 21, 1]);
    assert.deepEqual([plain!.acceptance, plain!.ideal], [[], null]);
    const best = Math.max(plain!.tokens_per_s, other_plain!.tokens_per_s);
    for (const { heads, tokens, forwards, speedup, equal, forward, ...drafting } of measurements) {
      assert.deepEqual(equal, { identical: 3, ties: 0, different: 0, first_differences: [] });
      assert.equal(tokens, 24);
      assert.ok(Math.abs(speedup - drafting.tokens_per_s / best) < 1e-9);
      const accepted = drafting.acceptance.reduce((sum, depth) => sum + depth.accepted, 0);
      assert.equal(tokens, 3 + forwards + accepted);
      assert.equal(drafting.tokens_per_forward, (tokens - 3) / forwards);
      assert.equal(forward!.steps, forwards, "one prompt at a time: each pass behind the prompt's counts");
      assert.deepEqual(
        drafting.acceptance.map(({ depth }) => depth),
        [2, 3].slice(0, Number(heads) - 1),
      );
      let cumulative = 1;
      for (const depth of drafting.acceptance) {
        assert.equal(depth.conditional, depth.accepted / depth.proposed);
        assert.equal(depth.cumulative, cumulative *= depth.conditional!);
      }
    }
    assert.ok(two!.tokens_per_forward > 1 && two!.tokens_per_forward <= 2);
    assert.ok(three!.tokens_per_forward > 1.5, `${three!.tokens_per_forward} tokens a forward pass`);
    const { forward_cost, speedup, reached } = three!.ideal!;
    assert.ok(Math.abs(speedup - three!.tokens_per_forward / forward_cost) < 1e-9);
    assert.ok(Math.abs(reached * speedup - three!.tokens_per_s / plain!.tokens_per_s) < 1e-9);

    const { tokens, acceptance } = domain!.teacher_forced!;
    assert.equal(tokens, 24);
    assert.deepEqual(acceptance.map(({ depth }) => depth), [2, 3]);
    assert.equal(acceptance[0]!.proposed, 3 * 7, "the last position has no token two places on");
    assert.deepEqual(domain!.samples.map(({ prompt, text }) => [prompt.length, text.length]), [
      [5, 8],
      [5, 8],
      [5, 8],
    ]);
    const accepted = three!.acceptance.reduce((sum, depth) => sum + depth.accepted, 0);
    const drafted = domain!.samples.flatMap(({ drafted }) => drafted);
    assert.equal(drafted.reduce((sum, [from, to]) => sum + to - from, 0), accepted); // a byte a token, all prompts are shown

    assert.equal(lines.filter((line) => / domain +batch +heads +tokens\/s/.test(line)).length, 2);
    const row = lines.find((line) => /^ {2}val +1 +3 /.test(line))!;
    assert.match(row, / \d\.\d\dx +\d\.\d\dx +\d+\.\d % +\d+\.\d\d +\d+\.\d % +3 of 3$/);
    assert.ok(
      lines.some((line) => /^arm: val: acceptance by depth .* % \/ .* %, on the true text/.test(line)),
    );
  },
);

withRuns("decode measures domains apart, and each with every batch", async (folder) => {
  await makeArms(folder);
  Deno.mkdirSync(join(folder, "other"));
  Deno.writeTextFileSync(join(folder, "other/c.txt"), "on the mat the cat sat. ".repeat(4));
  Deno.writeTextFileSync(join(folder, "other/d.txt"), "tiny"); // too short for a prompt
  const { file } = await decodeArms(folder, ["arm"], {
    domains: [{ name: "easy", split: "val" }, { name: "own", files: [join(folder, "other/*.txt")] }],
    batches: [1, 3],
    heads: [2, "auto"],
  });
  assert.deepEqual(file.domains, [
    { name: "easy", source: "val" },
    { name: "own", source: [join(folder, "other/*.txt")] },
  ]);
  const { domains } = file.arms[0]!;
  assert.deepEqual(domains.map(({ name }) => name), ["easy", "own"]);
  for (const { batches, samples } of domains) {
    assert.deepEqual(batches.map(({ batch }) => batch), [1, 3]);
    assert.equal(samples.length, 3);
    for (const { measurements, other_plain } of batches) {
      assert.deepEqual(measurements.map(({ heads }) => heads), [1, 2, "auto"]);
      assert.ok(other_plain!.tokens_per_s > 0);
      for (const { equal, tokens, ideal, heads } of measurements) {
        assert.deepEqual([equal!.identical, tokens], [3, 24]);
        assert.equal(ideal === null, heads !== 2, "auto verifies a changing number of rows");
      }
    }
  }
  assert.match(domains[1]!.samples[0]!.prompt, /^on th/);
});

withRuns(
  "decode with drawn tokens asks for no equality, and measures speed and acceptance all the same",
  async (folder) => {
    await makeArms(folder);
    const { file, lines } = await decodeArms(folder, ["arm"], SAMPLED);
    assert.deepEqual(file.sampling, SAMPLED.sampling);
    assert.equal(file.lossless, true);
    const { measurements } = file.arms[0]!.domains[0]!.batches[0]!;
    for (const { equal, tokens_per_s } of measurements) {
      assert.equal(equal, null);
      assert.ok(tokens_per_s > 0);
    }
    assert.ok(lines.some((line) => line.endsWith("drawn at random")));
  },
);

withRuns(
  "decode with typical acceptance says that it is not lossless, and counts what differs",
  async (folder) => {
    await makeText(folder);
    await trainArm(folder, configs().arm); // hardly trained: drafts are wrong, and all tokens are about as likely
    const { file, lines } = await decodeArms(folder, ["arm"], { acceptance: "typical" });
    assert.equal(file.lossless, false);
    const [plain, , three] = file.arms[0]!.domains[0]!.batches[0]!.measurements;
    assert.equal(plain!.equal!.identical, 3, "plain decoding has no drafts to accept");
    assert.equal(three!.equal!.identical + three!.equal!.different, 3);
    for (const { gap } of three!.equal!.first_differences) assert.ok(gap > 0);
    assert.ok(lines.some((line) => line.startsWith("typical acceptance is not lossless")));
  },
);

withRuns(
  "decode with trees of drafts gives what plain decoding gives, and more tokens a forward than chains",
  async (folder) => {
    await makeArms(folder);
    const threeOf = async (changes: Partial<DecodeConfig>) => {
      const { file } = await decodeArms(folder, ["arm"], { heads: [3], ...changes });
      return { tree: file.tree, ...file.arms[0]!.domains[0]!.batches[0]!.measurements[1]! };
    };
    const chain = await threeOf({});
    const tree = await threeOf({ tree: { candidates: 3, nodes: 8 } });
    assert.deepEqual(tree.tree, { candidates: 3, nodes: 8 });
    assert.equal(tree.equal!.identical, 3);
    assert.ok(tree.tokens_per_forward >= chain.tokens_per_forward);
    assert.ok(tree.ideal!.forward_cost > 0);
  },
);

withRuns(
  "decode in exact mode names the tolerance below which a difference is a tie, and finds nothing worse",
  async (folder) => {
    await makeArms(folder);
    const changes = { mode: "exact", tolerance: 1e-3, repeats: 2 } as const;
    const { file } = await decodeArms(folder, ["arm"], { ...changes, batches: [2] });
    assert.deepEqual([file.mode, file.tolerance], ["exact", 0.001]);
    const { other_plain, measurements } = file.arms[0]!.domains[0]!.batches[0]!;
    assert.equal(other_plain!.kernels, "rows");
    for (const { equal } of measurements) {
      assert.deepEqual([equal!.identical + equal!.ties, equal!.different], [3, 0]);
    }
  },
);

withRuns(
  "decode refuses what does not fit the context, the text or the memory, and says what to lower",
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
    await assert.rejects(
      decodeArms(folder, ["arm"], { domains: [{ name: "no", files: [join(folder, "no/*.txt")] }] }),
      { name: "UserError", message: /^Nothing matches ".*no\/\*\.txt": there is no folder/ },
    );
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
  const [domain] = decoded!.domains;
  assert.equal(domain!.batches[0]!.measurements[2]!.equal!.identical, 3);
  assert.ok(domain!.bytes_per_token > 1.5, `${domain!.bytes_per_token} bytes a token`);
  for (const { prompt, text, drafted } of domain!.samples) {
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

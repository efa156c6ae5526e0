/** Proves the eval stage: its figures are those of a full forward pass for every single token, written out plainly. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readDocuments } from "../../src/data/documents.ts";
import { verifyShards } from "../../src/data/shards.ts";
import { loadTask } from "../../src/config/task/load.ts";
import { run as evaluate } from "../../src/eval/eval.ts";
import { evaluateTask } from "../../src/eval/tasks/evaluate.ts";
import { splitText } from "../../src/eval/text.ts";
import { scoreText } from "../../src/eval/text_scores.ts";
import type { MtpModel } from "../../src/model/mod.ts";
import { Interrupted } from "../../src/stage/errors.ts";
import { byteTokenizer } from "../../src/text/tokenizer.ts";
import { linear, noGrad, Scope, Tensor } from "../../src/torch/mod.ts";
import { openArm } from "../../src/train/arm.ts";
import { tinyTokenizer, writeSubwordSet } from "../data/subword_set.ts";
import {
  armOf,
  configs,
  ioFor,
  type Json,
  makeText,
  metricsOf,
  readJson,
  stopAfter,
  textOf,
  trainArm,
  without,
  withRuns,
} from "../train/fixture.ts";
import { linesOf, RECORDS } from "./records.ts";

const END = 0, BYTE_OFFSET = 64;

interface Head {
  readonly head: number;
  readonly loss: number;
  readonly bits_per_byte: number | null;
  readonly accuracy: number;
  readonly targets: number;
}

interface ArmScores {
  readonly id: string;
  readonly heads: Head[];
  readonly bits_per_byte: number;
  readonly bytes: number;
  readonly tokens: number;
  readonly documents: number;
  readonly perplexity: number;
  readonly bits_per_byte_interval: [number, number] | null;
}

/** Runs the stage over some arms; returns what it wrote, and its log. */
async function evaluateArms(folder: string, ids: readonly string[], ...overrides: string[]) {
  const needs = [textOf(folder), ...ids.map((id) => armOf(folder, id))];
  const io = ioFor(folder, "scores", { needs });
  await evaluate(configs(...overrides).scores, io);
  const file = readJson(join(folder, "scores/eval.json")) as { split: string; arms: ArmScores[] };
  return { ...file, lines: io.lines };
}

/** The token streams of a split's shards: END d1 END d2 END ... */
function streams(folder: string, split: "train" | "val"): number[][] {
  const documents = [...readDocuments(join(folder, "text"), split)];
  return verifyShards(join(folder, "text")).splits[split].map(({ info }) => [
    END,
    ...documents.splice(0, info.documents).flatMap((
      d,
    ) => [...Array.from(d, (byte) => byte + BYTE_OFFSET), END]),
  ]);
}

/** -log softmax of one logit, in double precision. */
function nllOf(logits: readonly number[], target: number): number {
  const largest = Math.max(...logits);
  return Math.log(logits.reduce((sum, x) => sum + Math.exp(x - largest), 0)) + largest - logits[target]!;
}

/** Scores by a forward pass of its own for every input, over nothing but that input and what its window has before it. */
function scoresByHand(
  model: MtpModel,
  stream: readonly number[],
  stride = Math.ceil(model.shape.context / 2),
): { nll: number; correct: boolean; target: number }[][] {
  const { context } = model.shape;
  const scores: { nll: number; correct: boolean; target: number }[][] = Array.from({
    length: model.headCount,
  }, () => []);
  for (let input = 0; input + 1 < stream.length; input++) {
    using _scope = new Scope();
    // Windows end at `context`, and then at every stride, the last at the end of the stream.
    const end = input < context ? context : context + stride * (Math.floor((input - context) / stride) + 1);
    const start = Math.max(0, Math.min(end, stream.length - 1) - context);
    const ids = stream.slice(start, input + 1);
    const z_TD = noGrad(() => model.trunk(Tensor.ids(ids, [1, ids.length])).reshape(ids.length, -1));
    const z_1D = z_TD.slice(0, ids.length - 1, ids.length);
    scores.forEach((head, i) => {
      const target = stream[input + i + 1];
      // Only head 1 looks past a document's end: for the others, no end token may stand between input and target.
      if (target === undefined || (i > 0 && stream.slice(input, input + i + 1).includes(END))) return;
      const logits = noGrad(() => linear(z_1D, model.parameters.get(`heads.${i + 1}`))).toArray();
      head.push({
        nll: nllOf(logits, target),
        correct: logits.indexOf(Math.max(...logits)) === target,
        target,
      });
    });
  }
  return scores;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Bits and bytes of each document of a stream, from what head 1 makes of each input. */
function documentsOf(scores: readonly { nll: number; target: number }[]): [bits: number, bytes: number][] {
  const documents: [number, number][] = [[0, 0]];
  for (const { nll, target } of scores) {
    documents.at(-1)![0] += nll / Math.LN2;
    documents.at(-1)![1] += target === END ? 0 : 1;
    if (target === END) documents.push([0, 0]);
  }
  return documents.slice(0, -1);
}

/** float32 logits of size 10 off by some 1e-6, averaged. */
const TOLERANCE = 1e-5;

withRuns(
  "eval gives the loss and accuracy of every head, and bits per byte, of a forward pass for each token",
  async (folder) => {
    await makeText(folder, undefined, 0.3); // several documents
    const { arm } = configs("arm.train.steps=40", "arm.train.lr=0.02", "arm.curriculum=mtp");
    await trainArm(folder, arm);
    const { split, arms: [scored] } = await evaluateArms(folder, ["arm"]);
    assert.equal(split, "val");

    using opened = openArm(armOf(folder), "cpu");
    const perStream = streams(folder, "val").map((stream) => scoresByHand(opened.model, stream));
    scored!.heads.forEach((head, i) => {
      const expected = perStream.flatMap((heads) => heads[i]!);
      const loss = sum(expected.map(({ nll }) => nll)) / expected.length;
      assert.equal(head.head, i + 1);
      assert.equal(head.targets, expected.length);
      assert.ok(Math.abs(head.loss - loss) < TOLERANCE, `head ${i + 1}: ${head.loss}, expected ${loss}`);
      assert.equal(head.accuracy, expected.filter(({ correct }) => correct).length / expected.length);
      if (i > 0) return assert.equal(head.bits_per_byte, null);
      const bytes = expected.filter(({ target }) => target >= BYTE_OFFSET).length;
      const bitsPerByte = sum(expected.map(({ nll }) => nll)) / Math.log(2) / bytes;
      assert.equal(scored!.bytes, bytes);
      assert.equal(scored!.bytes, verifyShards(join(folder, "text")).meta.splits.val.bytes);
      assert.equal(scored!.tokens, expected.length);
      assert.ok(
        Math.abs(scored!.bits_per_byte - bitsPerByte) < TOLERANCE,
        `${scored!.bits_per_byte}, expected ${bitsPerByte}`,
      );
      assert.equal(head.bits_per_byte, scored!.bits_per_byte);
      assert.ok(Math.abs(scored!.perplexity / Math.exp(loss) - 1) < TOLERANCE);
      // The delta method written out: Var(R) = n / (n - 1) * sum (bits - R * bytes)^2 / (sum bytes)^2.
      const documents = perStream.flatMap(([first]) => documentsOf(first!));
      const residuals = sum(documents.map(([bits, bytes]) => (bits - bitsPerByte * bytes) ** 2));
      const n = documents.length;
      assert.equal(n, 6);
      const student = 2.571; // 97.5% at 5 degrees of freedom
      const error = student * Math.sqrt(n / (n - 1) * residuals) / bytes;
      assert.equal(scored!.documents, n);
      scored!.bits_per_byte_interval!.forEach((bound, side) => {
        const expected = bitsPerByte + (side === 0 ? -error : error);
        assert.ok(Math.abs(bound - expected) < 1e-4, `${bound}, expected ${expected}`);
      });
    });
  },
);

withRuns("eval of a file gives what eval of a split with the same documents gives", async (folder) => {
  const document = "the cat sat on the mat.\nthe dog saw it.\n\na fox ran to the hill and to the cat.\n";
  await makeText(folder, document);
  await trainArm(folder, configs("arm.train.steps=20", "arm.train.lr=0.02", "arm.curriculum=mtp").arm);
  const held = await evaluateArms(folder, ["arm"]);
  const file = await evaluateArms(folder, ["arm"], `scores.files=[${join(folder, "b.txt")}]`);
  assert.equal(file.split, "files");
  const timeless = ({ arms }: { arms: ArmScores[] }) => without(arms[0] as unknown as Json, "seconds");
  assert.deepEqual(timeless(file), timeless(held));
  assert.equal(file.arms[0]!.bits_per_byte_interval, null);
  assert.match(file.lines[1]!, /bits per byte \(one document: no interval\)/);

  const blocks = await evaluateArms(
    folder,
    ["arm"],
    `scores.files=${join(folder, "*.txt")}`,
    "scores.document=blank_line",
  );
  assert.equal(blocks.arms[0]!.documents, 4);
  assert.notEqual(blocks.arms[0]!.bits_per_byte_interval, null);
});

withRuns("eval refuses files without text, and files that are not there", async (folder) => {
  await makeText(folder);
  await trainArm(folder, configs().arm);
  const empty = join(folder, "empty.txt");
  Deno.writeTextFileSync(empty, "");
  await assert.rejects(evaluateArms(folder, ["arm"], `scores.files=${empty}`), {
    name: "UserError",
    message: `There is no text in "${empty}": nothing can be scored`,
  });
  await assert.rejects(evaluateArms(folder, ["arm"], `scores.files=${folder}/no.txt`), {
    message: `Cannot read "${folder}/no.txt": there is no such file or folder`,
  });
});

withRuns(
  "the stride is a share of the window: what stands before each token is as it says",
  async (folder) => {
    await makeText(folder);
    const { arm } = configs("arm.train.steps=40", "arm.train.lr=0.02", "arm.curriculum=ntp");
    await trainArm(folder, arm);
    using opened = openArm(armOf(folder), "cpu");
    const [stream] = streams(folder, "val");
    for (const [stride, inputs] of [[0.25, 4], [1, 16]] as const) {
      const { arms } = await evaluateArms(folder, ["arm"], `scores.stride=${stride}`);
      const [expected] = scoresByHand(opened.model, stream!, inputs);
      const loss = sum(expected!.map(({ nll }) => nll)) / expected!.length;
      const found = arms[0]!.heads[0]!.loss;
      assert.equal(arms[0]!.tokens, expected!.length);
      assert.ok(Math.abs(found - loss) < TOLERANCE, `stride ${stride}: ${found}, expected ${loss}`);
    }
  },
);

withRuns("eval answers tasks of every arm, logs a table, and says which items were cut", async (folder) => {
  await makeText(folder);
  await trainArm(folder, configs().arm);
  await trainArm(folder, { ...configs("arm.model.heads.count=1", "arm.curriculum=ntp").arm, id: "ntp" });
  for (const task of ["blimp", "lambada"]) {
    Deno.writeTextFileSync(join(folder, `${task}.jsonl`), linesOf(RECORDS[task]!));
  }
  const tasks = ["blimp", "lambada"].map((task) =>
    `{task: ${task}, data: ${join(folder, `${task}.jsonl`)}, limit: 4}`
  );
  const { arms, lines } = await evaluateArms(
    folder,
    ["ntp", "arm"],
    "scores.tokens=50",
    `scores.tasks=[${tasks.join(", ")}]`,
  );
  for (const { tasks } of arms as unknown as { tasks: { task: string; items: number; cut: number }[] }[]) {
    assert.deepEqual(tasks.map(({ task, items, cut }) => [task, items, cut]), [["blimp", 4, 4], [
      "lambada",
      4,
      4,
    ]]);
  }
  const warning =
    "warning: arm: lambada: 4 of 4 items are longer than the context (16 tokens): each token that " +
    "counts is scored, behind as many as fit before it";
  assert.ok(lines.includes(warning), lines.join("\n"));
  assert.deepEqual(lines.slice(-5).map((line) => line.split(/ {2,}/).slice(0, 2)), [
    ["task", "items"],
    ["blimp accuracy", "4"],
    ["lambada accuracy", "4"],
    ["lambada perplexity", "4"],
    ["lambada bits_per_byte", "4"],
  ]);
});

withRuns("eval says that scores are not finite, and writes nothing", async (folder) => {
  await makeText(folder);
  await trainArm(folder, configs().arm);
  using opened = openArm(armOf(folder), "cpu");
  const { model } = opened;
  model.parameters.find("norm")!.copyBytes_(new Uint8Array(new Float32Array(16).fill(NaN).buffer));
  const groups = [{ name: "x", items: [{ form: "pair", good: "a", bad: "b" }] as const }];
  await assert.rejects(
    evaluateTask({ ...loadTask("blimp") }, groups, model, byteTokenizer(), async () => {}),
    {
      name: "UserError",
      message: /^Cannot evaluate blimp: a log-likelihood is NaN; the weights are damaged/,
    },
  );
  using text = splitText(verifyShards(join(folder, "text")), "val");
  const reading = { context: 16, stride: 8, tokens: 100, byteLengths: byteTokenizer().byteLengths };
  await assert.rejects(scoreText(model, text, reading, async () => {}), {
    name: "UserError",
    message: /^The loss is not a finite number/,
  });
});

withRuns("bits per byte of a subword model are nats / ln 2 / bytes of the text", async (folder) => {
  const story = "the cat sat on the mat, and the naïve 🦊 sat on the cat. ";
  const texts = {
    train: [[story.repeat(20), story.repeat(9)]],
    val: [["the naïve cat sat on the 🦊. ".repeat(3), "a mat"], [
      "café <|endoftext|> on the mat\n\n the end",
    ]],
  };
  const ids = writeSubwordSet(join(folder, "text"), texts, tinyTokenizer(story.repeat(9), 300));
  const { arm } = configs("arm.train.steps=40", "arm.train.lr=0.02", "arm.curriculum=mtp");
  await trainArm(folder, arm);
  const { arms: [scored] } = await evaluateArms(folder, ["arm"]);

  using opened = openArm(armOf(folder), "cpu");
  const perStream = ids.val.map((documents) => {
    const stream = [END, ...documents.flatMap((document) => [...document, END])];
    return scoresByHand(opened.model, stream)[0]!;
  });
  const nats = sum(perStream.flat().map(({ nll }) => nll));
  const bytes = new TextEncoder().encode(texts.val.flat().join("")).length;
  const tokens = sum(ids.val.flat().map((document) => document.length + 1)); // each, and its end token
  assert.ok(bytes > 1.5 * tokens, `${bytes} bytes in ${tokens} tokens`);
  assert.equal(scored!.bytes, bytes);
  assert.equal(scored!.tokens, tokens);
  const bitsPerByte = nats / Math.log(2) / bytes;
  assert.ok(
    Math.abs(scored!.bits_per_byte - bitsPerByte) < TOLERANCE,
    `${scored!.bits_per_byte}, expected ${bitsPerByte}`,
  );
  const line = metricsOf(join(folder, "arm")).findLast(({ kind }) => kind === "step")!;
  assert.ok((line.bytes as number) > (line.tokens as number), "training counts bytes of text too");
});

withRuns("context_bytes gives models of bytes and of subwords windows of as much text", async (folder) => {
  await makeText(folder);
  await trainArm(folder, configs().arm);
  const scored = async (...overrides: string[]) => {
    const { arms, lines } = await evaluateArms(folder, ["arm"], "scores.tokens=100", ...overrides);
    return { context: (arms[0] as unknown as { context: Json }).context, lines };
  };
  assert.equal((await scored()).context.tokens, 16);
  assert.deepEqual((await scored("scores.context_bytes=8")).context, { tokens: 8, bytes: 8 });
  const { context, lines } = await scored("scores.context_bytes=40");
  assert.equal(context.tokens, 16);
  assert.equal(lines[1], "warning: arm: context_bytes (40) are 40 tokens, more than its context (16)");
});

withRuns("context_bytes of a subword model are so many tokens as stand for them", async (folder) => {
  const story = "the cat sat on the mat. ";
  const texts = { train: [[story.repeat(40)]], val: [[story.repeat(9)]] };
  const ids = writeSubwordSet(join(folder, "text"), texts, tinyTokenizer(story.repeat(9), 300));
  await trainArm(folder, configs("arm.train.steps=2").arm);
  const { arms } = await evaluateArms(folder, ["arm"], "scores.context_bytes=25");
  const { context } = arms[0] as unknown as { context: { tokens: number; bytes: number } };
  const bytesPerToken = 9 * story.length / (1 + ids.val.flat(2).length + 1); // with the end tokens
  assert.ok(bytesPerToken > 1.5, `${bytesPerToken} bytes a token`);
  assert.equal(context.tokens, Math.round(25 / bytesPerToken));
  assert.equal(context.bytes, Math.round(context.tokens * bytesPerToken));
});

withRuns(
  "eval refuses a split that is not there, and text of another tokenizer, saying what differs",
  async (folder) => {
    await makeText(folder);
    await trainArm(folder, configs().arm);
    await assert.rejects(evaluateArms(folder, ["arm"], "scores.split=test"), {
      name: "UserError",
      message: "The text has no test part: name another split, or hold some out in the prepare stage",
    });
    Deno.removeSync(join(folder, "text"), { recursive: true });
    const texts = { train: [["the cat sat"]], val: [["the mat"]] };
    writeSubwordSet(join(folder, "text"), texts, tinyTokenizer("the cat sat on the mat. ".repeat(9)));
    await assert.rejects(evaluateArms(folder, ["arm"]), {
      name: "UserError",
      message:
        /^The text has another tokenizer than the one that arm was trained on: kind: "bytes" for arm, "bpe" now\. Name the prepare stage that arm needs$/,
    });
  },
);

withRuns("eval scores several shards of a split, and no more tokens than asked", async (folder) => {
  await makeText(folder);
  await trainArm(folder, configs().arm);
  const whole = streams(folder, "train");
  assert.ok(whole.length > 1);
  const total = sum(whole.map((stream) => stream.length - 1));
  for (const tokens of [1, 15, 16, 17, 333, whole[0]!.length + 50, total, total + 1]) {
    const { split, arms: [scored] } = await evaluateArms(
      folder,
      ["arm"],
      "scores.split=train",
      `scores.tokens=${tokens}`,
    );
    assert.equal(split, "train");
    assert.equal(scored!.tokens, Math.min(tokens, total), `asked for ${tokens}`);
  }
});

withRuns("eval scores the same text for arms of any K, each by its own heads", async (folder) => {
  await makeText(folder);
  await trainArm(folder, configs().arm);
  await trainArm(folder, { ...configs("arm.model.heads.count=1", "arm.curriculum=ntp").arm, id: "ntp" });
  const { arms, lines } = await evaluateArms(folder, ["ntp", "arm"], "scores.tokens=500");
  assert.deepEqual(arms.map(({ id, heads, tokens }) => [id, heads.length, tokens]), [["ntp", 1, 500], [
    "arm",
    3,
    500,
  ]]);
  assert.equal(arms[0]!.bytes, arms[1]!.bytes);
  assert.deepEqual(Object.keys(arms[0] as unknown as Json), [
    ...[
      "id",
      "curriculum",
      "heads",
      "bits_per_byte",
      "bits_per_byte_interval",
      "perplexity",
      "documents",
      "bytes",
      "context",
      "tokens",
      "acceptance",
      "expected_tokens_per_forward",
      "seconds",
      "tasks",
    ],
  ]);
  assert.match(
    lines[1]!,
    /^ntp: \d\.\d{4} bits per byte \(one document: no interval\), accuracy by head \d+\.\d%$/,
  );
});

withRuns("eval that is stopped in the middle of a task writes nothing", async (folder) => {
  await makeText(folder);
  await trainArm(folder, configs().arm);
  const data = join(folder, "blimp.jsonl");
  Deno.writeTextFileSync(data, linesOf(RECORDS.blimp!));
  const needs = [textOf(folder), armOf(folder)];
  const io = ioFor(folder, "scores", { needs, stop: stopAfter(2) }); // asked once for the text, which is one batch
  const { scores } = configs("scores.tokens=16", `scores.tasks=[{task: blimp, data: ${data}}]`);
  await assert.rejects(evaluate(scores, io), Interrupted);
  assert.match(io.lines.at(-1)!, /^arm: .* bits per byte/);
  assert.deepEqual([...Deno.readDirSync(join(folder, "scores"))], []);
});

withRuns("eval that is stopped writes nothing", async (folder) => {
  await makeText(folder);
  await trainArm(folder, configs().arm);
  const io = ioFor(folder, "scores", { needs: [textOf(folder), armOf(folder)], stop: AbortSignal.abort() });
  await assert.rejects(evaluate(configs().scores, io), Interrupted);
  assert.deepEqual([...Deno.readDirSync(join(folder, "scores"))], []);
});

withRuns("eval refuses an altered shard and a damaged checkpoint, naming the file", async (folder) => {
  await makeText(folder);
  await trainArm(folder, configs().arm);
  const model = join(folder, "arm/checkpoints/step-00000012/model.safetensors");
  const bytes = Deno.readFileSync(model);
  Deno.truncateSync(model, 5000);
  await assert.rejects(evaluateArms(folder, ["arm"]), {
    name: "UserError",
    message: /model\.safetensors" is damaged/,
  });
  Deno.writeFileSync(model, bytes);
  Deno.truncateSync(join(folder, "text/val-00000.bin"), 100);
  await assert.rejects(evaluateArms(folder, ["arm"]), {
    name: "UserError",
    message: /val-00000\.bin": it is cut short/,
  });
});

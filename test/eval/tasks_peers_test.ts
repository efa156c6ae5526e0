/**
 * Proves that the figures of tasks are those of transformers on the exported model, by the definitions of
 * lm-evaluation-harness written out: for a model of bytes and one of subwords, both with a text learnt by heart, so that
 * accuracies are neither 0 nor 1.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { run as evaluate } from "../../src/eval/eval.ts";
import { run as exportStage } from "../../src/exchange/export.ts";
import { tinyTokenizer, writeSubwordSet } from "../data/subword_set.ts";
import { exportConfig } from "../exchange/fixture.ts";
import { withPeers } from "../peers.ts";
import { inFolder } from "../support.ts";
import { armOf, configs, ioFor, makeText, readJson, textOf, trainArm } from "../train/fixture.ts";
import { linesOf, RECORDS, TEXT } from "./records.ts";

/** Real data sets, which no user of the project has; lines of each file that are taken. */
const SHARED = "../shared/data";
const REAL = { blimp: 4, lambada: 24 };

interface Metrics {
  readonly [metric: string]: { readonly value: number; readonly standard_error: number | null };
}

interface Scores {
  readonly task: string;
  readonly metrics: Metrics;
  readonly groups: readonly { readonly name: string; readonly metrics: Metrics }[];
}

type Answers = Record<string, Record<string, number> & { readonly groups?: Record<string, number> }>;

withPeers(
  "figures of all tasks, on bytes and on subwords, are those of transformers",
  (python) =>
    inFolder(async (folder) => {
      const sets = [madeUp(folder), real(folder)];
      const arms = [join(folder, "bytes"), join(folder, "subwords")];
      arms.forEach((arm) => Deno.mkdirSync(arm));
      await makeText(arms[0]!, TEXT);
      const texts = { train: [[TEXT]], val: [[TEXT]] };
      writeSubwordSet(join(arms[1]!, "text"), texts, tinyTokenizer(TEXT, 300));
      const scores: Scores[][][] = [];
      for (const arm of arms) scores.push(await scoresOf(arm, sets));
      const script = new URL("tasks.py", import.meta.url).pathname;
      const order = arms.map((arm) => ({ folder: join(arm, "out/hf"), sets }));
      const answers: Answers[][] = JSON.parse(await python(["-B", script], JSON.stringify(order)));
      scores.forEach((perSet, i) => {
        perSet.forEach((found, j) => compare(found, answers[i]![j]!, arms[i]!));
        assertNotTrivial(perSet[0]!);
      });
    }),
);

/** Trains and exports an arm of the text in a folder, and evaluates it on each set of files. */
async function scoresOf(folder: string, sets: readonly Files[]): Promise<Scores[][]> {
  const changes = ["steps=160", "lr=0.02", "batch=4"].map((change) => `arm.train.${change}`);
  const { arm, scores } = configs(
    ...changes,
    "arm.model.context=256",
    "arm.model.width=32",
    "arm.model.layers=2",
  );
  await trainArm(folder, arm);
  await exportStage(exportConfig(), ioFor(folder, "out", { needs: [armOf(folder), textOf(folder)] }));
  const found: Scores[][] = [];
  for (const files of sets) {
    const tasks = Object.entries(files).map(([task, data]) => ({ task, data, limit: "all" as const }));
    const io = ioFor(folder, "scores", { needs: [textOf(folder), armOf(folder)] });
    await evaluate({ ...scores, tokens: 100, tasks }, io);
    const { arms } = readJson(join(io.folder, "eval.json")) as { arms: { tasks: Scores[] }[] };
    found.push(arms[0]!.tasks);
  }
  return found;
}

function compare(found: readonly Scores[], expected: Answers, arm: string): void {
  assert.deepEqual(found.map(({ task }) => task), Object.keys(expected));
  for (const { task, metrics, groups } of found) {
    const { groups: paradigms = {}, ...figures } = expected[task]!;
    for (const [metric, { value }] of Object.entries(metrics)) {
      same(value, figures[metric]!, `${arm}: ${task}, ${metric}`);
    }
    for (const [name, value] of Object.entries(paradigms)) {
      same(groups.find((group) => group.name.endsWith(name))!.metrics.accuracy!.value, value, name);
    }
  }
}

/** Within 0.1 point of accuracies, and as much of other figures, of which perplexities may be large. */
function same(found: number, expected: number, what: string): void {
  const off = Math.abs(found - expected) / Math.max(1, Math.abs(expected));
  assert.ok(off < 1e-3, `${what}: ${found}, by transformers ${expected}`);
}

/** Else the comparison would show nothing: some items are right, and some are wrong. */
function assertNotTrivial(found: readonly Scores[]): void {
  const accuracies = found.map(({ metrics }) => metrics.accuracy!.value);
  const mixed = accuracies.filter((accuracy) => accuracy > 0 && accuracy < 1);
  assert.ok(mixed.length >= 5, `accuracies ${accuracies}`);
  assert.ok(
    found.find(({ task }) => task === "lambada")!.metrics.accuracy!.value > 0,
    `accuracies ${accuracies}`,
  );
}

type Files = Readonly<Record<string, string[]>>;

function madeUp(folder: string): Files {
  return Object.fromEntries(
    Object.entries(RECORDS).map(([task, records]) => {
      const file = join(folder, `${task}.jsonl`);
      Deno.writeTextFileSync(file, linesOf(records));
      return [task, [file]];
    }),
  );
}

/** The first lines of real data sets; nothing, and a sentence, where they are absent. */
function real(folder: string): Files {
  try {
    const copy = (from: string, lines: number): string => {
      const file = join(folder, `real-${from.split("/").at(-1)}`);
      const text = Deno.readTextFileSync(`${SHARED}/${from}`);
      Deno.writeTextFileSync(file, text.split("\n").slice(0, lines).join("\n"));
      return file;
    };
    const paradigms = [...Deno.readDirSync(`${SHARED}/blimp`)].map(({ name }) => `blimp/${name}`).sort();
    return {
      blimp: paradigms.map((paradigm) => copy(paradigm, REAL.blimp)),
      lambada: [copy("eval/lambada_openai_test.jsonl", REAL.lambada)],
    };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    // deno-lint-ignore no-console
    console.log(`${SHARED} is absent: real BLiMP and LAMBADA are skipped`);
    return {};
  }
}

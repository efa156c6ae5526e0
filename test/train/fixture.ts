/** Whole stages in this process, on a small corpus of stories and with models that train in tenths of a second. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parsePipeline } from "../../src/config/load.ts";
import type { DecodeConfig, EvalConfig, TrainConfig } from "../../src/config/schema.ts";
import { run as prepare } from "../../src/data/prepare.ts";
import { sha256OfFile } from "../../src/formats/atomic.ts";
import { Interrupted } from "../../src/stage/errors.ts";
import type { StageIo } from "../../src/stage/io.ts";
import { setThreads, threads } from "../../src/torch/mod.ts";
import { checkpointsIn, readState } from "../../src/train/checkpoint.ts";
import { run as train } from "../../src/train/train.ts";
import { inFolder, withFfi } from "../support.ts";

/** The stages' files, as a user would write them; `threads: 1` since small ops only wait for a second one. */
const PIPELINE = `name: small
device: cpu
threads: 1
stages:
  - { id: text, run: prepare, input: stories, bytes: 2e4, validation: 0.1, shard_bytes: 8192 }
  - id: arm
    run: train
    needs: [text]
    model:
      { width: 16, layers: 1, attention_heads: 2, kv_heads: 1, ffn: 24, context: 16, heads: { kind: linear, count: 3 } }
    curriculum: forward
    train:
      steps: 12
      batch: 2
      accumulate: 2
      warmup: 2
      log_every: 5
      validate_every: 6
      validate_batches: 2
      checkpoint_every: 4
  - { id: scores, run: eval, needs: [text, arm], tokens: 1e6 }
  - { id: speed, run: decode, needs: [text, arm], prompts: 3, prompt_bytes: 5, new_tokens: 8, repeats: 1 }
`;

/** Configurations of the stages, with changes as after `--set`. */
export function configs(...overrides: string[]) {
  const { stages } = parsePipeline(PIPELINE, "small.yaml", "/", overrides);
  const of = <Config>(run: string) => stages.find((stage) => stage.run === run) as Config;
  return { arm: of<TrainConfig>("train"), scores: of<EvalConfig>("eval"), speed: of<DecodeConfig>("decode") };
}

/** What a stage is given, in `<folder>/<id>`; `lines` collects its log. */
export function ioFor(
  folder: string,
  id: string,
  { stop = new AbortController().signal, needs = [] }: Partial<StageIo> = {},
): StageIo & { readonly lines: string[] } {
  const lines: string[] = [];
  Deno.mkdirSync(join(folder, id), { recursive: true });
  return {
    id,
    folder: join(folder, id),
    needs,
    interactive: false,
    stop,
    log: (line) => lines.push(line),
    progress: () => {},
    lines,
  };
}

/** The `text` stage of a folder as a need. */
export const textOf = (folder: string) => ({ id: "text", run: "prepare", folder: join(folder, "text") });
/** A trained arm of a folder as a need. */
export const armOf = (folder: string, id = "arm") => ({ id, run: "train", folder: join(folder, id) });

/** Makes `<folder>/text`: stories in several shards, of which a share is held out, or the given document. */
export async function makeText(folder: string, document?: string, heldOut = 0.1): Promise<void> {
  let input: "stories" | string[] = "stories";
  if (document !== undefined) {
    Deno.writeTextFileSync(join(folder, "a.txt"), document);
    Deno.writeTextFileSync(join(folder, "b.txt"), document);
    input = [join(folder, "a.txt"), join(folder, "b.txt")];
  }
  await prepare(
    {
      id: "text",
      run: "prepare",
      needs: [],
      input,
      bytes: 20_000,
      document: "file",
      tokenizer: "bytes",
      cleaning: { normalize: "none", min_bytes: 0, deduplicate: false },
      validation: document === undefined ? heldOut : [join(folder, "b.txt")], // equal documents go to one split
      on_error: "stop",
      shard_bytes: 8192,
      seed: 1,
    },
    ioFor(folder, "text"),
  );
}

/** Trains `<folder>/<config.id>`; returns its log. */
export async function trainArm(folder: string, config: TrainConfig, stop?: AbortSignal): Promise<string[]> {
  const io = ioFor(folder, config.id, { needs: [textOf(folder)], ...(stop && { stop }) });
  await train(config, io);
  return io.lines;
}

/** What stands in a file of JSON. */
export type Json = Record<string, unknown>;

export const readJson = (path: string): Json => JSON.parse(Deno.readTextFileSync(path));
/** The lines of an arm's metrics.jsonl. */
export const metricsOf = (arm: string): Json[] =>
  Deno.readTextFileSync(join(arm, "metrics.jsonl")).trimEnd().split("\n").map((line) => JSON.parse(line));

/** An object less some keys. */
export const without = (object: Json, ...keys: string[]): Json =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));

/** Keys of metrics.jsonl that no two runs share. */
const TIMES = ["tokens_per_s", "mfu", "rss_bytes", "memory_bytes"];
/** Whether a line of metrics.jsonl says nothing of the speed. */
const isTimeless = (line: Json): boolean => line.name !== "throughput";

/** All that a finished run promises to be the same: bytes of the last checkpoint, and every figure that is no time. */
export function results(arm: string): Json {
  const checkpoint = checkpointsIn(arm).at(-1)!;
  const { state, sha256 } = readState(checkpoint, "");
  const file = (part: string) => join(checkpoint, `${part}.safetensors`);
  return {
    checkpoint: checkpoint.slice(arm.length),
    ...Object.fromEntries(Object.keys(sha256).map((part) => [part, sha256OfFile(file(part))])),
    state: without(state, "seconds", "energy"),
    metrics: metricsOf(arm).filter(isTimeless).map((line) => without(line, ...TIMES)),
    summary: without(
      readJson(join(arm, "train.json")),
      "seconds",
      "tokens_per_s",
      "energy",
      "peak_rss_bytes",
    ),
  };
}

/** A test that computes and has a fresh folder; the number of threads is as before afterwards. */
export function withRuns(name: string, body: (folder: string) => Promise<void>): void {
  withFfi(name, async () => {
    const before = threads();
    try {
      await inFolder(body);
    } finally {
      setThreads(before);
    }
  });
}

/** A wish to stop that is there when it is asked about for the nth time: the loop asks once a step. */
export function stopAfter(steps: number): AbortSignal {
  const { signal } = new AbortController();
  let asked = 0;
  return Object.defineProperty(signal, "aborted", { get: () => ++asked >= steps });
}

/** Stops a run of 12 steps after so many of them; returns the newest checkpoint's folder, before which there is one at 4. */
export async function interrupted(
  folder: string,
  steps = 6,
): Promise<{ arm: TrainConfig; checkpoint: string }> {
  await makeText(folder);
  const { arm } = configs();
  await assert.rejects(trainArm(folder, arm, stopAfter(steps)), Interrupted);
  return { arm, checkpoint: checkpointsIn(join(folder, "arm")).at(-1)! };
}

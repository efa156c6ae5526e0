/** Whole stages in this process, on a small corpus of stories and with models that train in tenths of a second. */
import { join } from "node:path";
import { parsePipeline } from "../../src/config/load.ts";
import type { DecodeConfig, EvalConfig, TrainConfig } from "../../src/config/schema.ts";
import { run as prepare } from "../../src/data/prepare.ts";
import { sha256OfFile } from "../../src/formats/atomic.ts";
import type { StageIo } from "../../src/stage/io.ts";
import { setThreads, threads } from "../../src/torch/mod.ts";
import { checkpointsIn } from "../../src/train/checkpoint.ts";
import { run as train } from "../../src/train/train.ts";
import { withFfi } from "../support.ts";

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

/** Makes `<folder>/text`: stories in several shards, or the given document. */
export async function makeText(folder: string, document?: string): Promise<void> {
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
      validation: 0.1,
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

/** All that a finished run promises to be the same: bytes of the last checkpoint, and every figure that is no time. */
export function results(arm: string): Json {
  const checkpoint = checkpointsIn(arm).at(-1)!;
  return {
    checkpoint: checkpoint.slice(arm.length),
    model: sha256OfFile(join(checkpoint, "model.safetensors")),
    optimizer: sha256OfFile(join(checkpoint, "optimizer.safetensors")),
    state: without(readJson(join(checkpoint, "state.json")), "seconds"),
    metrics: metricsOf(arm).map((line) => without(line, "tokens_per_s", "rss_bytes")),
    summary: without(readJson(join(arm, "train.json")), "seconds", "tokens_per_s", "peak_rss_bytes"),
  };
}

/** A test that computes and has a fresh folder; the number of threads is as before afterwards. */
export function withRuns(name: string, body: (folder: string) => Promise<void>): void {
  withFfi(name, async () => {
    const before = threads();
    Deno.mkdirSync("runs/.test", { recursive: true });
    const folder = Deno.realPathSync(Deno.makeTempDirSync({ dir: "runs/.test" }));
    try {
      await body(folder);
    } finally {
      setThreads(before);
      Deno.removeSync(folder, { recursive: true });
    }
  });
}

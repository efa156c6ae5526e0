/** Finished arms without a training: a model's parameters in the files that a train stage leaves. */
import { join } from "node:path";
import type { ExportConfig } from "../../src/config/schema.ts";
import { run as exportStage } from "../../src/exchange/export.ts";
import { sha256OfFile, writeJson } from "../../src/formats/atomic.ts";
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import { type ModelOptions, MtpModel } from "../../src/model/mod.ts";
import { Scope } from "../../src/torch/mod.ts";
import { writeState } from "../../src/train/checkpoint.ts";
import { tinyOptions, withNoise } from "../model/tiny.ts";
import { armOf, ioFor } from "../train/fixture.ts";

/** The tokenizer of bytes, as meta.json has it. */
export const BYTES = { kind: "bytes", vocab: 320, endToken: 0, byteOffset: 64, tokenBytes: 1 } as const;

/** Four layers over bytes, with heads of a kind. */
export const byteOptions = (
  kind: ModelOptions["heads"]["kind"],
  count: number,
  changes: Partial<ModelOptions> = {},
): ModelOptions => ({
  ...tinyOptions(),
  vocab: 320,
  layers: 4,
  context: 64,
  heads: { kind, count },
  ...changes,
});

/** Writes `<folder>` as a train stage that has finished. `mean`: the running mean of its weights. */
export function writeArm(folder: string, model: MtpModel, tokenizer: unknown = BYTES, mean?: MtpModel): void {
  const checkpoint = join(folder, "checkpoints/step-00000003");
  Deno.mkdirSync(checkpoint, { recursive: true });
  const write = (part: string, { parameters }: MtpModel): string => {
    const file = join(checkpoint, `${part}.safetensors`);
    writeSafetensors(
      file,
      parameters.entries().map(([name, tensor]) => ({
        name,
        dtype: "F32",
        shape: tensor.shape,
        bytes: () => tensor.toBytes(),
      })),
    );
    return sha256OfFile(file);
  };
  const state = {
    step: 3,
    position: 0,
    bytes: 0,
    seconds: 0,
    window: { steps: 0, loss: 0, clipped: 0, heads: [] },
    curriculum: null,
    rng: "",
    bits_per_byte: null,
    run: { tokenizer },
    machine: { device: "cpu", threads: 1, torch: "", rows: "" },
  };
  writeState(checkpoint, state, { model: write("model", model), ...(mean && { ema: write("ema", mean) }) });
  writeJson(join(folder, "train.json"), {
    steps: 3,
    model: model.options,
    curriculum: { name: "forward" },
  });
}

/** Logits of head 1 over a sequence, row by row. */
export function logitsOf(model: MtpModel, ids: number[]): number[][] {
  using decoder = model.decoder("aten");
  using cache = decoder.newCache();
  using _scope = new Scope();
  const flat = decoder.logits(decoder.extend(ids, cache).first).toArray();
  return ids.map((_, t) => flat.slice(t * model.shape.vocab, (t + 1) * model.shape.vocab));
}

/** The largest difference between two tables of numbers. */
export function largestDifference(a: number[][], b: number[][]): number {
  if (String([a.length, a[0]!.length]) !== String([b.length, b[0]!.length])) return Infinity;
  return Math.max(...a.flatMap((row, i) => row.map((x, j) => Math.abs(x - b[i]![j]!))));
}

/** Writes `<folder>/<id>` as an arm and exports it; returns the folder of the export stage. */
export async function exported(
  folder: string,
  id: string,
  model: MtpModel,
  changes: Partial<ExportConfig> = {},
): Promise<string> {
  writeArm(join(folder, id), model);
  const io = ioFor(folder, `${id}-out`, { needs: [armOf(folder, id)] });
  await exportStage(exportConfig(changes), io);
  return io.folder;
}

export const exportConfig = (changes: Partial<ExportConfig> = {}): ExportConfig => ({
  id: "out",
  run: "export",
  needs: ["arm"],
  to: "hf",
  dtype: "float32",
  ...changes,
});

/** A model of size-1 numbers. */
export const modelOf = (options: ModelOptions): MtpModel => withNoise(new MtpModel(options, 1, "cpu"));

/** An arm of each kind of heads. */
export const KINDS: Readonly<Record<string, ModelOptions>> = {
  linear: byteOptions("linear", 3),
  tied: byteOptions("linear", 1, { tied: true, kv_heads: 4, rope_theta: 500_000, norm_eps: 1e-6 }),
  transformer: byteOptions("transformer", 3),
  residual: byteOptions("residual", 3, { heads: { kind: "residual", count: 3, layers: 2 } }),
  sequential: byteOptions("sequential", 2),
};

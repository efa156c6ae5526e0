/** train.json: what the report and later stages ask of a finished run. */
import { join } from "node:path";
import { writeJson } from "../formats/atomic.ts";
import type { MtpModel } from "../model/mod.ts";
import { type Machine, memory, versions } from "../torch/mod.ts";
import { curriculumName } from "./curriculum.ts";
import type { Energy } from "./energy.ts";
import type { Learner } from "./learner.ts";
import type { ValidationLine } from "./metrics.ts";

/** What a finished run has behind it. */
export interface Totals {
  readonly step: number;
  readonly tokens: number;
  readonly bytes: number;
  /** Of training, less validation and saving. */
  readonly seconds: number;
}

export function writeSummary(
  folder: string,
  { config, model, curriculum }: Learner,
  { step, tokens, bytes, seconds }: Totals,
  validation: ValidationLine,
  energy: Energy | null,
  { device, threads }: Machine,
): void {
  const { running: torch, rows } = versions();
  writeJson(join(folder, "train.json"), {
    steps: step,
    tokens,
    bytes,
    seconds,
    tokens_per_s: tokens / seconds,
    parameters: parameterCounts(model),
    model: model.options,
    curriculum: {
      name: curriculumName(config.curriculum),
      heads: config.model.heads.count,
      phases: curriculum.phases,
    },
    validation,
    energy,
    device,
    threads,
    precision: model.compute === "bfloat16" ? "bf16" : "fp32",
    peak_rss_bytes: memory("cpu").peak,
    versions: { torch, deno: Deno.version.deno, rows },
  });
}

/** Numbers of parameters, by part. */
export function parameterCounts(model: MtpModel): {
  embedding: number;
  trunk: number;
  heads: number[];
  total: number;
} {
  const sizes = model.parameters.entries().map(([name, tensor]): [string, number] => [name, tensor.size]);
  const sum = (chosen: (name: string) => boolean) =>
    sizes.filter(([name]) => chosen(name)).reduce((total, [, size]) => total + size, 0);
  const heads = Array.from(
    { length: model.headCount },
    (_, i) => sum((name) => `${name}.`.startsWith(`heads.${i + 1}.`)),
  );
  const embedding = sum((name) => name === "embedding");
  const trunk = sum((name) => name !== "embedding" && !name.startsWith("heads."));
  return { embedding, trunk, heads, total: sum(() => true) };
}

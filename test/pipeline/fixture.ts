/** A small pipeline, and a stage of each kind that there is. */

import { parsePipeline } from "../../src/config/load.ts";
import type { PipelineConfig, StageConfig } from "../../src/config/schema.ts";
import { type PlannedStage, stageFileOf } from "../../src/pipeline/plan.ts";
import { type Status, writeStageFile, writeStatus } from "../../src/pipeline/stage_files.ts";

const TEXT = `name: small
device: cpu
stages:
  - { id: text, run: prepare, input: stories, bytes: 2e4 }
  - id: arm
    run: train
    needs: [text]
    model: { width: 64, layers: 1, attention_heads: 2, context: 256 }
    train: { steps: 4 }
  - { id: score, run: eval, needs: [text, arm] }
  - { id: speed, run: decode, needs: [text, arm] }
  - { id: page, run: report, needs: [text, arm, score, speed] }
`;

/** The pipeline, with changes as after `--set`. */
export function smallPipeline(...overrides: string[]): PipelineConfig {
  return parsePipeline(TEXT, "small.yaml", "/base", overrides);
}

/** A stage of each kind, and a prepare stage that loads the text library. The fetch stage's endpoint is at `port`. */
export function oneOfEachKind(port: number): StageConfig[] {
  const others = `name: x
stages:
  - { id: raw, run: fetch, dataset: a/b, endpoint: 'http://127.0.0.1:${port}' }
  - { id: model, run: import, from: /nowhere/model }
  - { id: out, run: export, from: /nowhere/arm }
`;
  const words = smallPipeline("text.tokenizer=/nowhere/tokenizer.json").stages[0]!;
  return [
    ...parsePipeline(others, "x.yaml", "/base").stages,
    ...smallPipeline().stages,
    { ...words, id: "words" },
  ];
}

let clock = Date.parse("2026-01-01T00:00:00.000Z");

/** Leaves a stage as if an attempt had ended so. */
export function leave(stage: PlannedStage, state: Status["state"], seconds = 1): void {
  const { folder } = stage;
  const file = stageFileOf(stage, { file: "small.yaml", set: [] });
  Deno.mkdirSync(folder, { recursive: true });
  writeStageFile(folder, file);
  const started = new Date(clock++).toISOString();
  writeStatus(folder, { state, fingerprint: file.fingerprint, started, seconds });
}

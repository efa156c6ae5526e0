/** A small pipeline with a stage of each kind. */

import { parsePipeline } from "../../src/config/load.ts";
import type { PipelineConfig } from "../../src/config/schema.ts";
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

/** A small pipeline with a stage of each kind. */

import { parsePipeline } from "../../src/config/load.ts";
import type { PipelineConfig } from "../../src/config/schema.ts";

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

/** The train stages that a command is to show: those of a pipeline file, or one that is made up for a preset. */

import { UsageError } from "../stage/errors.ts";
import type { PipelineConfig, PrepareConfig, TrainConfig } from "../config/schema.ts";
import { loadFile } from "./command.ts";

/** A train stage, and the pipeline around it. */
export interface Training {
  readonly stage: TrainConfig;
  /** Its text. */
  readonly text: PrepareConfig;
}

/**
 * The train stages of a pipeline file.
 * @param id Only this one.
 * @param presets Names that would have done in place of a file.
 */
export async function trainingsOf(
  file: string,
  set: readonly string[],
  id: string | undefined,
  presets: readonly string[],
): Promise<Training[]> {
  const { config } = await loadFile(file, set, presets);
  const all = config.stages.filter((stage) => stage.run === "train");
  const chosen = all.filter((stage) => id === undefined || stage.id === id);
  if (chosen.length > 0) return chosen.map((stage) => ({ stage, text: textOf(stage, config) }));
  const there = all.map((stage) => stage.id).join(", ") || "none";
  throw new UsageError(`${file} has no train stage${id === undefined ? "" : ` "${id}"`}: there is ${there}`);
}

/** A training with these keys on the bytes of the built-in stories. */
export async function madeUp(id: string, keys: object): Promise<Training> {
  const { configOfStages } = await import("../config/load.ts");
  const text = { id: "text", run: "prepare", input: "stories" };
  const config = configOfStages([text, { id, run: "train", needs: ["text"], ...keys }], "made-up");
  const stage = config.stages.find((stage) => stage.run === "train")!;
  return { stage, text: textOf(stage, config) };
}

function textOf({ needs }: TrainConfig, { stages }: PipelineConfig): PrepareConfig {
  return stages.find((stage): stage is PrepareConfig => stage.run === "prepare" && needs.includes(stage.id))!;
}

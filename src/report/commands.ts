/** The commands that give a run's results again. */

import { settingsWords, taskOf } from "../formats/shell.ts";
import type { Command } from "./inputs.ts";

/** What a stage was run with. */
export interface StageCommand {
  readonly id: string;
  /** The stage's kind, which is the name of its task. */
  readonly run: string;
  /** Name of the run that it is part of. */
  readonly of: string;
  readonly command: Command;
}

/** In this order every stage comes after those that it reads. */
const KINDS = ["fetch", "prepare", "import", "train", "eval", "decode", "export", "report"];

/** One command for the pipeline where all stages had the same settings; else one for each stage, in order. */
export function commandLines(stages: readonly StageCommand[]): string[] {
  const words = ({ command }: StageCommand) => settingsWords(command);
  const alike = new Set(stages.map(words));
  if (alike.size < 2) return [...alike].map((settings) => task("pipeline", settings));
  const ordered = [...stages].sort((a, b) => KINDS.indexOf(a.run) - KINDS.indexOf(b.run));
  return ordered.map((stage) => task(taskOf(stage.run), `${words(stage)} --stage ${stage.id}`));
}

const task = (name: string, rest: string): string => `npx -y deno@2.9 task ${name} ${rest}`;

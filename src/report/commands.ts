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

/**
 * Run by run: one command for the pipeline where all stages had the same settings; else one for each kind of stage whose
 * stages had, and one for each stage of the other kinds, in order.
 */
export function commandLines(stages: readonly StageCommand[]): string[] {
  return [...Map.groupBy(stages, ({ of }) => of).values()].flatMap(linesOfRun);
}

function linesOfRun(stages: readonly StageCommand[]): string[] {
  const alike = settingsOf(stages);
  if (alike.length === 1) return [lineFor("pipeline", stages[0]!)];
  const kinds = [...Map.groupBy(stages, ({ run }) => run)].sort(([a], [b]) =>
    KINDS.indexOf(a) - KINDS.indexOf(b)
  );
  return kinds.flatMap(([run, stages]) => {
    const isOne = stages.length > 1 && settingsOf(stages).length === 1 && taskOf(run) === run;
    if (isOne) return [lineFor(run, stages[0]!)];
    return stages.map((stage) =>
      lineFor(taskOf(run), stage, ` --stage ${stage.id.slice(stage.id.lastIndexOf("/") + 1)}`)
    );
  });
}

const settingsOf = (stages: readonly StageCommand[]): string[] => [
  ...new Set(stages.map(({ command }) => settingsWords(command))),
];

/** A command that needs no pipeline file stands where else the file does: `foretoken compare a b`. */
function lineFor(task: string, { command }: StageCommand, rest = ""): string {
  const words = command.file.startsWith("foretoken ")
    ? command.file
    : `${task} ${settingsWords(command)}${rest}`;
  return `npx -y deno@2.9 task ${words}`;
}

/** `foretoken curriculum show`: which heads are trained when, before anything is trained. */

import type { Command } from "@commander-js/extra-typings";
import { EXIT } from "../stage/errors.ts";
import { collect, command, type Finish, JSON_OPTION, SET, wholeNumber } from "./command.ts";
import { writeResult } from "./terminal.ts";
import { madeUp, trainingsOf } from "./trainings.ts";

export function addCurriculumCommand(program: Command, finish: Finish): void {
  program.addCommand(
    command("curriculum", "draw a curriculum", "foretoken curriculum show forward --heads 4 --steps 1000")
      .addCommand(
        command(
          "show",
          "phases, a chart of the heads' weights and the learning rate, what each head gets",
          "foretoken curriculum show quickstart --stage forward",
          "foretoken curriculum show reverse-refresh --heads 4 --steps 1000",
          "foretoken curriculum show my.yaml --set '*.train.steps=5000' --json",
        )
          .argument("<curriculum>", "a pipeline file or its name; or a preset, such as forward-reverse")
          .option("--stage <id>", "of a pipeline: only this train stage")
          .option(...SET, collect)
          .option("--heads <n>", "of a preset: prediction heads", wholeNumber(1), 4)
          .option("--steps <n>", "of a preset: optimizer steps", wholeNumber(1), 1000)
          .option(...JSON_OPTION)
          .action(async (given, { stage, set = [], heads, steps, json = false }) => {
            const { PRESETS } = await import("../config/schema/curriculum.ts");
            const trainings = (PRESETS as readonly string[]).includes(given)
              ? [await presetTraining(given, heads, steps)]
              : await trainingsOf(given, set, stage, PRESETS);
            const stages = trainings.map(({ stage }) => stage);
            const [{ curriculumName, phasesOf }, { showCurriculum }] = await Promise.all([
              import("../train/curriculum.ts"),
              import("../train/curriculum/show.ts"),
            ]);
            writeResult(
              json,
              () => stages.flatMap((stage) => [...showCurriculum(stage), ""]).slice(0, -1),
              () =>
                stages.map(({ id, curriculum, model: { heads: { count } }, train: { steps } }) => ({
                  id,
                  curriculum: curriculumName(curriculum),
                  heads: count,
                  steps,
                  phases: phasesOf(curriculum, count, steps),
                })),
            );
            finish(EXIT.done);
          }),
      ),
  );
}

function presetTraining(curriculum: string, heads: number, steps: number) {
  const model = { preset: "1m", context: 256, heads: { count: heads } };
  return madeUp(curriculum, { model, curriculum, train: { steps } });
}

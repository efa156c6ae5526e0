/** `foretoken runs`: what has been run, how far each run is, and the room that it takes. */

import type { Command } from "@commander-js/extra-typings";
import { EXIT } from "../stage/errors.ts";
import { command, type Finish, JSON_OPTION, RUNS } from "./command.ts";
import { writeResult } from "./terminal.ts";

export function addRunsCommand(program: Command, finish: Finish): void {
  program.addCommand(
    command(
      "runs",
      "list runs: when, which stages are done or failed, how much room they take",
      "foretoken runs",
      "foretoken runs --json | jq -r '.[] | select(.failed > 0) | .name'",
    )
      .option(...RUNS)
      .option(...JSON_OPTION)
      .action(async ({ runs, json = false }) => {
        const { listRuns, showRuns } = await import("./run_list.ts");
        const found = listRuns(runs);
        writeResult(json, () => showRuns(found, runs), () => found);
        finish(EXIT.done);
      }),
  );
}

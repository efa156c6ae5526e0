/** `foretoken watch`: a page on this machine that draws a run while it goes on, served by a process of its own. */

import type { Command } from "@commander-js/extra-typings";
import { EXIT, UsageError } from "../stage/errors.ts";
import { stopOnSignals } from "../stage/signals.ts";
import { command, type Finish, RUNS, wholeNumber } from "./command.ts";

export function addWatchCommand(program: Command, finish: Finish): void {
  program.addCommand(
    command(
      "watch",
      "draw a run in a browser while it goes on",
      "foretoken watch quickstart",
      "foretoken watch quickstart --port 0     at a port that is free",
    )
      .argument("<run>", "a run in --runs, or its folder")
      .option(
        "--port <n>",
        "of 127.0.0.1, where the page is served; 0: any that is free",
        wholeNumber(0),
        7342,
      )
      .option(...RUNS)
      .action(async (given, { port, runs }) => {
        const [{ findRun }, { findPlaces, startWatch }] = await Promise.all([
          import("../pipeline/results.ts"),
          import("../pipeline/start.ts"),
        ]);
        if (port > 65535) throw new UsageError(`--port ${port}: ports end at 65535`);
        const child = startWatch(port, findPlaces(findRun(given, runs).folder));
        stopOnSignals(() => child.kill("SIGTERM"));
        const { code } = await child.status;
        finish(code === 0 ? EXIT.done : EXIT.failed);
      }),
  );
}

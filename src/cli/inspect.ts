/** `foretoken inspect`: what a prepared text holds. */

import { join, resolve } from "node:path";
import type { Command } from "@commander-js/extra-typings";
import { EXIT, UsageError } from "../stage/errors.ts";
import { command, type Finish, JSON_OPTION, RUNS, wholeNumber } from "./command.ts";
import { writeResult } from "./terminal.ts";

export function addInspectCommand(program: Command, finish: Finish): void {
  program.addCommand(
    command(
      "inspect",
      "show what a prepared text holds: counts, lengths, tokens, samples",
      "foretoken inspect quickstart",
      "foretoken inspect runs/quickstart/text --samples 10 --seed 7",
    )
      .argument("<text>", "a run, RUN/STAGE of a prepare stage, or a folder of shards")
      .option("--samples <n>", "documents drawn at random", wholeNumber(0), 3)
      .option("--seed <n>", "of the draw", wholeNumber(0), 0)
      .option(...RUNS)
      .option(...JSON_OPTION)
      .action(async (text, { samples, seed, runs, json = false }) => {
        const [{ inspect }, { openShardSet }, { statisticsOf }] = await Promise.all([
          import("../data/inspect.ts"),
          import("../data/shards.ts"),
          import("../data/statistics.ts"),
        ]);
        const folder = await shardFolder(text, runs);
        const options = { samples, seed };
        const value = () => {
          const set = openShardSet(folder);
          return { folder, meta: set.meta, statistics: statisticsOf(set, options) };
        };
        writeResult(json, () => inspect(folder, options), value);
        finish(EXIT.done);
      }),
  );
}

async function shardFolder(given: string, runs: string): Promise<string> {
  const { findStage } = await import("../pipeline/results.ts");
  const isThere = (path: string) => Deno.stat(path).then(() => true, () => false);
  const folder = resolve(given);
  if (await isThere(join(folder, "meta.json"))) return folder;
  try {
    return findStage(given, "prepare", runs);
  } catch (error) {
    if (!await isThere(folder)) throw error;
    throw new UsageError(`"${given}" holds no meta.json: it is no prepared text, and no run that has one`);
  }
}

/** `foretoken compare`: one page over several runs, or over arms of several runs. */

import type { Command } from "@commander-js/extra-typings";
import { basename, dirname } from "node:path";
import { shellWord } from "../formats/shell.ts";
import { UsageError } from "../stage/errors.ts";
import { command, type Finish, RUNS } from "./command.ts";
import { runStage } from "./one_stage.ts";

export function addCompareCommand(program: Command, finish: Finish): void {
  program.addCommand(
    command(
      "compare",
      "one report over several runs: what `pipeline` reports of one, side by side",
      "foretoken compare quickstart books               into runs/compare-quickstart-books/report/",
      "foretoken compare study/ntp-s1 other/ntp-s1      these arms only",
      "foretoken compare study ~/old/study --name both  a run from anywhere",
    )
      .argument("<run...>", "names of runs or their folders; RUN/ARM for one arm")
      .option("--name <name>", "the folder in --runs; default made of the runs' names")
      .option(...RUNS)
      .action(async (given, { name, runs }) => {
        const from = await findSources(given, runs);
        const names = from.flatMap(({ run, arms }) => [basename(run), ...(arms ?? [])]);
        const flags = [
          ...(name === undefined ? [] : ["--name", name]),
          ...(runs === "runs" ? [] : ["--runs", runs]),
        ];
        finish(
          await runStage({
            stage: { id: "report", run: "report", from },
            name: name ?? ["compare", ...names].join("-"),
            runs,
            force: true, // what it took to find out whether something has changed, the page takes too
            again: ["foretoken compare", ...[...given, ...flags].map(shellWord)].join(" "),
          }),
        );
      }),
  );
}

/** A run's folder, absolute; all its arms, or some. */
interface Compared {
  readonly run: string;
  readonly arms?: string[];
}

/** Each run once, whatever its arms were named by. */
async function findSources(given: readonly string[], runs: string): Promise<Compared[]> {
  const { findRun, findStage } = await import("../pipeline/results.ts");
  const placeOf = (word: string): readonly [run: string, arm?: string] => {
    try {
      return [findRun(word, runs).folder];
    } catch (error) {
      if (!(error instanceof UsageError) || ["/", "."].includes(dirname(word))) throw error;
      const stage = findStage(word, "train", runs);
      return [dirname(stage), basename(stage)];
    }
  };
  const found = new Map<string, Compared>();
  for (const word of given) {
    const [run, arm] = placeOf(word);
    const before = found.get(run);
    const isWhole = arm === undefined || before !== undefined && before.arms === undefined;
    found.set(run, isWhole ? { run } : { run, arms: [...new Set([...before?.arms ?? [], arm])] });
  }
  return [...found.values()];
}

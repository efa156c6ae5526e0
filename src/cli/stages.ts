/** Commands that run a pipeline file or the stages of one kind, and `plan`, which only tells. */

import type { Command } from "@commander-js/extra-typings";
import type { StageKind } from "../config/schema.ts";
import type { Order } from "../pipeline/run.ts";
import { EXIT, UsageError } from "../stage/errors.ts";
import {
  collect,
  command,
  FILE,
  type Finish,
  JSON_OPTION,
  orderFor,
  run,
  RUNS,
  SET,
  wholeNumber,
} from "./command.ts";
import { writeResult } from "./terminal.ts";

/** Kinds with a command of their own; fetching, importing and exporting have one that needs no pipeline file. */
const KINDS: Partial<Record<StageKind, readonly [what: string, example: string]>> = {
  prepare: [
    "turn text into shards",
    "foretoken prepare quickstart --set name=books --set text.input='[books]'",
  ],
  train: [
    "train models; an interrupted training goes on where it was",
    "foretoken train quickstart --stage forward --set forward.train.steps=2000",
  ],
  eval: [
    "measure bits per byte and accuracy on held-out text",
    "foretoken eval quickstart --set eval.split=test",
  ],
  decode: [
    "measure decoding: plain against several tokens a forward",
    "foretoken decode quickstart --set decode.mode=exact",
  ],
  report: ["write the page with figures and charts", "foretoken report quickstart"],
};

export function addStageCommands(program: Command, finish: Finish): void {
  program.addCommand(
    command(
      "pipeline",
      "run all stages of a pipeline; one that fails stops only what needs it",
      "foretoken pipeline quickstart",
      "foretoken pipeline my.yaml --set name=second --set '*.train.steps=1000'",
      "foretoken pipeline study_small --dry-run          what would run, may touch what, takes how long",
      "foretoken pipeline study_small --jobs 2           two stages side by side; decode stages run alone",
      "foretoken pipeline study_small --only eval        one stage, or all of a matrix; its needs are done",
      "foretoken pipeline study_small --from eval        these and all that need them",
      "foretoken pipeline study_small --force decode     these start over, and what needs them follows",
    )
      .argument(...FILE)
      .option("--only <stage>", "only this stage, or the stages of this matrix; may be repeated", collect)
      .option("--from <stage>", "only this stage and all that need it; may be repeated", collect)
      .option(...SET, collect)
      .option(
        "--force [stage]",
        "start this stage over; may be repeated. Without a stage (then behind the file): all whose settings have changed, trained models included",
        (
          stage: string,
          before: string[] | true | undefined,
        ) => [...(Array.isArray(before) ? before : []), stage],
      )
      .option("--jobs <n>", "stages side by side, which share the cores", wholeNumber(1, 1024), 1)
      .option(...RUNS)
      .option("--dry-run", "only say what would run, what it may touch and how long it takes, as `plan` does")
      .option("--json", "with --dry-run: print one JSON value, for scripts")
      .action(async (file, { only, from, set = [], force = false, jobs, runs, dryRun, json = false }) => {
        if (json && !dryRun) throw new UsageError("--json goes with --dry-run");
        const selection = {
          force: force as boolean | string[],
          ...(only === undefined ? {} : { only }),
          ...(from === undefined ? {} : { from }),
        };
        const order = { ...await orderFor(file, set, runs, selection), jobs };
        finish(await (dryRun ? printPlan(order, json) : run(order)));
      }),
  );

  for (const [kind, [what, example]] of Object.entries(KINDS) as [StageKind, [string, string]][]) {
    program.addCommand(
      command(kind, `${what} (the ${kind} stages of a pipeline)`, example)
        .argument(...FILE)
        .option("--stage <id>", "only this stage, or the stages of this matrix; may be repeated", collect)
        .option(...SET, collect)
        .option("--force", "start over where settings have changed; with --stage in any case")
        .option("--jobs <n>", "stages side by side, which share the cores", wholeNumber(1, 1024), 1)
        .option(...RUNS)
        .action(async (file, { stage, set = [], force = false, jobs, runs }) => {
          const selection = { kind, force, ...(stage === undefined ? {} : { only: stage }) };
          finish(await run({ ...await orderFor(file, set, runs, selection), jobs }));
        }),
    );
  }

  program.addCommand(
    command(
      "plan",
      "say which stages would run, and what each may read, write and reach",
      "foretoken plan quickstart",
      "foretoken plan my.yaml --set device=cpu --json",
    )
      .argument(...FILE)
      .option(...SET, collect)
      .option(...RUNS)
      .option(...JSON_OPTION)
      .action(async (file, { set = [], runs, json = false }) => {
        finish(await printPlan(await orderFor(file, set, runs, { force: false }), json));
      }),
  );

  program.addCommand(
    command("doctor", "say what was found on this machine, and what is slow and why", "deno task doctor")
      .action(() => {
        // It loads the shim, which this process may not: a task with other permissions does it.
        throw new UsageError("Run `deno task doctor`: this command may not load native code");
      }),
  );
}

async function printPlan(order: Order, json: boolean): Promise<number> {
  const { describePlan, planAsJson } = await import("../pipeline/describe.ts");
  writeResult(json, () => [describePlan(order)], () => planAsJson(order));
  return EXIT.done;
}

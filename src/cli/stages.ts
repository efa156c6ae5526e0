/** Commands that run a pipeline file or the stages of one kind, and `plan`, which only tells. */

import type { Command } from "@commander-js/extra-typings";
import type { StageKind } from "../config/schema.ts";
import type { Order } from "../pipeline/run.ts";
import { EXIT, UsageError } from "../stage/errors.ts";
import { collect, command, FILE, type Finish, JSON_OPTION, orderFor, run, RUNS, SET } from "./command.ts";
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
      "run all stages of a pipeline, in order",
      "foretoken pipeline quickstart",
      "foretoken pipeline my.yaml --set name=second --set '*.train.steps=1000'",
      "foretoken pipeline my.yaml --stage raw       only one stage; what it needs has run before",
    )
      .argument(...FILE)
      .option("--stage <id>", "only this stage")
      .option(...SET, collect)
      .option("--force", "start stages over whose settings have changed, trained models included")
      .option(...RUNS)
      .option("--dry-run", "only say what would run, as `plan` does")
      .action(async (file, { stage, set = [], force = false, runs, dryRun }) => {
        const selection = { force, ...(stage === undefined ? {} : { id: stage }) };
        const order = await orderFor(file, set, runs, selection);
        finish(await (dryRun ? printPlan(order, false) : run(order)));
      }),
  );

  for (const [kind, [what, example]] of Object.entries(KINDS) as [StageKind, [string, string]][]) {
    program.addCommand(
      command(kind, `${what} (the ${kind} stages of a pipeline)`, example)
        .argument(...FILE)
        .option("--stage <id>", "only this stage")
        .option(...SET, collect)
        .option("--force", "start over where settings have changed; with --stage in any case")
        .option(...RUNS)
        .action(async (file, { stage, set = [], force = false, runs }) => {
          const selection = { kind, force, ...(stage === undefined ? {} : { id: stage }) };
          finish(await run(await orderFor(file, set, runs, selection)));
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

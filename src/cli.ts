/** The command line: `foretoken pipeline|prepare|train|eval|decode|report|plan FILE`. Loads what a command needs only then. */

import { Command, CommanderError } from "@commander-js/extra-typings";
import type { StageKind } from "./config/schema.ts";
import { EXIT, InUse, UsageError, UserError } from "./stage/errors.ts";

const KINDS: Record<StageKind, string> = {
  prepare: "turn text into shards",
  train: "train models; an interrupted training goes on where it was",
  eval: "measure bits per byte and accuracy on held-out text",
  decode: "measure decoding: plain against several tokens a forward",
  report: "write the page with figures and charts",
};

const EXAMPLES = `
Examples:
  foretoken pipeline quickstart                 everything in pipelines/quickstart.yaml
  foretoken pipeline my.yaml                    the same for a file of your own
  foretoken plan quickstart                     what would run, and what each stage may touch
  foretoken train quickstart --stage forward    one stage; what it needs has run before
  foretoken pipeline quickstart --set text.input='books/*.txt' --set name=books
  foretoken pipeline quickstart --set '*.train.steps=1000' --set device=cpu

In a checkout, foretoken is \`deno task foretoken\`; \`deno task train ...\` is short for \`deno task foretoken train ...\`.
What has run before with the same settings is not run again. After Ctrl-C, the same command goes on.
Exit codes: 0 done, 1 failed, 2 wrong command line or file, 69 in use by another process,
75 stopped (run the same command again).`;

const write = (text: string) => {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
};
const complain = (text: string) => {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
};

/** Builds the commands; `finish` gets the exit code of the one that ran. */
function commandLine(finish: (code: number) => void): Command {
  const program: Command = new Command("foretoken")
    .description("Train small language models that predict several tokens ahead, and measure what it buys.")
    .exitOverride()
    .configureOutput({
      writeOut: write,
      writeErr: complain,
      // commander would ask the environment, which takes a permission on a terminal only
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError("(foretoken --help shows examples)")
    .addHelpText("after", EXAMPLES);

  program.command("pipeline")
    .description("run all stages of a pipeline, in order")
    .argument("<file>", "a pipeline file, or the name of one in pipelines/")
    .option("--set <path=value>", "change a key of the file; may be repeated", collect, [])
    .option("--force", "start stages over whose settings have changed, trained models included", false)
    .option("--runs <folder>", "where results go, a folder for each pipeline", "runs")
    .option("--dry-run", "only say what would run, as `plan` does", false)
    .action(async (file, { set, force, runs, dryRun }) => {
      const order = await orderFor(file, set, runs, { force });
      finish(await (dryRun ? printPlan(order) : run(order)));
    });

  for (const [kind, what] of Object.entries(KINDS) as [StageKind, string][]) {
    program.command(kind)
      .description(`${what} (the ${kind} stages of a pipeline)`)
      .argument("<file>", "a pipeline file, or the name of one in pipelines/")
      .option("--stage <id>", "only this stage")
      .option("--set <path=value>", "change a key of the file; may be repeated", collect, [])
      .option("--force", "start over where settings have changed; with --stage in any case", false)
      .option("--runs <folder>", "where results go, a folder for each pipeline", "runs")
      .action(async (file, { stage, set, force, runs }) => {
        const selection = { kind, force, ...(stage === undefined ? {} : { id: stage }) };
        finish(await run(await orderFor(file, set, runs, selection)));
      });
  }

  program.command("plan")
    .description("say which stages would run, and what each may read and write")
    .argument("<file>", "a pipeline file, or the name of one in pipelines/")
    .option("--set <path=value>", "change a key of the file; may be repeated", collect, [])
    .option("--runs <folder>", "where results go, a folder for each pipeline", "runs")
    .action(async (file, { set, runs }) => {
      finish(await printPlan(await orderFor(file, set, runs, { force: false })));
    });

  program.command("doctor")
    .description("say what was found on this machine, and what is slow and why")
    .action(() => {
      // It loads the shim, which this process may not: a task with other permissions does it.
      throw new UsageError("Run `deno task doctor`: this command may not load native code");
    });
  return program;
}

type Order = import("./pipeline/run.ts").Order;

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

async function orderFor(
  given: string,
  set: readonly string[],
  runs: string,
  selection: Order["selection"],
): Promise<Order> {
  const [{ loadPipeline }, { findPipelineFile, fromProject }] = await Promise.all([
    import("./config/load.ts"),
    import("./pipeline/find.ts"),
  ]);
  const file = findPipelineFile(given);
  const config = await loadPipeline(file, set);
  return { config, file: given, command: { file: fromProject(file), set }, runs, selection };
}

async function run(order: Order): Promise<number> {
  const { runPipeline } = await import("./pipeline/run.ts");
  return await runPipeline(order);
}

async function printPlan(order: Order): Promise<number> {
  const { describePlan } = await import("./pipeline/describe.ts");
  write(`${describePlan(order)}\n`);
  return EXIT.done;
}

/** Runs a command line and returns its exit code. */
async function main(args: readonly string[]): Promise<number> {
  let code: number = EXIT.done;
  const program = commandLine((ended) => code = ended);
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    complain(`${error instanceof UserError ? error.message : (error as Error).stack ?? String(error)}\n`);
    if (error instanceof InUse) return EXIT.inUse;
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));

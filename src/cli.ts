/** The command line: `foretoken pipeline|train|fetch|inspect|... `. Loads what a command needs only then. */

import { Command, CommanderError } from "@commander-js/extra-typings";
import { addCompareCommand } from "./cli/compare.ts";
import { addCompletionCommands } from "./cli/completion.ts";
import { addCurriculumCommand } from "./cli/curriculum.ts";
import { addExchangeCommands } from "./cli/exchange.ts";
import { addFetchCommand } from "./cli/fetch.ts";
import { addGenerateCommand } from "./cli/generate.ts";
import { addHelpCommand } from "./cli/help.ts";
import { hintFor } from "./cli/hints.ts";
import { addInspectCommand } from "./cli/inspect.ts";
import { addModelCommand } from "./cli/model.ts";
import { addRunsCommand } from "./cli/runs.ts";
import { addStageCommands } from "./cli/stages.ts";
import type { Finish } from "./cli/command.ts";
import { addWatchCommand } from "./cli/watch.ts";
import { complain, write } from "./cli/terminal.ts";
import { topicLines } from "./cli/topics.ts";
import { EXIT, InUse, UsageError, UserError } from "./stage/errors.ts";

const EXAMPLES = `
Examples:
  foretoken pipeline quickstart               all of pipelines/quickstart.yaml
  foretoken pipeline my.yaml                  the same for a file of your own
  foretoken plan quickstart                   what would run, and may touch what
  foretoken train quickstart --stage forward  one stage; what it needs has run
  foretoken pipeline quickstart --set text.input='books/*.txt' --set name=books
  foretoken pipeline quickstart --set '*.train.steps=1000' --set device=cpu
  foretoken fetch minipile                    a public data set
  foretoken generate quickstart/forward --prompt 'The fox'
  foretoken compare quickstart books          one report over several runs
  foretoken train --help                      a command's options and examples

In a checkout, foretoken is \`deno task foretoken\`; \`deno task train ...\` is short
for \`deno task foretoken train ...\`. What has run before with the same settings is
not run again. After Ctrl-C, the same command goes on.

Topics (foretoken help TOPIC):
${topicLines().join("\n")}

Exit codes: 0 done, 1 failed, 2 wrong command line or file, 69 in use by another
process, 75 stopped (run the same command again), 130 stopped with nothing to save.`;

/** Builds the commands; `finish` gets the exit code of the one that ran. */
export function commandLine(finish: Finish): Command {
  const program: Command = new Command("foretoken")
    .description("Train small language models that predict several tokens ahead, and measure what it buys.")
    .addHelpText("after", EXAMPLES);
  program.commandsGroup("Pipelines and their stages:");
  addStageCommands(program, finish);
  program.commandsGroup("Data and models from elsewhere:");
  addFetchCommand(program, finish);
  addExchangeCommands(program, finish);
  program.commandsGroup("Using a trained model:");
  addGenerateCommand(program, finish);
  program.commandsGroup("Looking:");
  addRunsCommand(program, finish);
  addInspectCommand(program, finish);
  addModelCommand(program, finish);
  addCurriculumCommand(program, finish);
  addWatchCommand(program, finish);
  addCompareCommand(program, finish);
  program.commandsGroup("Help:");
  addHelpCommand(program, finish);
  addCompletionCommands(program, finish);
  for (const command of [program, ...commandsBelow(program)]) {
    command.exitOverride()
      .configureOutput({
        writeOut: write,
        writeErr: complain,
        // commander would ask the environment, which takes a permission on a terminal only
        getOutHasColors: () => false,
        getErrHasColors: () => false,
      })
      .showHelpAfterError(`(${nameOf(command)} --help shows examples)`);
  }
  return program;
}

function commandsBelow(command: CommandLike): Command[] {
  return command.commands.flatMap((below) => [below as Command, ...commandsBelow(below)]);
}
type CommandLike = Pick<Command, "commands">;

/** `foretoken train` */
function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent as Command)} ${command.name()}` : command.name();
}

/** Runs a command line and returns its exit code. */
async function main(args: readonly string[]): Promise<number> {
  let code: number = EXIT.done;
  const program = commandLine((ended) => code = ended);
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.done;
      complain(hintFor(error, args).map((line) => `${line}\n`).join(""));
      return EXIT.usage;
    }
    complain(`${error instanceof UserError ? error.message : (error as Error).stack ?? String(error)}\n`);
    if (error instanceof InUse) return EXIT.inUse;
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));

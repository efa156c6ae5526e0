/** `foretoken completion`: scripts for shells, and the hidden command that these ask what may be typed. */

import { Argument, type Command } from "@commander-js/extra-typings";
import { dirname, join } from "node:path";
import { EXIT } from "../stage/errors.ts";
import { command, type Finish } from "./command.ts";
import type { Completing } from "./completion/scripts.ts";
import { write } from "./terminal.ts";

const HELP = `
What is completed: commands, options and their values, names of pipelines and .yaml files, runs and their arms, ids
of stages, and keys of a pipeline file after --set, level by level. In a checkout \`deno task foretoken ...\` and
\`deno task train ...\` are completed as well (not behind npx), as long as the shell is in the checkout.`;

export function addCompletionCommands(program: Command, finish: Finish): void {
  program.addCommand(
    command(
      "completion",
      "print a script that lets a shell complete commands, files, stages and keys",
      "deno task -q foretoken completion fish > ~/.config/fish/conf.d/foretoken.fish",
      "source <(cd ~/foretoken && deno task -q foretoken completion bash)    in ~/.bashrc, with the checkout's folder",
      "source <(cd ~/foretoken && deno task -q foretoken completion zsh)     in ~/.zshrc, after compinit",
    )
      .addArgument(new Argument("<shell>", "which shell's").choices(["bash", "zsh", "fish"] as const))
      .addHelpText("after", HELP)
      .action(async (shell) => {
        const { completionScript } = await import("./completion/scripts.ts");
        write(completionScript(shell, thisProgram()));
        finish(EXIT.done);
      }),
  );

  program.addCommand(
    command("complete", "what may stand at the end of a command line", "foretoken complete -- plan quick")
      .argument("[words...]", "after the program's name; the last one is being typed")
      .allowUnknownOption()
      .action(async (words) => {
        finish(EXIT.done); // whatever happens: a shell that completes has no place for an error
        try {
          const { candidatesFor } = await import("./completion/candidates.ts");
          const { words: candidates, files } = await candidatesFor(program, words);
          const lines = candidates.map(({ value, about = "" }) =>
            `${value}\t${about.replaceAll(/\s+/g, " ")}`
          );
          write(
            [...lines, ...(files === undefined ? [] : [`:${files}`])].map((line) => `${line}\n`).join(""),
          );
        } catch {
          // Half a word may name a file that is not there, or one that is wrong: nothing to offer.
        }
      }),
    { hidden: true },
  );
}

/** How this program is started again, with no more than it takes to read. */
function thisProgram(): Completing {
  if (Deno.build.standalone) return { program: ["foretoken"] };
  const folder = dirname(dirname(import.meta.dirname!));
  const flags = ["--quiet", "--no-prompt", "--cached-only", "--ignore-env", "--allow-read"];
  const config = ["--config", join(folder, "deno.json")];
  const { tasks } = JSON.parse(Deno.readTextFileSync(join(folder, "deno.json"))) as {
    tasks: Record<string, { command: string }>;
  };
  return {
    program: [Deno.execPath(), "run", ...flags, ...config, join(folder, "src/cli.ts")],
    checkout: {
      folder,
      tasks: Object.keys(tasks).filter((name) => tasks[name]!.command === `deno task -q foretoken ${name}`),
    },
  };
}

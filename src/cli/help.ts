/** `foretoken help`: a command's options, or a page about a topic. */

import type { Command, CommandUnknownOpts } from "@commander-js/extra-typings";
import { didYouMean } from "../config/nearest.ts";
import { EXIT, UsageError } from "../stage/errors.ts";
import { command, type Finish } from "./command.ts";
import { render } from "./markdown.ts";
import { write } from "./terminal.ts";
import { isTopic, topicLines, topicPage, TOPICS } from "./topics.ts";

export function addHelpCommand(program: Command, finish: Finish): void {
  program.helpCommand(false); // commander's own knows commands alone
  program.addCommand(
    command(
      "help",
      "show a command's options and examples, or a page about a topic",
      "foretoken help                 commands and topics",
      "foretoken help train",
      "foretoken help model show",
      "foretoken help curricula | less",
    )
      .argument("[command or topic...]", "such as train, model show, curricula")
      .addHelpText("after", ["", "Topics:", ...topicLines()].join("\n"))
      .action((words) => {
        show(words, program);
        finish(EXIT.done);
      }),
  );
}

function show(words: readonly string[], program: CommandUnknownOpts): void {
  const [first] = words;
  if (words.length === 1 && isTopic(first!)) {
    const isTerminal = Deno.stdout.isTerminal();
    const width = isTerminal ? Math.min(Deno.consoleSize().columns || 80, 100) : 80;
    return write(render(topicPage(first), { width, bold: isTerminal && !Deno.noColor }));
  }
  let about = program;
  for (const word of words) {
    const below = about.commands.find((one) => one.name() === word);
    if (below === undefined) throw unknown(word, about, about === program);
    about = below;
  }
  about.outputHelp();
}

function unknown(word: string, above: CommandUnknownOpts, isFirst: boolean): UsageError {
  const topics = isFirst ? Object.keys(TOPICS) : [];
  const known = [...topics, ...above.commands.map((command) => command.name())];
  const what = isFirst ? "no command and no topic" : `no command of ${above.name()}`;
  const more = isFirst ? `topics are ${topics.join(", ")}` : `there is ${known.join(", ")}`;
  return new UsageError(`"${word}" is ${what}${didYouMean(word, known) || `; ${more}`}`);
}

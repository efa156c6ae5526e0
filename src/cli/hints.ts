/** What a command line that commander refuses may have been meant to be. */

import { join } from "node:path";
import { isTopic } from "./topics.ts";

/** What is known of the refusal. */
interface Refusal {
  /** commander's name for it. */
  readonly code: string;
  readonly message: string;
}

/** Commands that choose among stages. A whole pipeline calls that `--only`, the stages of one kind `--stage`. */
const CHOOSING = ["pipeline", "prepare", "train", "eval", "decode", "report"];

/** Lines that follow commander's message; none where there is nothing to add. */
export function hintFor({ code, message }: Refusal, args: readonly string[]): string[] {
  if (code === "commander.unknownCommand") return ofUnknownCommand(args[0] ?? "");
  if (code === "commander.excessArguments") return ofExcess(args);
  if (code === "commander.unknownOption") return ofUnknownOption(/'(--\w+)/.exec(message)?.[1], args[0]!);
  return [];
}

function ofUnknownCommand(word: string): string[] {
  if (isTopic(word)) return [`${word} is a topic: foretoken help ${word}`];
  const pipelines = join(import.meta.dirname!, "../../pipelines");
  const isPipeline = /\.ya?ml$/.test(word) ||
    (/^[\w-]+$/.test(word) && isFile(join(pipelines, `${word}.yaml`)));
  return isPipeline ? [`${word} is a pipeline: foretoken pipeline ${word}`] : [];
}

function ofUnknownOption(option: string | undefined, command: string): string[] {
  const [its, others] = command === "pipeline" ? ["--only", "--stage"] : ["--stage", "--only"];
  return option === others && CHOOSING.includes(command) ? [`${command} calls it ${its}`] : [];
}

/** A shell cuts a change at its spaces, and makes two words of `{a,b}`. */
function ofExcess(args: readonly string[]): string[] {
  const changes = args.flatMap((word, i) => {
    if (word === "--set") return args[i + 1] ?? [];
    return word.startsWith("--set=") ? word.slice("--set=".length) : [];
  });
  const cut = changes.find((change) => isOpen(change));
  if (cut !== undefined) {
    const at = args.findIndex((word) => word.endsWith(cut));
    const end = args.findIndex((word, i) => i > at && word.startsWith("-"));
    const whole = args.slice(at, end < 0 ? undefined : end).join(" ").replace(/^--set=/, "");
    return [`The shell has cut a change at its spaces; in quotes it is one word: --set '${whole}'`];
  }
  const loose = args.find((word, i) => /^[\w.*]+=/.test(word) && args[i - 1] !== "--set");
  return loose === undefined
    ? []
    : [`Each change has a --set of its own, and braces need quotes: --set '${loose}'`];
}

/** Whether a bracket, a brace or a quote is not closed. */
function isOpen(text: string): boolean {
  const count = (of: RegExp) => text.match(of)?.length ?? 0;
  return count(/[[{]/g) > count(/[\]}]/g) || count(/"/g) % 2 === 1;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/**
 * What may stand at the end of a command line that is being typed: subcommands, options and their values, from the
 * commands themselves. The shells' scripts ask for this; what takes a look at files is in values.ts.
 */

import type { CommandUnknownOpts as Command, Option } from "@commander-js/extra-typings";
import { argumentValues, optionValues, type Situation } from "./values.ts";

/** A word that may be typed here. */
export interface Candidate {
  /** The whole word; one that ends in `/`, `.` or `=` is the beginning of a word. */
  readonly value: string;
  readonly about?: string;
}

/** What the shell has to look up itself: it knows quotes and `~`. */
export type Files = "files" | "folders";

/** All that may stand in a place. */
export interface Candidates {
  readonly words: readonly Candidate[];
  readonly files?: Files;
}

const NONE: Candidates = { words: [] };

/**
 * What the last one of some words may be.
 *
 * @param words After the program's name; the last one, perhaps empty, is being typed.
 */
export async function candidatesFor(program: Command, words: readonly string[]): Promise<Candidates> {
  // The quote that opens the word stays the shell's: what comes back is what is meant.
  const current = (words.at(-1) ?? "").replace(/^['"]/, "");
  const found = await allFor(program, words.slice(0, -1), current);
  return { ...found, words: found.words.filter(({ value }) => value.startsWith(current)) };
}

async function allFor(program: Command, before: readonly string[], current: string): Promise<Candidates> {
  const { command, situation, waiting, onlyArguments } = read(program, before);
  if (waiting?.required) return await valuesOf(waiting, { ...situation, current });
  const perhaps = waiting === undefined ? NONE : await valuesOf(waiting, { ...situation, current });
  if (current.startsWith("-") && !onlyArguments) {
    const equals = current.indexOf("=");
    if (equals < 0) return { words: optionsOf(command, situation.options) };
    const option = command.options.find((option) => option.long === current.slice(0, equals));
    if (option === undefined || option.isBoolean()) return NONE;
    const start = current.slice(0, equals + 1);
    const { words } = await valuesOf(option, { ...situation, current: current.slice(equals + 1) });
    return { words: words.map(({ value, ...rest }) => ({ value: start + value, ...rest })) };
  }
  const usual = await positional(program, command, { ...situation, current });
  return { ...usual, words: [...perhaps.words, ...usual.words] };
}

interface Reading {
  readonly command: Command;
  readonly situation: Omit<Situation, "current">;
  /** The option whose value comes next. */
  readonly waiting: Option | undefined;
  /** Whether `--` has been typed. */
  readonly onlyArguments: boolean;
}

/** What the whole words say. */
function read(program: Command, words: readonly string[]): Reading {
  let command = program, onlyArguments = false;
  let waiting: Option | undefined;
  const positionals: string[] = [];
  const options: Record<string, string[]> = {};
  for (const word of words) {
    const isOption = word.startsWith("-") && word !== "-" && !onlyArguments;
    if (waiting !== undefined && (waiting.required || !isOption)) {
      options[waiting.long!]!.push(word);
      waiting = undefined;
      continue;
    }
    waiting = undefined;
    if (word === "--" && !onlyArguments) onlyArguments = true;
    else if (isOption) {
      const [name, value] = word.split(/=(.*)/s) as [string, string?];
      const option = command.options.find(({ long, short }) => long === name || short === name);
      if (option === undefined) continue;
      options[option.long!] ??= [];
      if (value !== undefined) options[option.long!]!.push(value);
      else if (!option.isBoolean()) waiting = option;
    } else {
      const below = positionals.length === 0
        ? command.commands.find((below) => below.name() === word || below.aliases().includes(word))
        : undefined;
      if (below === undefined) positionals.push(word);
      else command = below;
    }
  }
  const path = [];
  for (let at: Command | null = command; at?.parent; at = at.parent) path.unshift(at.name());
  return { command, situation: { path, positionals, options }, waiting, onlyArguments };
}

/** Options that are not given yet, or may be repeated. */
function optionsOf(command: Command, given: Readonly<Record<string, unknown>>): Candidate[] {
  const options = command.options.filter(({ hidden, long, parseArg }) =>
    !hidden && long !== undefined && (!(long in given) || parseArg?.name === "collect")
  );
  return [
    ...options.map(({ long, description }) => ({ value: long!, about: description })),
    { value: "--help", about: "options and examples" },
  ];
}

async function valuesOf(option: Option, situation: Situation): Promise<Candidates> {
  if (option.argChoices !== undefined) return { words: option.argChoices.map((value) => ({ value })) };
  return await optionValues(option.long!.slice(2), situation);
}

async function positional(program: Command, command: Command, situation: Situation): Promise<Candidates> {
  const below = (command: Command) =>
    command.commands.filter((below) => !("_hidden" in below && below._hidden))
      .map((below) => ({ value: below.name(), about: below.description() }));
  if (command.name() === "help") {
    let about: Command | undefined = program;
    for (const word of situation.positionals) about = about?.commands.find((one) => one.name() === word);
    const topics = situation.positionals.length === 0 ? (await argumentValues("topic", situation)).words : [];
    return { words: [...(about === undefined ? [] : below(about)), ...topics] };
  }
  if (command.commands.length > 0 && situation.positionals.length === 0) return { words: below(command) };
  const args = command.registeredArguments;
  const argument = args[situation.positionals.length] ?? (args.at(-1)?.variadic ? args.at(-1) : undefined);
  if (argument === undefined) return NONE;
  if (argument.argChoices !== undefined) return { words: argument.argChoices.map((value) => ({ value })) };
  return await argumentValues(argument.name(), situation);
}

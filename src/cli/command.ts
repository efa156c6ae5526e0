/** What the groups of commands have in common. */

import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import type { PipelineConfig } from "../config/schema.ts";
import type { Order } from "../pipeline/run.ts";

/** Gets the exit code of the command that ran. */
export type Finish = (code: number) => void;

/** The arguments and options that several commands take. */
export const FILE = ["<file>", "a pipeline file, or the name of one in pipelines/"] as const;
export const SET = ["--set <path=value>", "change a key of the file; may be repeated"] as const;
export const RUNS = ["--runs <folder>", "where results go, a folder for each pipeline", "runs"] as const;
export const JSON_OPTION = ["--json", "print one JSON value, for scripts"] as const;

/** For options that may be repeated. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** For options that take a whole number. */
export function wholeNumber(least: number, most = Infinity): (value: string) => number {
  return (value) => {
    const found = Number(value);
    if (/^\d/.test(value) && Number.isInteger(found) && found >= least && found <= most) return found;
    const bounds = `at least ${least}${most === Infinity ? "" : ` and at most ${most}`}`;
    throw new InvalidArgumentError(`expected a whole number, ${bounds}.`);
  };
}

/** A command whose `--help` ends with examples. */
export function command(name: string, description: string, ...examples: readonly string[]): Command {
  const indented = examples.map((line) => line === "" ? "" : `  ${line}`).join("\n");
  return new Command(name).description(description)
    .addHelpText("after", `\n${examples.length === 1 ? "Example" : "Examples"}:\n${indented}`);
}

/** A pipeline file, with the changes of `--set`. `presets` would have done in place of a file. */
export async function loadFile(
  given: string,
  set: readonly string[],
  presets: readonly string[] = [],
): Promise<{ config: PipelineConfig; command: Order["command"] }> {
  const [{ loadPipeline }, { findPipelineFile, fromProject }] = await Promise.all([
    import("../config/load.ts"),
    import("../pipeline/find.ts"),
  ]);
  const file = findPipelineFile(given, presets);
  return { config: loadPipeline(file, set), command: { file: fromProject(file), set } };
}

/** What is to be run of a pipeline file. */
export async function orderFor(
  given: string,
  set: readonly string[],
  runs: string,
  selection: Order["selection"],
): Promise<Order> {
  return { ...await loadFile(given, set), file: given, runs, selection };
}

/** Runs it; the exit code. */
export async function run(order: Order): Promise<number> {
  const { runPipeline } = await import("../pipeline/run.ts");
  return await runPipeline(order);
}

/** A run of one stage that needs no pipeline file: the same runner, permissions, status, lock and log. */

import { run } from "./command.ts";

/** The stage as a pipeline file would have it, and where its run goes. */
export interface OneStage {
  readonly stage: { readonly id: string; readonly run: string } & Record<string, unknown>;
  /** Of the run; what a name cannot hold is replaced. */
  readonly name: string;
  readonly runs: string;
  readonly force: boolean;
  /** The command line that does it again; default: the name of the command. */
  readonly again?: string;
}

/** Checks and runs it; the exit code. */
export async function runStage({ stage, name, runs, force, again }: OneStage): Promise<number> {
  const { configOfStages } = await import("../config/load.ts");
  const config = configOfStages([stage], name.replaceAll(/[^\w-]+/g, "-").replace(/^[-_]+/, "").slice(0, 64));
  const selection = { force, ...(force ? { only: [stage.id] } : {}) };
  const file = again ?? `foretoken ${stage.run}`;
  return await run({ config, file, command: { file, set: [] }, runs, selection, alone: true });
}
